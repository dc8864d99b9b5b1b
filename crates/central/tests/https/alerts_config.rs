//! The configuration of alerts, its rules, and a rule tried before it is saved.

use serde_json::{Value, json};

use super::support::{Server, ago, entry};

async fn configure(server: &Server, document: Value) -> (u16, Value) {
    server
        .call("POST", "/api/alerts/configure", &server.token, document)
        .await
}

#[tokio::test]
async fn a_new_server_has_the_ready_rules_and_takes_its_own_document_back() {
    let server = Server::start().await;
    let document = server.get("/api/alerts/config").await;
    let names: Vec<&str> = document["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    for name in [
        "Hardware Failure",
        "Payment System Down",
        "Machine Offline",
        "Low Inventory",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let (status, answer) = configure(&server, document.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer, document);
    let server = server.restarted().await;
    assert_eq!(server.get("/api/alerts/config").await, document);
}

#[tokio::test]
async fn of_a_wrong_document_all_is_said_and_nothing_is_changed() {
    let server = Server::start().await;
    let before = server.get("/api/alerts/config").await;
    let (status, answer) = configure(
        &server,
        json!({
            "rules": [
                { "id": "a", "name": "A", "severity": "loud",
                  "when": { "kind": "gap" } },
                { "id": "b", "name": "B", "severity": "info",
                  "when": { "kind": "entries", "filter": { "pattern": "(" } },
                  "tell": [{ "who": "person:nobody", "by": ["email"] }] },
            ],
            "people": [{ "id": "p", "name": "P", "timezone": "Mars/Base" }],
            "maintenance": [{ "id": "m", "from": "yesterday", "until": "2026-01-22T14:30:15Z" }],
            "group_at": "many",
            "rulez": [],
        }),
    )
    .await;
    assert_eq!(
        (status, &answer["code"]),
        (422, &json!("bad_alerts")),
        "{answer}"
    );
    let mut places: Vec<&str> = answer["wrong"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wrong| wrong["place"].as_str().unwrap())
        .collect();
    places.sort_unstable();
    places.dedup();
    for place in [
        "group_at",
        "maintenance[0]",
        "people[0] \"P\"",
        "rules[0] \"A\"",
        "rulez",
    ] {
        assert!(places.contains(&place), "{place} is not among {places:?}");
    }
    let words = answer["message"].as_str().unwrap();
    for part in ["loud", "the pattern", "person:nobody", "Mars/Base"] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    assert_eq!(server.get("/api/alerts/config").await, before);
    let (status, _) = configure(&server, json!([])).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn parts_that_are_left_out_stay_and_times_are_read_as_people_write_them() {
    let server = Server::start().await;
    let work = json!([{ "id": "m", "machines": ["VM001"], "by": "Ann", "note": "",
        "from": "2026-01-22T14:30:15.000Z", "until": "2026-01-22T15:30:15.000Z" }]);
    let (status, answer) = configure(&server, json!({ "maintenance": work, "group_at": 7 })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["maintenance"], &answer["group_at"]),
        (&work, &json!(7))
    );
    assert!(!answer["rules"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn rules_are_added_changed_removed_and_put_back() {
    let server = Server::start().await;
    let rule = json!({ "name": "Door open!", "severity": "info",
        "when": { "kind": "entries", "filter": { "text": "door" } } });
    let token = &server.token;
    let add = async |rule: &Value| {
        server
            .call("POST", "/api/alerts/rules", token, rule.clone())
            .await
    };
    let (status, added) = add(&rule).await;
    assert_eq!(
        (status, &added["id"]),
        (201, &json!("door-open")),
        "{added}"
    );
    assert_eq!(add(&rule).await.1["id"], "door-open-2");
    let (status, answer) = add(&added).await;
    assert_eq!(
        (status, &answer["code"]),
        (422, &json!("bad_alerts")),
        "the id is taken"
    );
    let path = "/api/alerts/rules/door-open";
    let mut grave = rule.clone();
    grave["severity"] = json!("critical");
    let (status, changed) = server.call("PUT", path, token, grave.clone()).await;
    assert_eq!((status, &changed["severity"]), (200, &json!("critical")));
    grave["id"] = json!("other");
    assert_eq!(server.call("PUT", path, token, grave).await.0, 422);
    let (status, removed) = server.call("DELETE", path, token, json!({})).await;
    assert_eq!((status, &removed), (200, &changed));
    assert_eq!(server.call("DELETE", path, token, json!({})).await.0, 404);
    assert_eq!(server.call("PUT", path, token, rule).await.0, 404);
    assert_eq!(add(&removed).await.0, 201);
    let rules = server.get("/api/alerts/rules").await;
    let last = rules["rules"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last, removed);
}

#[tokio::test]
async fn two_changes_at_once_are_both_kept() {
    let server = Server::start().await;
    let add = |name: String| {
        let rule = json!({ "name": name, "severity": "info",
            "when": { "kind": "gap", "missing": 5 } });
        server.call("POST", "/api/alerts/rules", &server.token, rule)
    };
    let before = server.get("/api/alerts/rules").await["rules"]
        .as_array()
        .unwrap()
        .len();
    let adding = (0..8).map(|n| add(format!("Rule {n}")));
    for (status, answer) in futures_util::future::join_all(adding).await {
        assert_eq!(status, 201, "{answer}");
    }
    let after = server.get("/api/alerts/rules").await["rules"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(after, before + 8);
}

#[tokio::test]
async fn a_rule_is_tried_on_what_is_stored() {
    let server = Server::start().await;
    for machine in ["VM001", "VM002"] {
        let key = server.machine(machine).await;
        let mut logs: Vec<Value> = (1..=6)
            .map(|seq| entry(seq, "ERROR", "Card reader did not answer"))
            .collect();
        // An hour ago: what comes late is history.
        logs.push(json!({ "seq": 7, "timestamp": ago(7_200), "level": "ERROR",
            "component": "payment", "message": "Card reader did not answer" }));
        logs.push(entry(8, "INFO", "Sale"));
        let logs = if machine == "VM002" {
            &logs[..2]
        } else {
            &logs[..]
        };
        let batch = json!({ "machine_id": machine, "epoch": 1, "logs": logs });
        server.must_post(&key, &batch).await;
    }
    let attempt = async |rule: Value, days: u16| {
        let body = json!({ "rule": rule, "days": days });
        server
            .call("POST", "/api/alerts/rules/try", &server.token, body)
            .await
    };
    let rule = json!({ "severity": "warning", "when": { "kind": "entries", "count": 5,
        "within_s": 600, "filter": { "level": "ERROR", "components": ["payment"] } } });
    let (status, tried) = attempt(rule.clone(), 30).await;
    assert_eq!(status, 200, "{tried}");
    assert_eq!(
        (&tried["fired"], &tried["entries"]),
        (&json!(1), &json!(9)),
        "{tried}"
    );
    assert_eq!(
        tried["machines"],
        json!([{ "machine_id": "VM001", "fired": 1 }])
    );
    assert_eq!(tried["shown"][0]["machine_id"], "VM001");
    assert_eq!(tried["cannot"], Value::Null);
    let mut elsewhere = rule.clone();
    elsewhere["scope"] = json!({ "sites": ["Nowhere"] });
    let (_, none) = attempt(elsewhere, 30).await;
    assert_eq!((&none["fired"], &none["entries"]), (&json!(0), &json!(0)));
    let silence = json!({ "severity": "warning",
        "when": { "kind": "silence", "wifi_s": 1_800 } });
    let (_, cannot) = attempt(silence, 30).await;
    assert!(
        cannot["cannot"]
            .as_str()
            .unwrap()
            .contains("cannot be tried"),
        "{cannot}"
    );
    assert_eq!(attempt(rule.clone(), 0).await.0, 400);
    let mut wrong = rule;
    wrong["when"]["filter"]["pattern"] = json!("(");
    assert_eq!(attempt(wrong, 1).await.0, 422);
    // Nothing was changed by all of it.
    let names = server.get("/api/alerts/rules").await;
    assert!(!names.to_string().contains("Tried rule"));
}
