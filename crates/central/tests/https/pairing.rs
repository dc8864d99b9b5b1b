//! Pairing over real HTTPS: once, again while the answer may be lost, never after the key was used.

use reqwest::Method;
use serde_json::{Value, json};
use wire::PairingCode;

use super::support::{Server, answer, batch};

async fn code(server: &Server, id: &str) -> PairingCode {
    let path = format!("/api/machines/{id}/pairing-code");
    let (status, made) = server.as_admin("POST", &path, json!({})).await;
    assert_eq!(status, 201, "{made}");
    made["pairing_code"].as_str().unwrap().parse().unwrap()
}

async fn pair(server: &Server, code: &PairingCode) -> (u16, Value) {
    let body = json!({ "secret": code.secret_text() });
    let request = server.request(Method::POST, "/api/pair");
    answer(request.body(body.to_string()).send().await.unwrap()).await
}

#[tokio::test]
async fn a_code_brings_a_machine_its_key_and_its_configuration() {
    let server = Server::start().await;
    let body = json!({ "machine_id": "VM001" });
    let (_, added) = server.as_admin("POST", "/api/machines", body).await;
    let code: PairingCode = added["pairing_code"].as_str().unwrap().parse().unwrap();
    assert_eq!(code.machine_id.as_str(), "VM001");
    assert_eq!(Some(code.url.as_str()), server.running.url());
    let (status, paired) = pair(&server, &code).await;
    assert_eq!((status, &paired["machine_id"]), (200, &json!("VM001")));
    assert!(paired["agent_toml"].as_str().unwrap().contains("VM001"));
    let key = paired["api_key"].as_str().unwrap();
    server.must_post(key, &batch("VM001", 1, 1..=3)).await;
    let first = added["api_key"].as_str().unwrap();
    server.must_post(first, &batch("VM001", 1, 4..=4)).await;
}

#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again_until_the_key_was_used() {
    let server = Server::start().await;
    server.machine("VM001").await;
    let code = code(&server, "VM001").await;
    let mut keys = Vec::new();
    for _ in 0..3 {
        let (status, paired) = pair(&server, &code).await;
        assert_eq!(status, 200, "{paired}");
        keys.push(paired["api_key"].as_str().unwrap().to_owned());
    }
    for void in &keys[..2] {
        let sent = server.post_logs(void, &batch("VM001", 1, 1..=1)).await;
        assert_eq!(sent.0, 401, "each try makes the key before it void");
    }
    server.must_post(&keys[2], &batch("VM001", 1, 1..=1)).await;
    let (status, refused) = pair(&server, &code).await;
    assert_eq!((status, &refused["code"]), (410, &json!("code_used")));
}

#[tokio::test]
async fn only_the_newest_code_of_a_machine_is_good_and_none_of_a_removed_one() {
    let server = Server::start().await;
    server.machine("VM001").await;
    let old = code(&server, "VM001").await;
    let new = code(&server, "VM001").await;
    let (status, refused) = pair(&server, &old).await;
    assert_eq!((status, &refused["code"]), (401, &json!("unknown_code")));
    server
        .as_admin("DELETE", "/api/machines/VM001", json!({}))
        .await;
    assert_eq!(pair(&server, &new).await.0, 401);
}

#[tokio::test]
async fn an_address_that_guesses_is_told_to_wait_and_large_bodies_are_refused() {
    let server = Server::start().await;
    server.machine("VM001").await;
    let mut guess = code(&server, "VM001").await;
    let request = server.request(Method::POST, "/api/pair");
    let large = request.body("x".repeat(10_000)).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let mut refused = 0;
    for n in 0..40 {
        guess.secret = [n; 32];
        let body = json!({ "secret": guess.secret_text() });
        let request = server.request(Method::POST, "/api/pair");
        let sent = request.body(body.to_string()).send().await.unwrap();
        match sent.status().as_u16() {
            401 => assert_eq!(refused, 0),
            429 => {
                assert_eq!(sent.headers()["retry-after"], "60");
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    println!("40 guesses from one address, {refused} not looked at");
    assert!(refused >= 10);
    server.get("/api/info").await;
}
