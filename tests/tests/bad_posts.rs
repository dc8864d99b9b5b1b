//! What may be posted to `/api/logs` and what may not, over real HTTPS: the right status, the right
//! code, the good entries of a batch stored and nothing half-written.

use serde_json::{Value, json};
use tests::{Api, Server};

struct Site {
    machine: Api,
    reader: Api,
    other: Api,
    _server: Server,
    _dir: tempfile::TempDir,
}

fn site() -> Site {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path());
    Site {
        machine: server.api_as(&server.add_machine("VM001")),
        other: server.api_as(&server.add_machine("VM002")),
        reader: server.api(),
        _server: server,
        _dir: dir,
    }
}

fn entry(seq: u64) -> Value {
    json!({"seq": seq, "timestamp": "2026-01-22T14:30:15.123Z", "level": "INFO",
           "component": "app", "message": format!("entry {seq}")})
}

fn batch(logs: &[Value]) -> String {
    json!({"machine_id": "VM001", "epoch": 7, "logs": logs}).to_string()
}

fn assert_refused(answer: &tests::api::Answer, status: u16) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    for key in ["code", "message"] {
        assert!(
            body[key].as_str().is_some_and(|text| !text.is_empty()),
            "{key}: {body}"
        );
    }
}

#[test]
fn a_wrong_key_and_another_machines_key_are_refused() {
    let site = site();
    let nobody = site._server.api_as("vl_0123456789_wrong");
    assert_refused(&nobody.post("/api/logs", batch(&[entry(1)])), 401);
    assert_refused(&site.other.post("/api/logs", batch(&[entry(1)])), 403);
    assert_refused(&nobody.get("/api/logs"), 401);
    assert_eq!(site.reader.total(), Some(0));
}

#[test]
fn what_is_no_batch_is_refused_whole() {
    let site = site();
    let long_id = json!({"machine_id": "VM000000001", "logs": [entry(1)]}).to_string();
    for body in [
        r#"{"machine_id": "VM001", "logs": [{"#,
        "[]",
        r#"{"logs": []}"#,
        &long_id,
        "\0",
    ] {
        let answer = site.machine.post("/api/logs", body);
        assert!(
            matches!(answer.status, 400 | 403 | 422),
            "{body}: {answer:?}"
        );
        assert_refused(&answer, answer.status);
    }
    assert_eq!(site.reader.total(), Some(0));
}

#[test]
fn bad_entries_are_rejected_alone_and_the_good_ones_stored() {
    let site = site();
    let with = |seq, key: &str, value: Value| {
        let mut entry = entry(seq);
        entry[key] = value;
        entry
    };
    let logs = [
        entry(1),
        with(2, "level", json!("LOUD")),
        with(3, "timestamp", json!("yesterday")),
        with(4, "message", json!("x".repeat(65 * 1024))),
        with(5, "component", json!("")),
        entry(6),
    ];
    let answer = site.machine.post("/api/logs", batch(&logs));
    let body = answer.json();
    assert_eq!(
        (answer.status, &body["accepted"]),
        (200, &json!(2)),
        "{body}"
    );
    let rejected = body["rejected"].as_array().expect("rejected");
    let codes: Vec<(u64, &str)> = rejected
        .iter()
        .map(|one| {
            (
                one["index"].as_u64().expect("index"),
                one["code"].as_str().expect("code"),
            )
        })
        .collect();
    let wanted = [
        (1, "unknown_level"),
        (2, "bad_timestamp"),
        (3, "too_large"),
        (4, "bad_field"),
    ];
    assert_eq!(codes, wanted);

    let again = site.machine.post("/api/logs", batch(&logs)).json();
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    assert_eq!(site.reader.entries("").len(), 2);
}

#[test]
fn times_far_away_are_taken_and_filed_by_arrival() {
    let site = site();
    let next_year = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(365 * 24);
    let mut logs = [entry(1), entry(2)];
    logs[0]["timestamp"] = json!("1970-01-01T00:00:00Z");
    logs[1]["timestamp"] = json!(next_year.to_string());
    let body = site.machine.post("/api/logs", batch(&logs)).json();
    assert_eq!(body["accepted"], 2, "{body}");
    for entry in site.reader.entries("") {
        assert_eq!(entry["filed_at"], entry["received_at"], "{entry}");
        assert_ne!(
            entry["timestamp"], entry["filed_at"],
            "the event time is kept: {entry}"
        );
    }
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let site = site();
    let huge = format!(
        "{{\"machine_id\":\"VM001\",\"logs\":[\"{}\"]}}",
        "x".repeat(64 << 20)
    );
    // A server may also hang up before the whole body was sent.
    if let Some(answer) = site.machine.try_post("/api/logs", huge) {
        assert_eq!(answer.status, 413, "{answer:?}");
    }
    assert_eq!(site.reader.total(), Some(0), "and the server goes on");
}
