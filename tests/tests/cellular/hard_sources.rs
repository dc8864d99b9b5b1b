//! Sources as they are on a bad day. Each gives the right result, says what is wrong, and does not
//! hold up the others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::services::{Dovecot, FtpTls, Vsftpd, VsftpdSetup};
use tests::sources::{self, Source};
use tests::{DropFile, Server};
use wire::Level;

/// Mails in the mailbox that have nothing to do with drops.
const OTHER_MAILS: u64 = 5_000;
/// What the store keeps of what cannot be read.
const QUARANTINE_ITEMS: u64 = 1_000;
/// Somebody's film in the folder of drops.
const BIG_FILE_BYTES: usize = 40 * 1024 * 1024;

fn drop(number: u64) -> DropFile {
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    DropFile::new("VM001", number, &now).with(Level::Error, &now, &format!("drop {number}"))
}

fn error_code(status: &Value) -> &str {
    status["error"]["code"].as_str().unwrap_or_default()
}

#[test]
fn a_file_of_40_mb_in_the_folder_is_named_left_there_and_in_nobodys_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let ftp = Vsftpd::start(&VsftpdSetup::default());
    let server = Server::start(folder.path());
    server.add_machine("VM001");
    let api = server.api();
    ftp.put("a film.mp4", &vec![b'x'; BIG_FILE_BYTES]);
    ftp.put(&drop(1).name(), drop(1).text().as_bytes());
    let source = Source::add(&api, "folder", &sources::ftp(&ftp, FtpTls::None));
    // A file is taken once it has stopped growing, so that the first look may not be enough.
    tests::wait::until("the drop beside it", tests::wait::seconds(60), || {
        source.poll();
        (!api.entries("").is_empty()).then_some(())
    });
    let status = source.status();
    assert_eq!(status["state"], "ok", "{status}");
    let quarantine = api.get("/api/quarantine").json();
    let item = &quarantine["items"][0];
    assert_eq!(
        (&item["code"], &item["name"]),
        (&json!("too_large"), &json!("a film.mp4"))
    );
    assert_eq!(item["size_bytes"], BIG_FILE_BYTES);
    assert!(
        ftp.folder().join("a film.mp4").exists(),
        "only we know that it is no drop"
    );
    assert!(
        !ftp.folder().join(drop(1).name()).exists(),
        "what was taken is removed"
    );
    let once = api.get("/api/quarantine").json()["waiting"].clone();
    source.poll();
    assert_eq!(
        api.get("/api/quarantine").json()["waiting"],
        once,
        "named once"
    );
    let memory = resident_bytes(server.process.id());
    assert!(
        memory < 200 << 20,
        "it was not read into memory: {memory} bytes"
    );
}

#[test]
fn drops_are_found_among_5000_other_mails_and_these_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mailbox = Dovecot::start();
    let server = Server::start(folder.path());
    server.add_machine("VM001");
    let api = server.api();
    for number in 1..=OTHER_MAILS {
        mailbox.deliver(&mail(
            "news@example.com",
            &format!("Offer {number}"),
            "Buy now.\r\n",
        ));
    }
    mailbox.deliver(&mail(
        "reports@usalive.example",
        "Kiosk File Upload",
        &drop(1).text(),
    ));
    let mut config = sources::imap(&mailbox);
    config["from"] = json!("*@usalive.example");
    let source = Source::add(&api, "mailbox", &config);
    let began = Instant::now();
    tests::wait::until("the drop among them", tests::wait::seconds(120), || {
        source.poll();
        (!api.entries("").is_empty()).then_some(())
    });
    println!(
        "found among {OTHER_MAILS} mails after {:?}",
        began.elapsed()
    );
    let status = source.status();
    assert_eq!(status["state"], "ok", "{status}");
    let quarantine = api.get("/api/quarantine").json();
    assert_eq!(
        quarantine["waiting"], 0,
        "other mail is no drop that went wrong: {quarantine}"
    );
    assert_eq!(mailbox.count("") as u64, OTHER_MAILS + 1);
    mailbox.deliver(&mail(
        "reports@usalive.example",
        "Kiosk File Upload",
        &drop(2).text(),
    ));
    let began = Instant::now();
    tests::wait::until("the next drop", tests::wait::seconds(30), || {
        source.poll();
        (api.entries("").len() == 2).then_some(())
    });
    let again = began.elapsed();
    assert!(
        again < Duration::from_secs(10),
        "known mails are not read again: {again:?}"
    );
}

