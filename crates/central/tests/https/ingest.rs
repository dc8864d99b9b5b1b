//! What a machine sends is stored once, whatever happens on the way.

use std::io::Write;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, answer, batch, entry, messages};

#[tokio::test]
async fn a_batch_is_stored_and_comes_back_as_it_was_sent() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut sent = entry(1, "WARNING", "Motor 3 drew 512 mA für 🥤");
    sent["context"] = json!({ "slot": 3, "price_cents": 250, "list": [1, "a"] });
    sent["clock"] = json!("unsynced");
    let body = json!({ "machine_id": "VM001", "epoch": 7, "logs": [sent] });
    let answer = server.must_post(&key, &body).await;
    assert_eq!(
        answer,
        json!({ "accepted": 1, "duplicates": 0, "rejected": [] })
    );

    let page = server.get("/api/logs").await;
    let stored = &page["entries"][0];
    for (field, expected) in [
        ("machine_id", json!("VM001")),
        ("epoch", json!(7)),
        ("seq", json!(1)),
        ("timestamp", sent["timestamp"].clone()),
        ("filed_at", sent["timestamp"].clone()),
        ("level", json!("WARN")),
        ("component", json!("payment")),
        ("message", sent["message"].clone()),
        ("context", sent["context"].clone()),
        ("clock", json!("unsynced")),
        ("path", json!("wifi")),
        ("fidelity", json!("full")),
    ] {
        assert_eq!(stored[field], expected, "{field}");
    }
    let text: Vec<u16> = stored["message"].as_str().unwrap().encode_utf16().collect();
    let params = stored["params"].as_array().unwrap();
    let texts: Vec<String> = params
        .iter()
        .map(|range| {
            let at = |place: usize| range[place].as_u64().unwrap() as usize;
            String::from_utf16(&text[at(0)..at(1)]).unwrap()
        })
        .collect();
    assert!(
        texts.iter().any(|text| text.contains("512")),
        "{texts:?} of {stored}"
    );
    assert_eq!(page["next"], Value::Null);
}

#[tokio::test]
async fn the_same_batch_again_is_all_duplicates() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=3)).await;
    let again = server.must_post(&key, &batch("VM001", 1, 2..=5)).await;
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(2), &json!(2))
    );
    let other_epoch = server.must_post(&key, &batch("VM001", 2, 1..=3)).await;
    assert_eq!(other_epoch["accepted"], 3);
    assert_eq!(server.get("/api/info").await["total_entries"], 8);
}

#[tokio::test]
async fn a_number_that_stands_twice_in_a_batch_is_stored_once() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let logs = [
        entry(1, "INFO", "first"),
        entry(1, "INFO", "second"),
        entry(2, "INFO", "third"),
    ];
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
    let answer = server.must_post(&key, &body).await;
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        messages(&server.get("/api/logs?order=asc").await),
        ["first", "third"]
    );
}

#[tokio::test]
async fn an_idempotency_key_recognises_a_batch_again() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut logs = [entry(1, "INFO", "a"), entry(2, "INFO", "b")];
    logs.iter_mut().for_each(|entry| entry["seq"] = Value::Null);
    let body = json!({ "machine_id": "VM001", "logs": logs }).to_string();
    let post = async |idempotency: Option<&str>| {
        let mut request = server.request(Method::POST, "/api/logs").bearer_auth(&key);
        if let Some(value) = idempotency {
            request = request.header("idempotency-key", value);
        }
        answer(request.body(body.clone()).send().await.unwrap())
            .await
            .1
    };
    assert_eq!(post(Some("one")).await["accepted"], 2);
    assert_eq!(post(Some("one")).await["duplicates"], 2);
    assert_eq!(post(Some("two")).await["accepted"], 2);
    assert_eq!(
        post(None).await["accepted"],
        2,
        "without any number it is simply stored"
    );
    assert_eq!(post(None).await["accepted"], 2);
    let page = server.get("/api/logs").await;
    let entries = page["entries"].as_array().unwrap();
    let unnumbered = entries
        .iter()
        .filter(|entry| entry["epoch"].is_null())
        .count();
    assert_eq!((entries.len(), unnumbered), (8, 4));
    assert_eq!(server.get("/api/info").await["total_entries"], 8);
}

