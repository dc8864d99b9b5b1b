//! A mailbox on Dovecot: ours among thousands, nothing of others touched, new mail heard at once.

use std::time::{Duration, Instant};

use drops::limits::IDLE_AGAIN;
use drops::{Raw, SourceConfig, Waited, unpack};
use serde_json::{Value, json};
use tests::services::{Dovecot, PASSWORD, USER};

use crate::kept::{Kept, bytes};

/// A configuration that works in clear, changed by `more`.
pub fn config(imap: &Dovecot, more: Value) -> SourceConfig {
    let mut config = json!({"kind": "imap", "host": "127.0.0.1", "port": imap.port, "tls": "none",
        "user": USER, "password": PASSWORD});
    for (key, value) in more.as_object().expect("an object") {
        config[key] = value.clone();
    }
    serde_json::from_value(config).expect("a configuration")
}

/// A forwarded drop.
pub fn drop_mail(number: u32) -> Vec<u8> {
    format!(
        "From: USALive <reports@usalive.example>\r\nTo: vend@example.com\r\n\
         Subject: Kiosk file {number}\r\nDate: Mon, 23 Nov 2026 15:00:00 +0000\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n\
         --b\r\nContent-Type: text/plain; name=\"VM001-7-{number}.txt\"\r\n\
         Content-Disposition: attachment; filename=\"VM001-7-{number}.txt\"\r\n\r\n\
         VM001|1123-1500|I|drop|{number}|\r\n--b--\r\n"
    )
    .into_bytes()
}

