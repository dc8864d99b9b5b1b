//! Alerts from what a machine sends to what people do with them.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Server, ago, entry};

/// Sends a CRITICAL with this number.
async fn post_critical(server: &Server, key: &str, machine: &str, seq: u64) {
    let jam = json!({ "seq": seq, "timestamp": ago(30), "level": "CRITICAL",
        "component": "motor", "message": "Motor jam on product 2" });
    let batch = json!({ "machine_id": machine, "epoch": 1, "logs": [jam] });
    server.must_post(key, &batch).await;
}

async fn firing(server: &Server) -> Vec<Value> {
    let found = server.get("/api/alerts?phase=firing").await;
    found["alerts"].as_array().unwrap().clone()
}

/// Polls until it holds.
async fn until(server: &Server, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let found = server.get(path).await;
        if holds(&found) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never became so: {}", server.get(path).await);
}

#[tokio::test]
async fn a_critical_is_listed_taken_by_a_technician_and_kept_over_a_restart() {
    let server = Server::start().await;
    let body = json!({ "machine_id": "VM001", "name": "Lobby", "site": "North Mall" });
    let key = server.as_admin("POST", "/api/machines", body).await.1["api_key"].clone();
    let key = key.as_str().unwrap();
    let mut live = server.running.events();
    post_critical(&server, key, "VM001", 1).await;
    let alert = firing(&server).await.pop().unwrap();
    assert_eq!(
        (&alert["alert_type"], &alert["machine_id"], &alert["status"]),
        (
            &json!("Hardware Failure"),
            &json!("VM001"),
            &json!("pending")
        )
    );
    let machine = json!([{ "id": "VM001", "name": "Lobby", "site": "North Mall" }]);
    assert_eq!(alert["machines"], machine);
    let told = loop {
        let message = live.next().await.unwrap();
        if message.event == "alert" {
            break serde_json::from_str::<Value>(&message.data).unwrap();
        }
    };
    assert_eq!(
        told,
        json!({ "alert_id": 1, "phase": "firing", "severity": "critical",
            "machine_id": "VM001", "alert_type": "Hardware Failure" })
    );
    let red = server.get("/api/machines/VM001/status").await;
    assert_eq!(
        (&red["status"], &red["state"]),
        (&json!("red"), &json!("error"))
    );
    assert!(
        red["reason"]
            .as_str()
            .unwrap()
            .ends_with("Nobody has acknowledged it."),
        "{red}"
    );

    let technician = server.token_with("technician").await;
    let note = json!({ "note": "on my way" });
    let (status, taken) = server
        .call("POST", "/api/alerts/1/acknowledge", &technician, note)
        .await;
    assert_eq!(status, 200, "{taken}");
    assert_eq!(
        (
            &taken["phase"],
            &taken["acknowledged_by"],
            &taken["acknowledged_note"]
        ),
        (&json!("acknowledged"), &json!("test"), &json!("on my way"))
    );
    let yellow = server.get("/api/machines/VM001/status").await;
    assert_eq!(yellow["status"], "yellow");
    assert!(
        yellow["reason"]
            .as_str()
            .unwrap()
            .ends_with("Acknowledged by test.")
    );
    assert_eq!(
        yellow["alerts"],
        json!({ "firing": 0, "acknowledged": 1, "acknowledged_by": ["test"] })
    );

    let server = server.restarted().await;
    let kept = server.get("/api/alerts/1").await;
    assert_eq!(kept["alert"]["acknowledged_note"], "on my way");
    let what: Vec<&str> = kept["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["what"].as_str().unwrap())
        .collect();
    assert_eq!((what[0], what[what.len() - 1]), ("began", "acknowledged"));
    assert_eq!(server.get("/api/alerts").await["counts"]["acknowledged"], 1);
}

#[tokio::test]
async fn what_people_do_is_refused_in_words_where_it_cannot_be_done() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    post_critical(&server, &key, "VM001", 1).await;
    let token = &server.token;
    let in_31_days = json!({ "for_s": 31 * 86_400 });
    for (path, body, status, code) in [
        ("/api/alerts/9/acknowledge", json!({}), 404, "no_such_alert"),
        ("/api/alerts/x/acknowledge", json!({}), 404, "no_such_alert"),
        ("/api/alerts/1/silence", in_31_days, 422, "silence_too_long"),
        ("/api/alerts/1/silence", json!({}), 400, "bad_field"),
        ("/api/alerts/1/note", json!({}), 400, "bad_field"),
        (
            "/api/alerts/1/note",
            json!({ "who": "Eve" }),
            400,
            "bad_json",
        ),
    ] {
        let (got, answer) = server.call("POST", path, token, body).await;
        assert_eq!(
            (got, &answer["code"]),
            (status, &json!(code)),
            "{path}: {answer}"
        );
    }
    let silence = json!({ "for_s": 3_600 });
    let (_, quiet) = server
        .call("POST", "/api/alerts/1/silence", token, silence)
        .await;
    assert!(quiet["silenced_until"].is_string(), "{quiet}");
    let (_, loud) = server
        .call(
            "POST",
            "/api/alerts/1/silence",
            token,
            json!({ "for_s": 0 }),
        )
        .await;
    assert_eq!(loud["silenced_until"], Value::Null);
    let (_, back) = server
        .call("POST", "/api/alerts/1/acknowledge", token, json!({}))
        .await;
    assert_eq!(back["phase"], "acknowledged");
    let (_, back) = server
        .call("POST", "/api/alerts/1/unacknowledge", token, json!({}))
        .await;
    assert_eq!(
        (&back["phase"], &back["acknowledged_by"]),
        (&json!("firing"), &Value::Null)
    );
    let visit = json!({ "note": "new motor", "visit": true });
    let (_, over) = server
        .call("POST", "/api/alerts/1/resolve", token, visit)
        .await;
    assert_eq!(
        (&over["phase"], &over["resolved_by"], &over["resolved_note"]),
        (&json!("resolved"), &json!("visit"), &json!("new motor"))
    );
    let (status, answer) = server
        .call("POST", "/api/alerts/1/acknowledge", token, json!({}))
        .await;
    assert_eq!((status, &answer["code"]), (409, &json!("alert_over")));
    let (status, _) = server.try_get("/api/alerts?phase=loud").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_list_is_read_in_pages_and_by_machine_and_rule() {
    let server = Server::start().await;
    for machine in ["VM_1", "VM01", "VM_2"] {
        let key = server.machine(machine).await;
        post_critical(&server, &key, machine, 1).await;
    }
    let ids = |page: &Value| -> Vec<u64> {
        let alerts = page["alerts"].as_array().unwrap();
        alerts
            .iter()
            .map(|alert| alert["id"].as_u64().unwrap())
            .collect()
    };
    let first = server.get("/api/alerts?limit=2").await;
    assert_eq!((ids(&first), &first["next"]), (vec![3, 2], &json!(2)));
    let second = server.get("/api/alerts?limit=2&before=2").await;
    assert_eq!((ids(&second), &second["next"]), (vec![1], &Value::Null));
    assert_eq!(ids(&server.get("/api/alerts?machine=VM_1").await), [1]);
    assert_eq!(
        ids(&server.get("/api/alerts?rule=hardware-failure").await).len(),
        3
    );
    assert!(ids(&server.get("/api/alerts?phase=resolved").await).is_empty());
    assert_eq!(
        first["counts"],
        json!({ "waiting": 0, "firing": 3, "acknowledged": 0 })
    );
}

#[tokio::test]
async fn a_rule_that_waits_fires_by_time_alone_and_writes_to_its_people() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let config = json!({
        "rules": [{ "id": "jam", "name": "Jam", "severity": "warning", "for_s": 2,
            "when": { "kind": "stays", "begins": { "text": "jam" }, "ends": { "text": "free" } },
            "tell": [{ "who": "person:ann", "by": ["email"] }] }],
        "people": [{ "id": "ann", "name": "Ann",
            "addresses": [{ "channel": "email", "to": "ann@example.com" }] }],
        "groups": [],
    });
    let (status, answer) = server
        .call("POST", "/api/alerts/configure", &server.token, config)
        .await;
    assert_eq!(status, 200, "{answer}");
    let batch = json!({ "machine_id": "VM001", "epoch": 1, "logs": [entry(1, "WARN", "Jam")] });
    server.must_post(&key, &batch).await;
    // Nothing more is sent: the watch alone makes it fire.
    let found = until(&server, "/api/alerts?phase=firing", |found| {
        found["alerts"][0]["alert_type"] == "Jam"
    })
    .await;
    assert_eq!(found["alerts"][0]["machine_id"], "VM001");
    let told = until(&server, "/api/alerts/deliveries", |found| {
        found["deliveries"][0]["person"] == "ann"
    })
    .await;
    let message = &told["deliveries"][0];
    assert_eq!(
        (
            &message["channel"],
            &message["to"],
            &message["why"],
            &message["issue"]
        ),
        (
            &json!("email"),
            &json!("ann@example.com"),
            &json!("first"),
            &json!("Jam")
        )
    );
    assert_eq!(message["machines"], json!(["VM001"]));
}

