//! Files that are no ordinary drop: card numbers, joined, large, of any kind, and too many.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wire::Level;
use wire::drops::dense;

use super::drops_support::{drop_of, header, log_entry, now, whole};
use super::support::Server;

async fn server() -> Server {
    let server = Server::start().await;
    server.machine("VM001").await;
    server.http_source().await;
    server
}

#[tokio::test]
async fn a_card_number_in_a_file_that_cannot_be_read_is_not_kept() {
    let server = server().await;
    let file = "Customer paid with 4111 1111 1111 1111, please refund\n";
    server.post_drop("4111111111111111.txt", file).await;
    let items = server.waiting().await;
    let whole = server
        .get(&format!("/api/quarantine/{}", items[0]["id"]))
        .await;
    let bytes = STANDARD.decode(whole["base64"].as_str().unwrap()).unwrap();
    for text in [whole.to_string(), String::from_utf8(bytes).unwrap()] {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains("41111111"), "{text}");
        assert!(text.contains("please refund"));
    }
    let drop = drop_of("VM001", 1, 1, &["Card 4111111111111111 was declined"]);
    server.post_drop("x.txt", drop).await;
    let stored = server.stored("VM001").await;
    assert!(!stored[0].0.contains("4111111111111111"), "{stored:?}");
}

#[tokio::test]
async fn a_card_number_in_the_name_of_a_drop_is_not_kept() {
    let server = server().await;
    let drop = drop_of("VM001", 1, 1, &["Reader is silent"]);
    server.post_drop("Refund%204111111111111111", drop).await;
    let drops = server.get("/api/drops").await;
    assert_eq!(drops["drops"][0]["name"], "Refund [card]");
}