#[tokio::test]
async fn bodies_may_be_packed() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let plain = |epoch| batch("VM001", epoch, 1..=50).to_string().into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&plain(1)).unwrap();
    let packed = [
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(plain(2).as_slice(), 3).unwrap()),
        ("identity", plain(3)),
    ];
    for (encoding, body) in packed {
        let request = server
            .request(Method::POST, "/api/logs")
            .bearer_auth(&key)
            .header("content-encoding", encoding);
        let (status, body) = answer(request.body(body).send().await.unwrap()).await;
        assert_eq!(
            (status, &body["accepted"]),
            (200, &json!(50)),
            "{encoding}: {body}"
        );
    }
}

#[tokio::test]
async fn card_numbers_are_taken_out_on_arrival() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut sent = entry(1, "INFO", "card 4111111111111111 was read");
    sent["context"] = json!({ "pan": "4111 1111 1111 1111", "deep": [{ "n": 4111111111111111_u64 }],
            "4111111111111111": { "4111-1111-1111-1111": 4111111111111111.0 } });
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": [sent] });
    server.must_post(&key, &body).await;
    let page = server.get("/api/logs").await.to_string();
    assert!(!page.contains("4111"), "{page}");
    assert!(page.contains("[card]"), "{page}");
}

#[tokio::test]
async fn a_renewed_key_and_the_one_before_are_good_a_third_ends_the_first() {
    let server = Server::start().await;
    let first = server.machine("VM001").await;
    let rotate = async || {
        let answer = server
            .as_admin("POST", "/api/machines/VM001/rotate-key", json!({}))
            .await;
        answer.1["api_key"].as_str().unwrap().to_owned()
    };
    let second = rotate().await;
    server.must_post(&first, &batch("VM001", 1, 1..=1)).await;
    server.must_post(&second, &batch("VM001", 1, 2..=2)).await;
    let third = rotate().await;
    assert_eq!(
        server.post_logs(&first, &batch("VM001", 1, 3..=3)).await.0,
        401
    );
    server.must_post(&second, &batch("VM001", 1, 3..=3)).await;
    server.must_post(&third, &batch("VM001", 1, 4..=4)).await;
}

#[tokio::test]
async fn a_removed_machine_is_refused_and_its_entries_stay() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=2)).await;
    let removed = server
        .as_admin("DELETE", "/api/machines/VM001", json!({}))
        .await;
    assert_eq!(removed.0, 204);
    assert_eq!(
        server.post_logs(&key, &batch("VM001", 1, 3..=3)).await.0,
        401
    );
    assert_eq!(
        server.get("/api/logs").await["entries"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(server.try_get("/api/machines/VM001/status").await.0, 404);
}

#[tokio::test]
async fn a_heartbeat_is_contact_and_is_shown() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let status = server.get("/api/machines/VM001/status").await;
    assert_eq!(
        (&status["status"], &status["state"]),
        (&json!("grey"), &json!("unknown"))
    );
    let beat = json!({ "machine_id": "VM001", "uptime_s": 77, "agent_version": "0.1.0",
                       "cpu_temperature_c": 48.5 });
    let request = server
        .request(Method::POST, "/api/heartbeat")
        .bearer_auth(&key);
    let (code, body) = answer(request.body(beat.to_string()).send().await.unwrap()).await;
    assert_eq!(code, 200, "{body}");
    assert!(body["server_time"].is_string());
    let status = server.get("/api/machines/VM001/status").await;
    assert_eq!(
        (&status["status"], &status["state"]),
        (&json!("green"), &json!("online"))
    );
    assert_eq!(
        (&status["uptime_s"], &status["agent_version"]),
        (&json!(77), &json!("0.1.0"))
    );
    assert_eq!(status["heartbeat"]["cpu_temperature_c"], 48.5);
    assert!(status["last_contact"]["wifi"].is_string(), "{status}");
}

#[tokio::test]
async fn an_empty_batch_is_taken() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": [] });
    let answer = server.must_post(&key, &body).await;
    assert_eq!(
        answer,
        json!({ "accepted": 0, "duplicates": 0, "rejected": [] })
    );
}
