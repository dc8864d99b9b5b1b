//! The description names every route; none but the open ones answers without a credential, and each
//! answers every kind of caller as its group says.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, answer};

/// Every route: method, path, who may (open, machine, source, reader, responder, manager,
/// admin).
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/api/alerts", "reader"),
    ("GET", "/api/alerts/channels", "reader"),
    ("POST", "/api/alerts/channels", "manager"),
    ("POST", "/api/alerts/channels/preview", "manager"),
    ("POST", "/api/alerts/channels/test", "manager"),
    ("DELETE", "/api/alerts/channels/{id}", "manager"),
    ("PUT", "/api/alerts/channels/{id}", "manager"),
    ("GET", "/api/alerts/watch", "reader"),
    ("PUT", "/api/alerts/watch", "manager"),
    ("GET", "/api/alerts/config", "reader"),
    ("POST", "/api/alerts/configure", "manager"),
    ("GET", "/api/alerts/deliveries", "reader"),
    ("GET", "/api/alerts/rules", "reader"),
    ("POST", "/api/alerts/rules", "manager"),
    ("POST", "/api/alerts/rules/try", "manager"),
    ("DELETE", "/api/alerts/rules/{id}", "manager"),
    ("PUT", "/api/alerts/rules/{id}", "manager"),
    ("GET", "/api/alerts/{id}", "reader"),
    ("POST", "/api/alerts/{id}/acknowledge", "responder"),
    ("POST", "/api/alerts/{id}/note", "responder"),
    ("POST", "/api/alerts/{id}/resolve", "responder"),
    ("POST", "/api/alerts/{id}/silence", "responder"),
    ("POST", "/api/alerts/{id}/unacknowledge", "responder"),
    ("GET", "/api/data-plan", "reader"),
    ("PUT", "/api/data-plan", "manager"),
    ("GET", "/api/dictionaries", "reader"),
    ("POST", "/api/dictionaries", "manager"),
    ("POST", "/api/dictionaries/train", "manager"),
    ("GET", "/api/dictionaries/{id}", "reader"),
    ("POST", "/api/dictionaries/{id}/use", "manager"),
    ("GET", "/api/drops", "reader"),
    ("POST", "/api/drops/{name}", "source"),
    ("POST", "/api/heartbeat", "machine"),
    ("GET", "/api/info", "reader"),
    ("GET", "/api/live", "reader"),
    ("GET", "/api/logs", "reader"),
    ("POST", "/api/logs", "machine"),
    ("GET", "/api/logs/components", "reader"),
    ("GET", "/api/logs/context", "reader"),
    ("GET", "/api/logs/export", "reader"),
    ("GET", "/api/logs/histogram", "reader"),
    ("GET", "/api/machines", "reader"),
    ("POST", "/api/machines", "manager"),
    ("DELETE", "/api/machines/{id}", "manager"),
    ("PATCH", "/api/machines/{id}", "manager"),
    ("DELETE", "/api/machines/{id}/agent-config", "manager"),
    ("GET", "/api/machines/{id}/agent-config", "manager"),
    ("GET", "/api/machines/{id}/cell", "reader"),
    ("DELETE", "/api/machines/{id}/data-plan", "manager"),
    ("PUT", "/api/machines/{id}/data-plan", "manager"),
    ("PUT", "/api/machines/{id}/agent-config", "manager"),
    ("POST", "/api/machines/{id}/pairing-code", "manager"),
    ("GET", "/api/machines/{id}/resend", "manager"),
    ("POST", "/api/machines/{id}/resend", "manager"),
    ("POST", "/api/machines/{id}/rotate-key", "manager"),
    ("GET", "/api/machines/{id}/status", "reader"),
    ("GET", "/api/openapi.json", "reader"),
    ("GET", "/api/maintenance", "reader"),
    ("POST", "/api/maintenance", "responder"),
    ("DELETE", "/api/maintenance/{id}", "responder"),
    ("POST", "/api/pair", "open"),
    ("GET", "/api/quarantine", "reader"),
    ("GET", "/api/quarantine/{id}", "reader"),
    ("POST", "/api/quarantine/{id}/discard", "manager"),
    ("POST", "/api/quarantine/{id}/restore", "manager"),
    ("POST", "/api/quarantine/{id}/retry", "manager"),
    ("DELETE", "/api/session", "reader"),
    ("GET", "/api/session", "reader"),
    ("POST", "/api/signin-links", "admin"),
    ("GET", "/api/sources", "reader"),
    ("POST", "/api/sources", "manager"),
    ("POST", "/api/sources/test", "manager"),
    ("DELETE", "/api/sources/{id}", "manager"),
    ("PUT", "/api/sources/{id}", "manager"),
    ("POST", "/api/sources/{id}/poll", "manager"),
    ("POST", "/api/tokens", "manager"),
    ("GET", "/healthz", "open"),
    ("GET", "/readyz", "reader"),
    ("GET", "/signin/{secret}", "open"),
];