#[tokio::test]
async fn a_line_that_was_cut_waits_and_the_others_are_stored() {
    let server = server().await;
    let cut = "VM001|0122-1430|E|payment|Auth timeout 30s|\nVM001|0122-1431|W|mot";
    for (drops, repeats) in [(1, 0), (0, 1)] {
        let (status, posted) = server.post_drop("x.txt", cut).await;
        assert_eq!(
            (status, &posted["drops"], &posted["repeats"]),
            (200, &json!(drops), &json!(repeats)),
            "{posted}"
        );
        assert_eq!(posted["quarantined"], 1, "{posted}");
    }
    assert_eq!(server.stored("VM001").await.len(), 1);
    let items = server.waiting().await;
    let item = &items[0];
    assert_eq!(items.len(), 1, "the same again is the same item");
    assert_eq!(
        (&item["code"], &item["machine_id"]),
        (&json!("damaged"), &json!("VM001")),
        "{item}"
    );
    let reason = item["reason"].as_str().unwrap();
    assert!(reason.starts_with("One line of it was cut"), "{reason}");
    let path = format!("/api/quarantine/{}", item["id"]);
    let kept = server.get(&path).await;
    let kept = STANDARD.decode(kept["base64"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(kept).unwrap(), cut);
    // Trying again reads no more of it.
    let retry = format!("{path}/retry");
    let (status, retried) = server.as_admin("POST", &retry, json!({})).await;
    assert_eq!((status, &retried["is_read"]), (200, &json!(false)));
    assert_eq!(server.waiting().await.len(), 1);
}

#[tokio::test]
async fn a_cut_line_of_a_machine_that_is_added_later_is_not_forgotten() {
    let server = server().await;
    let cut = "VM007|0122-1430|E|payment|Auth timeout 30s|\nVM007|0122-1431|W";
    server.post_drop("x.txt", cut).await;
    assert_eq!(server.waiting().await[0]["code"], "unknown_machine");
    server.machine("VM007").await;
    let mut items = server.waiting().await;
    for _ in 0..400 {
        if items[0]["code"] == "damaged" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        items = server.waiting().await;
    }
    assert_eq!((items.len(), &items[0]["code"]), (1, &json!("damaged")));
    assert_eq!(server.stored("VM007").await.len(), 1);
}

#[tokio::test]
async fn every_drop_of_a_joined_file_is_stored() {
    let server = server().await;
    let at = now().plus_us(-60_000_000);
    let entries = [log_entry(2, at, "Motor 3 is stuck")];
    let shipped = wire::drops::Dictionary::shipped();
    let second = dense::encode(
        &header("VM001", 2, at, &entries),
        &whole(&entries),
        &shipped,
    );
    let first = drop_of("VM001", 1, 1, &["Reader is silent"]);
    let third = drop_of("VM001", 3, 3, &["Door is open"]);
    let joined = [first, second, third].concat();
    for (drops, repeats) in [(3, 0), (0, 3)] {
        let (_, posted) = server.post_drop("all.txt", joined.clone()).await;
        assert_eq!(
            (&posted["drops"], &posted["repeats"]),
            (&json!(drops), &json!(repeats)),
            "{posted}"
        );
    }
    assert_eq!(server.stored("VM001").await.len(), 3);
    assert!(server.waiting().await.is_empty());
}

#[tokio::test]
async fn a_large_file_that_waits_is_kept_whole() {
    let server = server().await;
    let locked = [b"PK\x03\x04".to_vec(), vec![1; 300_000]].concat();
    server.post_drop("locked.zip", locked.clone()).await;
    let item = &server.waiting().await[0];
    let path = format!("/api/quarantine/{}", item["id"]);
    let kept = server.get(&path).await;
    let kept = STANDARD.decode(kept["base64"].as_str().unwrap()).unwrap();
    assert!(kept == locked, "{} bytes of {}", kept.len(), locked.len());
    let retry = format!("{path}/retry");
    let (status, retried) = server.as_admin("POST", &retry, json!({})).await;
    assert_eq!((status, &retried["is_read"]), (200, &json!(false)));
}

#[tokio::test]
async fn a_file_of_40_mb_is_no_error_and_is_not_kept() {
    let server = server().await;
    let (status, posted) = server.post_drop("film.mp4", vec![b'x'; 40_000_000]).await;
    assert_eq!(
        (status, &posted["quarantined"]),
        (200, &json!(1)),
        "{posted}"
    );
    let item = &server.waiting().await[0];
    assert_eq!(
        (&item["code"], &item["size_bytes"]),
        (&json!("too_large"), &json!(40_000_000))
    );
    let retry = format!("/api/quarantine/{}/retry", item["id"]);
    let (status, refused) = server.as_admin("POST", &retry, json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_whole")));
}

#[tokio::test]
async fn anything_at_all_is_answered_with_200() {
    let server = server().await;
    let zip = b"PK\x03\x04 this was a zip once".to_vec();
    let pseudo: Vec<u8> = (0..5000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for bytes in [
        Vec::new(),
        vec![0; 2000],
        b"VM001|".to_vec(),
        zip,
        pseudo,
        vec![0xff; 70_000],
    ] {
        let (status, posted) = server.post_drop("x.bin", bytes.clone()).await;
        assert_eq!(status, 200, "{posted}");
        assert_eq!(posted["quarantined"], 1, "{} bytes: {posted}", bytes.len());
    }
    assert_eq!(server.waiting().await.len(), 6);
}

#[tokio::test]
async fn a_critical_by_cell_is_told_live() {
    let server = server().await;
    let mut events = server.running.events();
    let mut entry = log_entry(1, now(), "Dispensing without payment");
    entry.level = Level::Critical;
    let entries = [entry];
    let text = wire::drops::text::encode(&header("VM001", 1, now(), &entries), &whole(&entries));
    server.post_drop("x.txt", text).await;
    let critical = tokio::time::timeout(std::time::Duration::from_secs(10), async {
        loop {
            let message = events.next().await.unwrap();
            if message.event == "critical" {
                return message.data;
            }
        }
    });
    let critical = critical.await.expect("it was told");
    assert!(critical.contains("Dispensing without payment") && critical.contains("\"cell\""));
}

/// A mail with these drops attached.
fn mail_of(drops: impl Iterator<Item = String>) -> String {
    let mut mail = String::from(
        "From: a@example.com\r\nSubject: Kiosk files\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    );
    for (number, drop) in drops.enumerate() {
        mail.push_str(&format!(
            "--b\r\nContent-Type: text/plain\r\n\
             Content-Disposition: attachment; filename=\"{number}.txt\"\r\n\r\n{drop}\r\n"
        ));
    }
    mail + "--b--\r\n"
}

#[tokio::test]
async fn a_full_quarantine_keeps_no_drop_of_the_same_file_out() {
    let server = server().await;
    let unknown = |number| drop_of("VM999", number, number, &["Who am I"]);
    let most = store::QUARANTINE_MAX_ITEMS;
    let (status, posted) = server
        .post_drop("x.eml", mail_of((1..=most).map(unknown)))
        .await;
    assert_eq!(
        (status, &posted["quarantined"]),
        (200, &json!(most)),
        "{posted}"
    );
    let good = drop_of("VM001", 1, 1, &["Reader is silent"]);
    let mixed = mail_of([unknown(most + 1), good].into_iter());
    let (status, refused) = server.post_drop("y.eml", mixed).await;
    assert_eq!(
        (status, &refused["code"]),
        (503, &json!("quarantine_full")),
        "it has to come again: {refused}"
    );
    assert_eq!(
        server.stored("VM001").await.len(),
        1,
        "what can be is stored"
    );
}