/// A mail that is none of ours.
fn other_mail(number: u32, body: &str) -> Vec<u8> {
    format!(
        "From: Somebody <somebody{number}@example.com>\r\nTo: vend@example.com\r\n\
         Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_{number}?=\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

fn ours() -> Value {
    json!({"subject": "Kiosk file*", "from": "*@usalive.example"})
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_are_found_among_5000_other_mails_without_reading_these() {
    const OTHERS: u32 = 5_000;
    let imap = Dovecot::start();
    for number in 0..OTHERS {
        imap.deliver(&other_mail(number, &"x".repeat(2_000)));
        if number % 1_000 == 500 {
            imap.deliver(&drop_mail(number / 1_000));
        }
    }
    let kept = Kept::default();
    let began = Instant::now();
    let polled = drops::poll(&config(&imap, ours()), &kept).await.unwrap();
    println!(
        "{} of {} mails in {:?}",
        polled.taken,
        polled.listed,
        began.elapsed()
    );
    assert_eq!(
        (polled.taken, polled.passed_over),
        (5, u64::from(OTHERS)),
        "{polled:?}"
    );
    let found = kept.drain();
    for (number, file) in found.iter().enumerate() {
        assert_eq!(file.name, format!("Kiosk file {number}"));
        assert!(file.at_source.is_some());
        let parts = unpack(&file.name, bytes(file)).expect("a drop inside");
        assert_eq!(parts[0].name, format!("VM001-7-{number}.txt"));
        assert_eq!(
            parts[0].bytes,
            format!("VM001|1123-1500|I|drop|{number}|").into_bytes()
        );
    }
    // Dovecot says at sign-out what it sent of bodies: ours, and of the others nothing.
    let mut log = imap.log();
    for _ in 0..100 {
        if log.contains("body_count=") {
            break;
        }
        // It writes that when it has ended, a moment after it said goodbye.
        tokio::time::sleep(Duration::from_millis(50)).await;
        log = imap.log();
    }
    let read = log.rsplit("body_count=").next().expect("a statistic");
    assert!(read.starts_with("5 "), "{read}");

    let began = Instant::now();
    let again = drops::poll(&config(&imap, ours()), &kept).await.unwrap();
    println!("and again in {:?}", began.elapsed());
    assert_eq!((again.taken, again.passed_over), (0, 0), "{again:?}");
    // Another pattern looks at them again.
    let wider = config(&imap, json!({"subject": "*e 4*"}));
    let polled = drops::poll(&wider, &kept).await.unwrap();
    assert!(polled.taken > 1_000, "{polled:?}");
    let tested = drops::test(&config(&imap, ours())).await.unwrap();
    assert_eq!((tested.files, tested.sample.len()), (1, 1), "{tested:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_moved_or_deleted_only_after_it_was_taken_and_no_other_one() {
    let imap = Dovecot::start();
    let kept = Kept::default();
    imap.deliver(&other_mail(1, "somebody's, and marked as deleted by them"));
    for number in 1..=4 {
        imap.deliver(&drop_mail(number));
    }
    mark_first_as_deleted(&imap).await;
    let with = |more: Value| {
        let mut all = ours();
        for (key, value) in more.as_object().expect("an object") {
            all[key] = value.clone();
        }
        config(&imap, all)
    };
    let moving = with(json!({"after": "move", "move_to": "Done ü"}));
    kept.stop_after(Some(1));
    let stopped = drops::poll(&moving, &kept).await.unwrap_err();
    assert_eq!(stopped.code(), "stopped");
    // There is no such folder yet: said for the one that was taken, which is not fetched again.
    kept.stop_after(Some(0));
    let config_without =
        with(json!({"after": "move", "move_to": "Nowhere", "subject": "Kiosk file 1"}));
    let polled = drops::poll(&config_without, &kept).await.unwrap();
    assert_eq!((polled.taken, polled.trouble_count), (0, 1), "{polled:?}");
    assert!(polled.troubles[0].message.contains("Nowhere"), "{polled:?}");

    imap.make_folder("Done &APw-");
    kept.stop_after(Some(1));
    let stopped = drops::poll(&moving, &kept).await.unwrap_err();
    assert_eq!(stopped.code(), "stopped");
    assert_eq!((imap.count(""), imap.count("Done &APw-")), (3, 2));
    kept.stop_after(None);
    let deleting = with(json!({"after": "delete"}));
    let polled = drops::poll(&deleting, &kept).await.unwrap();
    assert_eq!((polled.taken, polled.trouble_count), (2, 0), "{polled:?}");
    assert_eq!(imap.count(""), 1, "somebody's mail is still there");
    let names = [
        "Kiosk file 1",
        "Kiosk file 2",
        "Kiosk file 3",
        "Kiosk file 4",
    ];
    assert_eq!(kept.names(), names);
}

/// As another mail program would.
async fn mark_first_as_deleted(imap: &Dovecot) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", imap.port))
        .await
        .unwrap();
    let said = format!(
        "a LOGIN {USER} \"{PASSWORD}\"\r\nb SELECT INBOX\r\nc STORE 1 +FLAGS (\\Deleted)\r\n\
         d LOGOUT\r\n"
    );
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert!(heard.contains("c OK"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_about_other_things_stay_and_those_that_wait_hold_up_no_other() {
    let imap = Dovecot::start();
    let kept = Kept::default();
    imap.deliver(&other_mail(1, "a newsletter"));
    for number in 1..=3 {
        imap.deliver(&drop_mail(number));
    }
    kept.not_ours(&["Grüße 1"]);
    kept.hold(&["Kiosk file 1"]);
    let deleting = config(&imap, json!({"after": "delete"}));
    let polled = drops::poll(&deleting, &kept).await.unwrap();
    assert_eq!((polled.taken, polled.passed_over), (2, 1), "{polled:?}");
    assert_eq!(polled.trouble_count, 1, "{polled:?}");
    assert_eq!(imap.count(""), 2, "the newsletter, and the one that waits");
    kept.hold(&[]);
    for (taken, seen) in [(1, 1), (0, 1)] {
        let polled = drops::poll(&deleting, &kept).await.unwrap();
        assert_eq!((polled.taken, polled.seen), (taken, seen), "{polled:?}");
        assert_eq!(imap.count(""), 1, "nobody else has the newsletter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_with_endless_headers_hold_up_no_other() {
    let imap = Dovecot::start();
    // More than is read of all of them together, when each is read whole.
    let long = "word\r\n ".repeat(15_000);
    for number in 0..60 {
        let mail = format!("From: x{number}@example.com\r\nSubject: {long}x\r\n\r\nhello\r\n");
        imap.deliver(mail.as_bytes());
    }
    imap.deliver(&drop_mail(1));
    let kept = Kept::default();
    let polled = drops::poll(&config(&imap, ours()), &kept).await.unwrap();
    assert_eq!((polled.taken, polled.passed_over), (1, 60), "{polled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_chosen_by_name_and_large_mails_only_reported() {
    let imap = Dovecot::start();
    let kept = Kept::default();
    imap.deliver(&drop_mail(1));
    imap.deliver(&drop_mail(22));
    imap.deliver(&other_mail(1, "without attachment"));
    imap.deliver(&other_mail(2, &"large\r\n".repeat(300_000)));
    let by_name = config(&imap, json!({"pattern": "VM001-*-1.txt"}));
    let polled = drops::poll(&by_name, &kept).await.unwrap();
    assert_eq!((polled.taken, polled.passed_over), (1, 3), "{polled:?}");
    assert_eq!(kept.names(), ["Kiosk file 1"]);
    for round in 0..2 {
        let any = config(&imap, json!({"after": "delete"}));
        let polled = drops::poll(&any, &kept).await.unwrap();
        assert_eq!(polled.too_large, 1 - round, "{polled:?}");
    }
    let found = kept.drain();
    let large = found
        .iter()
        .filter(|f| matches!(f.raw, Raw::TooLarge { .. }));
    assert_eq!(large.count(), 1);
    assert_eq!(imap.count(""), 1, "the large one stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_mail_is_heard_of_at_once() {
    let imap = Dovecot::start();
    let kept = Kept::default();
    let config = config(&imap, json!({}));
    let polled = drops::poll(&config, &kept).await.unwrap();
    let mark = polled.mark.expect("a mailbox has a mark");
    let limit = Duration::from_millis(1_500);
    let waited = drops::wait_for_new(&config, Some(&mark), limit, IDLE_AGAIN)
        .await
        .unwrap();
    assert_eq!(waited, Waited::Nothing);

    let waiting = {
        let (config, mark) = (config.clone(), mark.clone());
        tokio::spawn(async move {
            drops::wait_for_new(&config, Some(&mark), Duration::from_secs(30), IDLE_AGAIN).await
        })
    };
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert!(!waiting.is_finished());
    let began = Instant::now();
    imap.deliver(&drop_mail(1));
    assert_eq!(waiting.await.unwrap().unwrap(), Waited::New);
    println!("heard after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(10));
    // What came between poll and wait is no secret either.
    let began = Instant::now();
    let waited =
        drops::wait_for_new(&config, Some(&mark), Duration::from_secs(30), IDLE_AGAIN).await;
    assert_eq!(waited.unwrap(), Waited::New);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_works_and_wrong_ones_are_told_apart() {
    let imap = Dovecot::start();
    imap.deliver(&drop_mail(1));
    let (ca_pem, pin) = (imap.identity.ca_pem.as_str(), imap.identity.pin.as_str());
    let implicit = json!({"tls": "implicit", "port": imap.tls_port, "pin": pin});
    for more in [
        json!({"tls": "explicit", "ca_pem": ca_pem, "host": "localhost"}),
        implicit.clone(),
        json!({"tls": "implicit", "port": imap.tls_port, "pin": pin, "tls_max_12": true,
            "auth": "xoauth2", "access_token": PASSWORD, "password": ""}),
    ] {
        let kept = Kept::default();
        let polled = drops::poll(&config(&imap, more.clone()), &kept).await;
        assert_eq!(polled.unwrap_or_else(|e| panic!("{more}: {e}")).taken, 1);
    }
    let kept = Kept::default();
    for (more, code) in [
        (json!({"password": "wrong"}), "refused"),
        (
            json!({"tls": "implicit", "port": imap.tls_port, "pin": pin, "auth": "xoauth2",
            "access_token": "old"}),
            "refused",
        ),
        (json!({"tls": "explicit"}), "tls"),
        (json!({"folder": "No such"}), "no_folder"),
        (json!({"port": 1}), "unreachable"),
        (json!({"auth": "xoauth2", "access_token": "x"}), "config"),
    ] {
        let refused = drops::poll(&config(&imap, more.clone()), &kept)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), code, "{more}: {refused}");
        if code == "tls" {
            assert_eq!(refused.fingerprint(), Some(pin));
        }
    }
    let tries = imap.log().matches("auth failed, 1 attempts").count();
    assert_eq!(tries, 2, "a wrong password is tried once: {}", imap.log());
    imap.hang(true);
    let hangs = drops::poll(&config(&imap, json!({"timeout_s": 1})), &kept)
        .await
        .unwrap_err();
    assert_eq!(hangs.code(), "timed_out", "{hangs}");
}
