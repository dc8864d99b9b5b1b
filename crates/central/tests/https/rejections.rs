//! What cannot be taken is refused with a code and words; the rest of the batch is stored.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, ago, answer, entry};

#[tokio::test]
async fn one_bad_entry_is_refused_alone_and_its_number_is_no_gap() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let with = |seq: u64, field: &str, value: Value| {
        let mut entry = entry(seq, "INFO", "m");
        entry[field] = value;
        entry
    };
    let logs = json!([
        entry(1, "INFO", "good"),
        with(2, "level", json!("LOUD")),
        with(3, "timestamp", json!("yesterday")),
        with(4, "message", json!("x".repeat(65 * 1024))),
        with(5, "component", json!("")),
        with(6, "context", json!("no object")),
        with(7, "clock", json!("tired")),
        with(8, "seq", Value::Null),
        5,
        entry(9, "INFO", "good too"),
    ]);
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
    let answer = server.must_post(&key, &body).await;
    assert_eq!(answer["accepted"], 2);
    let rejected: Vec<(u64, &str)> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["index"].as_u64().unwrap(),
                one["code"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (1, "unknown_level"),
        (2, "bad_timestamp"),
        (3, "too_large"),
        (4, "bad_field"),
        (5, "bad_field"),
        (6, "bad_field"),
        (7, "bad_field"),
        (8, "bad_field"),
    ];
    assert_eq!(rejected, expected);
    let words = answer["rejected"][0]["message"].as_str().unwrap();
    assert!(
        words.contains("DEBUG, INFO, WARN, ERROR or CRITICAL"),
        "{words}"
    );
    // A refused number is known: sent again as a good entry it is a duplicate, not a late arrival.
    let again = json!({ "machine_id": "VM001", "epoch": 1, "logs": [entry(2, "INFO", "late")] });
    assert_eq!(server.must_post(&key, &again).await["duplicates"], 1);
}

#[tokio::test]
async fn times_of_1970_and_of_next_year_are_taken_and_filed_by_arrival() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let next_year = ago(-365 * 24 * 3600);
    let at = |seq: u64, time: &str| {
        let mut entry = entry(seq, "INFO", "m");
        entry["timestamp"] = json!(time);
        entry
    };
    let logs = [at(1, "1970-01-01T00:00:09.000Z"), at(2, &next_year)];
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
    assert_eq!(server.must_post(&key, &body).await["accepted"], 2);
    let page = server.get("/api/logs?order=asc").await;
    for (place, time) in [(0, "1970-01-01T00:00:09.000Z"), (1, next_year.as_str())] {
        let stored = &page["entries"][place];
        assert_eq!(stored["timestamp"], time, "the event time is kept");
        assert_eq!(stored["filed_at"], stored["received_at"]);
    }
}

#[tokio::test]
async fn a_batch_as_a_whole_is_refused_with_the_reason() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let other = server.machine("VM002").await;
    let good = json!({ "machine_id": "VM001", "epoch": 1, "logs": [entry(1, "INFO", "m")] });
    let long_id = json!({ "machine_id": "VM000000001", "logs": [] });
    let text = good.to_string();
    for (name, key, body, status, code, words) in [
        (
            "wrong key",
            "vl_0000000000000000_guess",
            text.clone(),
            401,
            "unauthorized",
            "key",
        ),
        (
            "no key of ours",
            "guess",
            text.clone(),
            401,
            "unauthorized",
            "key",
        ),
        (
            "another's key",
            other.as_str(),
            text.clone(),
            403,
            "wrong_machine",
            "VM002",
        ),
        (
            "token",
            server.token.as_str(),
            text.clone(),
            403,
            "needs_machine_key",
            "machine",
        ),
        (
            "malformed",
            key.as_str(),
            "{\"machine".into(),
            400,
            "malformed_json",
            "batch",
        ),
        (
            "cut off",
            key.as_str(),
            text[..40].to_owned(),
            400,
            "malformed_json",
            "batch",
        ),
        (
            "no logs",
            key.as_str(),
            "{\"machine_id\":\"VM001\"}".into(),
            400,
            "malformed_json",
            "logs",
        ),
        (
            "11 characters",
            key.as_str(),
            long_id.to_string(),
            400,
            "bad_machine_id",
            "10",
        ),
    ] {
        let request = server.request(Method::POST, "/api/logs").bearer_auth(key);
        let (got, body) = answer(request.body(body).send().await.unwrap()).await;
        assert_eq!(
            (got, body["code"].as_str().unwrap()),
            (status, code),
            "{name}: {body}"
        );
        assert!(
            body["message"].as_str().unwrap().contains(words),
            "{name}: {body}"
        );
    }
    assert_eq!(
        server.get("/api/info").await["total_entries"],
        0,
        "nothing was stored"
    );
}

#[tokio::test]
async fn another_machines_key_is_told_which_machine_is_whose() {
    let server = Server::start().await;
    let key = server.machine("VM002").await;
    server.machine("VM001").await;
    let beat = json!({ "machine_id": "VM001" }).to_string();
    let request = server
        .request(Method::POST, "/api/heartbeat")
        .bearer_auth(&key);
    let (status, body) = answer(request.body(beat).send().await.unwrap()).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "wrong_machine")
    );
    let words = body["message"].as_str().unwrap();
    assert!(
        words.contains("VM002") && words.contains("VM001"),
        "{words}"
    );
}

#[tokio::test]
async fn a_machine_is_added_once_and_with_sense() {
    let server = Server::start().await;
    let add = async |body: Value| server.as_admin("POST", "/api/machines", body).await;
    let (status, added) = add(json!({ "machine_id": "VM001", "name": "Lobby" })).await;
    assert_eq!(status, 201);
    let code = added["pairing_code"].as_str().unwrap();
    assert!(code.starts_with("VLP1-"));
    let toml = added["agent_toml"].as_str().unwrap();
    assert!(toml.contains(server.running.url().unwrap()), "{toml}");
    assert!(toml.contains(server.running.pin().unwrap()), "{toml}");
    assert!(
        !toml.contains(added["api_key"].as_str().unwrap()),
        "the key has its own file"
    );
    for (body, status, code) in [
        (json!({ "machine_id": "VM001" }), 409, "machine_exists"),
        (json!({ "machine_id": "VM 01" }), 400, "bad_machine_id"),
        (
            json!({ "machine_id": "VM000000001" }),
            400,
            "bad_machine_id",
        ),
        (json!({ "machine_id": "VM3", "nmae": "x" }), 400, "bad_json"),
        (
            json!({ "machine_id": "VM3", "name": "x".repeat(201) }),
            400,
            "bad_field",
        ),
        (
            json!({ "machine_id": "VM3", "timezone": "Mars/Base" }),
            400,
            "bad_field",
        ),
        (json!({}), 400, "bad_json"),
    ] {
        let (got, answer) = add(body.clone()).await;
        assert_eq!(
            (got, answer["code"].as_str().unwrap()),
            (status, code),
            "{body}: {answer}"
        );
    }
}
