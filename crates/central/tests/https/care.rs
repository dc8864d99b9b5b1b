//! Remote care over real HTTPS: what a heartbeat's answer asks for, and what machines report.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, answer, batch};

const TOML: &str = "machine_id = \"VM001\"\n[wifi]\nurl = \"https://ops-pc:4433\"\n";

async fn beat(server: &Server, key: &str, more: Value) -> Value {
    let mut body = json!({ "machine_id": "VM001" });
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let request = server.request(Method::POST, "/api/heartbeat");
    let sent = request.bearer_auth(key).body(body.to_string());
    let (status, body) = answer(sent.send().await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn post_status(server: &Server, key: &str, seq: u64) -> u16 {
    server.post_logs(key, &batch("VM001", 1, seq..=seq)).await.0
}

#[tokio::test]
async fn a_key_goes_out_with_the_heartbeat_until_it_is_used() {
    let server = Server::start().await;
    let old = server.machine("VM001").await;
    assert!(beat(&server, &old, json!({})).await["new_key"].is_null());
    let path = "/api/machines/VM001/rotate-key";
    let (status, asked) = server
        .as_admin("POST", path, json!({ "by": "heartbeat" }))
        .await;
    assert_eq!(status, 202);
    assert!(asked["api_key"].is_null(), "nobody is shown it");
    let mut offered = Vec::new();
    for _ in 0..3 {
        let answer = beat(&server, &old, json!({})).await;
        offered.push(answer["new_key"].as_str().unwrap().to_owned());
    }
    for void in &offered[..2] {
        assert_eq!(post_status(&server, void, 1).await, 401);
    }
    assert_eq!(post_status(&server, &old, 1).await, 200);
    let new = &offered[2];
    assert!(beat(&server, new, json!({})).await["new_key"].is_null());
    assert_eq!(post_status(&server, &old, 2).await, 200, "the overlap");
    assert_eq!(post_status(&server, new, 3).await, 200);
    let (status, _) = server
        .as_admin("POST", path, json!({ "by": "pigeon" }))
        .await;
    assert_eq!(status, 400);
    let (status, shown) = server.as_admin("POST", path, Value::Null).await;
    assert!(status == 400 || shown["api_key"].is_string());
    let (_, shown) = server.as_admin("POST", path, json!({})).await;
    assert!(shown["api_key"].as_str().unwrap().starts_with("vl_"));
}

#[tokio::test]
async fn a_configuration_goes_out_until_the_machine_speaks_of_it() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let path = "/api/machines/VM001/agent-config";
    let set = || server.as_admin("PUT", path, json!({ "toml": TOML }));
    let (status, view) = set().await;
    assert_eq!(status, 200, "{view}");
    let version = view["desired"]["version"].clone();
    assert_eq!(set().await.1["desired"]["version"], version, "the same");
    for _ in 0..2 {
        let answer = beat(&server, &key, json!({})).await;
        assert_eq!(
            answer["config"],
            json!({ "version": version, "toml": TOML })
        );
    }
    let report = json!({ "version": version, "state": "active" });
    let answer = beat(&server, &key, json!({ "config": report })).await;
    assert!(answer["config"].is_null());
    let view = server.get(path).await;
    assert_eq!(view["reported"], report);
    assert!(view["reported_at"].is_string());

    let report = json!({ "version": version, "state": "rolled_back", "error": "why" });
    beat(&server, &key, json!({ "config": report })).await;
    assert_eq!(server.get(path).await["reported"], report);
    let again = set().await.1["desired"]["version"].clone();
    assert_ne!(again, version, "another try");

    let (status, view) = server.as_admin("DELETE", path, json!({})).await;
    assert_eq!((status, &view["desired"]), (200, &Value::Null));
    let answer = beat(&server, &key, json!({ "config": report })).await;
    assert_eq!(answer["config"], json!({ "version": "", "toml": "" }));
    assert!(beat(&server, &key, json!({})).await["config"].is_null());
    let bad = json!({ "toml": "machine_id = \"VM002\"" });
    let (status, refused) = server.as_admin("PUT", path, bad).await;
    assert_eq!((status, &refused["code"]), (400, &json!("bad_config")));
}

#[tokio::test]
async fn a_request_to_send_again_goes_out_until_the_machine_reports() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let path = "/api/machines/VM001/resend";
    let ask = |from: u64, to: u64| {
        let body = json!({ "epoch": 7, "from": from, "to": to });
        server.as_admin("POST", path, body)
    };
    for (from, to) in [(0, 5), (9, 8), (1, 10_001), (1, u64::MAX)] {
        assert_eq!(ask(from, to).await.0, 400, "{from}..{to}");
    }
    let (status, first) = ask(1, 10_000).await;
    assert_eq!((status, &first["done_at"]), (202, &Value::Null));
    for n in 2..=20 {
        assert_eq!(ask(n, n).await.0, 202);
    }
    assert_eq!(ask(50, 51).await.1["code"], "too_many_waiting");
    let asked = beat(&server, &key, json!({})).await["resend"].clone();
    assert_eq!(asked.as_array().unwrap().len(), 4, "a few at a time");
    let id = first["id"].clone();
    let wanted = json!({ "id": id, "epoch": 7, "from": 1, "to": 10_000 });
    assert_eq!(asked[0], wanted);
    let report = json!([{ "id": id, "found": 9_990, "missing": 10 }]);
    let answer = beat(&server, &key, json!({ "resent": report })).await;
    assert_ne!(answer["resend"][0]["id"], id);
    let list = server.get(path).await;
    let done = &list["resends"][0];
    assert_eq!(
        (&done["found"], &done["missing"]),
        (&json!(9_990), &json!(10))
    );
    assert!(done["done_at"].is_string());
}

#[tokio::test]
async fn what_is_said_of_a_machine_is_changed_part_by_part() {
    let server = Server::start().await;
    server.machine("VM001").await;
    let path = "/api/machines/VM001";
    let change = async |body: Value| server.as_admin("PATCH", path, body).await;
    let hours = "Mo-Fr 08:00-20:00; Sa 09:00-14:00";
    let (status, changed) = change(json!({ "opening_hours": hours, "owner": "ann" })).await;
    assert_eq!(status, 200, "{changed}");
    let (_, changed) = change(json!({ "site": "Main Street" })).await;
    let told = (
        &changed["opening_hours"],
        &changed["owner"],
        &changed["site"],
    );
    let expected = (&json!(hours), &json!("ann"), &json!("Main Street"));
    assert_eq!(told, expected, "what is absent stays");
    for (wrong, word) in [
        (
            json!({ "opening_hours": "when the sun shines" }),
            "is no hours",
        ),
        (json!({ "timezone": "Mars/Base" }), "timezone"),
        (json!({ "name": "x".repeat(201) }), "name"),
        (json!({ "machine_id": "VM002" }), "machine_id"),
    ] {
        let (status, answer) = change(wrong).await;
        let words = answer["message"].as_str().unwrap();
        assert!(
            matches!(status, 400 | 422) && words.contains(word),
            "{answer}"
        );
    }
    let (status, _) = server
        .as_admin("PATCH", "/api/machines/VM009", json!({}))
        .await;
    assert_eq!(status, 404);
}