#[test]
fn a_wrong_password_is_said_and_seldom_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    let ftp = Vsftpd::start(&VsftpdSetup::default());
    let server = Server::start(folder.path());
    let api = server.api();
    let mut config = sources::ftp(&ftp, FtpTls::None);
    config["password"] = json!("hunter2 is not it");
    let source = Source::add(&api, "folder of 4111 1111 1111 1111", &config);
    let status = source.poll();
    assert_eq!(
        (&status["state"], error_code(&status)),
        (&json!("failing"), "refused")
    );
    let message = status["error"]["message"].as_str().expect("words");
    assert!(
        message.contains("password"),
        "it says what to do: {message}"
    );
    let next = |key: &str| {
        let at = status[key].as_str().expect("a time");
        at.parse::<jiff::Timestamp>().expect("RFC 3339")
    };
    let pause = next("next_poll_at").duration_since(next("last_poll_at"));
    assert!(
        pause.as_secs() >= 600,
        "servers lock accounts after some tries: {pause:?}"
    );
    let everything = api.get("/api/sources").body;
    let everything = String::from_utf8_lossy(&everything).into_owned() + &server.process.messages();
    assert!(
        !everything.contains("hunter2"),
        "no password is shown or logged"
    );
    let logged = server.process.messages();
    assert!(logged.contains("a source fails") && logged.contains("folder of [card]"));
    assert!(!logged.contains("1111 1111"), "{logged}");
}

#[test]
fn while_quarantine_is_full_what_waits_is_downloaded_once_and_good_drops_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let ftp = Vsftpd::start(&VsftpdSetup::default());
    let server = Server::start(folder.path());
    server.add_machine("VM001");
    let api = server.api();
    Source::add(&api, "posted", &sources::http());
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let unknown = |number| DropFile::new("VM999", number, &now).text();
    let joined: String = (1..=QUARANTINE_ITEMS).map(unknown).collect();
    let answer = api.post("/api/drops/x.txt", joined);
    assert_eq!(answer.json()["quarantined"], QUARANTINE_ITEMS);

    ftp.put("waits.txt", unknown(QUARANTINE_ITEMS + 1).as_bytes());
    let source = Source::add(&api, "folder", &sources::ftp(&ftp, FtpTls::None));
    let trouble = |status: &Value| status["troubles"][0].as_str().unwrap_or("").to_owned();
    let status = tests::wait::until("its pause is shown", tests::wait::seconds(60), || {
        Some(source.status()).filter(|status| trouble(status).contains("fetched again in 15 min"))
    });
    assert_eq!(status["state"], "ok", "{status}");
    // It is asked by its interval all the while.
    ftp.put(&drop(1).name(), drop(1).text().as_bytes());
    tests::wait::until("a good drop", tests::wait::seconds(60), || {
        (!api.entries("").is_empty()).then_some(())
    });
    let downloads = || ftp.log().matches("\"RETR waits.txt\"").count();
    assert_eq!(downloads(), 1, "{}", ftp.log());

    // Room for it.
    let item = api.get("/api/quarantine").json()["items"][0]["id"].clone();
    api.post(&format!("/api/quarantine/{item}/discard"), "");
    tests::wait::until("it is taken", tests::wait::seconds(60), || {
        (!ftp.folder().join("waits.txt").exists()).then_some(())
    });
    assert_eq!(downloads(), 2, "{}", ftp.log());
}

#[test]
fn a_server_that_hangs_is_given_up_and_holds_up_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let hangs = Vsftpd::start(&VsftpdSetup::default());
    let works = Vsftpd::start(&VsftpdSetup::default());
    let server = Server::start(folder.path());
    server.add_machine("VM001");
    let api = server.api();
    hangs.hang(true);
    works.put(&drop(1).name(), drop(1).text().as_bytes());
    let mut config = sources::ftp(&hangs, FtpTls::None);
    config["timeout_s"] = json!(3);
    let bad = Source::add(&api, "hangs", &config);
    let good = Source::add(&api, "works", &sources::ftp(&works, FtpTls::None));
    tests::wait::until(
        "the drop of the other source",
        tests::wait::seconds(30),
        || {
            good.poll();
            (!api.entries("").is_empty()).then_some(())
        },
    );
    let status = tests::wait::until("it is given up", tests::wait::seconds(30), || {
        Some(bad.status()).filter(|status| status["state"] == "failing")
    });
    assert_eq!(error_code(&status), "timed_out", "{status}");
    hangs.hang(false);
    let status = bad.poll();
    assert_eq!(
        (&status["state"], &status["error"]),
        (&json!("ok"), &Value::Null)
    );
}

fn mail(from: &str, subject: &str, body: &str) -> Vec<u8> {
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "From: {from}\r\nTo: drops@vendlog.example\r\nSubject: {subject}\r\n\
         Date: Thu, 22 Jan 2026 14:30:15 +0000\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    )
    .into_bytes()
}

fn resident_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("a peak");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a size");
    kib * 1024
}