#[test]
fn the_description_lists_exactly_these_routes() {
    let description = serde_json::to_value(central::description()).unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            found.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut listed: Vec<(String, String)> = ROUTES
        .iter()
        .map(|(method, path, _)| (method.to_string(), path.to_string()))
        .collect();
    found.sort();
    listed.sort();
    assert_eq!(
        found, listed,
        "a new route needs a line in the table: who may call it"
    );
}

async fn status(server: &Server, method: &str, path: &str, key: Option<&str>) -> u16 {
    let path = path
        .replace("{id}", "VM009")
        .replace("{secret}", "guess")
        .replace("{name}", "x.txt");
    let mut request = server.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    request.body("{}").send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn every_route_answers_401_without_a_valid_credential() {
    let server = Server::start().await;
    let guessed = "vt_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (method, path, who) in ROUTES {
        for key in [None, Some(guessed), Some("vl_x_y"), Some("")] {
            let got = status(&server, method, path, key).await;
            match (*who, *path) {
                ("open", "/healthz") => assert_eq!(got, 200),
                // Open, but nothing comes out without a pairing code's secret.
                ("open", "/api/pair") => assert_eq!(got, 400),
                _ => assert_eq!(got, 401, "{method} {path} with {key:?}"),
            }
        }
    }
    for path in ["/api/nothing", "/assets/x.js", "/metrics"] {
        assert_eq!(status(&server, "GET", path, None).await, 401, "{path}");
    }
    let response = server
        .request(Method::GET, "/api/logs")
        .send()
        .await
        .unwrap();
    assert!(
        response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    let (_, body) = answer(response).await;
    assert_eq!(body["code"], "unauthorized");
}

#[tokio::test]
async fn every_route_and_every_role() {
    let server = Server::start().await;
    let callers = [
        ("machine", server.machine("VM001").await),
        ("manager", server.token_with("manager").await),
        ("technician", server.token_with("technician").await),
        ("owner", server.token_with("owner").await),
        ("source", server.token_with("source").await),
    ];
    for (method, path, who) in ROUTES {
        for (role, key) in &callers {
            let allowed = match (*who, *role) {
                ("open", _) => continue,
                ("machine", role) => role == "machine",
                ("source", role) => ["source", "manager"].contains(&role),
                ("reader" | "responder", role) => !["machine", "source"].contains(&role),
                ("manager", role) => role == "manager",
                _ => false,
            };
            let got = status(&server, method, path, Some(key)).await;
            assert_eq!(got != 403, allowed, "{method} {path} as {role}: {got}");
            assert_ne!(got, 401, "{method} {path} as {role}");
        }
    }
}

#[tokio::test]
async fn the_description_is_served() {
    let server = Server::start().await;
    let served = server.get("/api/openapi.json").await;
    assert_eq!(
        served,
        serde_json::to_value(central::description()).unwrap()
    );
    assert_eq!(served["openapi"], json!("3.1.0"));
    let ready = server.get("/readyz").await;
    assert_eq!(
        ready,
        json!({ "status": "ready", "store": "ok", "disk": "ok", "sources": "ok" })
    );
    let (status, body) = {
        let request = server
            .request(Method::PUT, "/api/logs")
            .bearer_auth(&server.token);
        answer(request.send().await.unwrap()).await
    };
    assert_eq!((status, &body["code"]), (405, &Value::from("wrong_method")));
}