#[tokio::test]
async fn maintenance_is_begun_by_a_technician_and_ended() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let technician = server.token_with("technician").await;
    for (body, status) in [
        (json!({ "machines": [], "for_s": 60 }), 400),
        (json!({ "machines": ["VM001"], "for_s": 0 }), 400),
        (json!({ "machines": ["VM009"], "for_s": 60 }), 404),
        (
            json!({ "machines": ["VM001"], "for_s": 60, "by": "Eve" }),
            400,
        ),
    ] {
        let (got, answer) = server
            .call("POST", "/api/maintenance", &technician, body)
            .await;
        assert_eq!(got, status, "{answer}");
    }
    let work = json!({ "machines": ["VM001"], "for_s": 3_600, "note": "new motor" });
    let (status, begun) = server
        .call("POST", "/api/maintenance", &technician, work)
        .await;
    assert_eq!((status, &begun["by"]), (201, &json!("test")), "{begun}");
    post_critical(&server, &key, "VM001", 1).await;
    assert_eq!(firing(&server).await[0]["in_maintenance"], true);
    let listed = server.get("/api/maintenance").await;
    assert_eq!(listed["maintenance"][0]["note"], "new motor");
    let path = format!("/api/maintenance/{}", begun["id"].as_str().unwrap());
    let (status, _) = server.call("DELETE", &path, &technician, json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(
        server.get("/api/maintenance").await["maintenance"],
        json!([])
    );
    assert_eq!(firing(&server).await[0]["in_maintenance"], false);
    let (status, _) = server.call("DELETE", &path, &technician, json!({})).await;
    assert_eq!(status, 404, "it is over");
}
