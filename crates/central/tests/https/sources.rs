//! Sources: added, changed, removed and put back without their secrets ever being answered; one that
//! fails says so everywhere, and asking goes on by itself.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::drops_support::{PASSWORD, USER};
use super::support::{Server, answer};

/// A port of this computer on which nothing listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn ftp(port: u16) -> Value {
    json!({
        "name": "Files", "kind": "ftp",
        "config": { "host": "127.0.0.1", "port": port, "user": "vendlog", "password": "hunter2",
                    "folder": "/drops", "interval_s": 10, "timeout_s": 2 },
    })
}

impl Server {
    async fn source(&self, id: &str) -> Value {
        let list = self.get("/api/sources").await;
        let mut sources = list["sources"].as_array().unwrap().iter();
        let found = sources.find(|source| source["id"] == id);
        found.unwrap_or_else(|| panic!("{list}")).clone()
    }

    /// The source, as soon as it is in this state.
    async fn source_in(&self, id: &str, state: &str) -> Value {
        for _ in 0..400 {
            let source = self.source(id).await;
            if source["status"]["state"] == state {
                return source;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("never {state}: {}", self.source(id).await);
    }
}

#[tokio::test]
async fn secrets_are_taken_and_never_answered() {
    let server = Server::start().await;
    let (status, added) = server
        .as_admin("POST", "/api/sources", ftp(closed_port()))
        .await;
    assert_eq!(status, 201, "{added}");
    assert_eq!(
        (&added["kind"], &added["has_secret"]),
        (&json!("ftp"), &json!(true))
    );
    assert_eq!(added["config"]["password"], "***");
    assert_eq!(added["config"]["tls"], "none");
    let mut changed = added.clone();
    changed["name"] = json!("Files of the fleet");
    changed["enabled"] = json!(false);
    let (status, changed) = server.as_admin("PUT", "/api/sources/s1", changed).await;
    assert_eq!(status, 200, "an answer can be sent back: {changed}");
    assert_eq!(changed["has_secret"], true, "the password stayed");
    let mut elsewhere = changed.clone();
    elsewhere["config"]["host"] = json!("evil.example");
    let (status, refused) = server.as_admin("PUT", "/api/sources/s1", elsewhere).await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("bad_source")),
        "it goes nowhere else"
    );
    let server = server.restarted().await;
    let kept = server.source("s1").await;
    assert_eq!(kept["name"], "Files of the fleet");
    assert_eq!(
        (&kept["status"]["state"], &kept["has_secret"]),
        (&json!("off"), &json!(true))
    );
    assert!(
        !server
            .get("/api/sources")
            .await
            .to_string()
            .contains("hunter2")
    );
}

#[tokio::test]
async fn a_source_that_was_removed_can_be_put_back_with_its_password() {
    let server = Server::start().await;
    server.http_source().await;
    let (status, removed) = server
        .as_admin("DELETE", "/api/sources/s1", json!({}))
        .await;
    assert_eq!((status, &removed["id"]), (200, &json!("s1")));
    assert_eq!(server.post_drop("x", "nothing").await.0, 401, "it is gone");
    let (status, back) = server.as_admin("POST", "/api/sources", removed).await;
    assert_eq!(status, 201, "{back}");
    assert_eq!(server.post_drop("x", "nothing").await.0, 200);
    let again =
        json!({ "name": "b", "kind": "http", "config": { "user": USER, "password": PASSWORD } });
    let (status, refused) = server.as_admin("POST", "/api/sources", again).await;
    assert_eq!((status, &refused["code"]), (409, &json!("user_taken")));
}

#[tokio::test]
async fn what_cannot_work_is_refused_in_words() {
    let server = Server::start().await;
    for (source, words) in [
        (
            json!({ "name": "", "kind": "http", "config": { "user": "u", "password": PASSWORD } }),
            "name",
        ),
        (
            json!({ "name": "n", "kind": "http", "config": { "user": "u", "password": "short" } }),
            "12",
        ),
        (
            json!({ "name": "n", "kind": "imap", "config": { "host": "h", "user": "u" } }),
            "password",
        ),
        (
            json!({ "name": "n", "kind": "ftp", "config": { "host": "h", "usr": "u" } }),
            "usr",
        ),
        (
            json!({ "name": "n", "kind": "gopher", "config": {} }),
            "gopher",
        ),
    ] {
        let (status, refused) = server.as_admin("POST", "/api/sources", source).await;
        assert_eq!(status, 400, "{refused}");
        assert!(
            refused["message"].as_str().unwrap().contains(words),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_source_that_fails_says_so_everywhere_and_holds_nothing_up() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut events = server.running.events();
    server
        .as_admin("POST", "/api/sources", ftp(closed_port()))
        .await;
    let failing = server.source_in("s1", "failing").await;
    let status = &failing["status"];
    assert_eq!(status["error"]["code"], "unreachable", "{status}");
    assert!(!status.to_string().contains("hunter2"));
    assert!(
        status["next_poll_at"].as_str() > status["last_poll_at"].as_str(),
        "{status}"
    );
    let ready = server.get("/readyz").await;
    assert_eq!(ready["sources"], "failing: s1 (Files): unreachable");
    let told = tokio::time::timeout(Duration::from_secs(10), async {
        while events.next().await.unwrap().event != "source" {}
    });
    told.await.expect("it is told live");
    let batch = super::support::batch("VM001", 1, 1..=3);
    server.must_post(&key, &batch).await;
    let (status, _) = server
        .as_admin("POST", "/api/sources/s1/poll", json!({}))
        .await;
    assert_eq!(status, 202);
    let mut off = failing.clone();
    off["enabled"] = json!(false);
    server.as_admin("PUT", "/api/sources/s1", off).await;
    server.source_in("s1", "off").await;
    assert_eq!(server.get("/readyz").await["sources"], "ok");
    let (status, refused) = server
        .as_admin("POST", "/api/sources/s1/poll", json!({}))
        .await;
    assert_eq!((status, &refused["code"]), (409, &json!("switched_off")));
}

#[tokio::test]
async fn a_test_says_what_is_wrong_and_changes_nothing() {
    let server = Server::start().await;
    let mut test = ftp(closed_port());
    test.as_object_mut().unwrap().remove("name");
    let (status, tested) = server.as_admin("POST", "/api/sources/test", test).await;
    assert_eq!((status, &tested["ok"]), (200, &json!(false)), "{tested}");
    assert_eq!(tested["code"], "unreachable");
    assert!(
        server.get("/api/sources").await["sources"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    server.http_source().await;
    let (status, tested) = server
        .as_admin("POST", "/api/sources/test", json!({ "id": "s1" }))
        .await;
    assert_eq!((status, &tested["ok"]), (200, &json!(true)), "{tested}");
    let (status, _) = server
        .as_admin("POST", "/api/sources/test", json!({ "id": "s9" }))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn plans_count_bytes_and_money_and_dictionaries_go_out_with_heartbeats() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let plan = json!({ "monthly_bytes": 800, "price_cents_per_mb": 50.0, "currency": "EUR" });
    let (status, _) = server.as_admin("PUT", "/api/data-plan", plan.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(server.get("/api/data-plan").await, plan);
    server.http_source().await;
    let drop = super::drops_support::drop_of("VM001", 1, 1, &["Reader is silent"; 8]);
    server.post_drop("x", drop).await;
    let cell = server.get("/api/machines/VM001/cell").await;
    let used = &cell["plan"];
    assert_eq!(
        (&used["state"], &used["currency"]),
        (&json!("warn"), &json!("EUR")),
        "{used}"
    );
    let own = json!({ "monthly_bytes": 5_000_000 });
    server
        .as_admin("PUT", "/api/machines/VM001/data-plan", own)
        .await;
    let cell = server.get("/api/machines/VM001/cell").await;
    assert_eq!(
        (&cell["plan"]["state"], &cell["plan"]["is_own"]),
        (&json!("ok"), &json!(true))
    );

    let batch: Vec<Value> = (1..=300)
        .map(|n| super::support::entry(n, "ERROR", &format!("Valve {n} did not close in {n} ms")))
        .collect();
    let batch = json!({ "machine_id": "VM001", "epoch": 1, "logs": batch });
    server.must_post(&key, &batch).await;
    let (status, trained) = server
        .as_admin("POST", "/api/dictionaries/train", json!({}))
        .await;
    assert_eq!(
        (status, &trained["is_current"]),
        (201, &json!(true)),
        "{trained}"
    );
    let beat = |dictionary: &str| json!({ "machine_id": "VM001", "dictionary": dictionary });
    let beat_with = async |dictionary: &str| {
        let request = server
            .request(Method::POST, "/api/heartbeat")
            .bearer_auth(&key);
        answer(
            request
                .body(beat(dictionary).to_string())
                .send()
                .await
                .unwrap(),
        )
        .await
        .1
    };
    let given = beat_with("00000000").await;
    assert_eq!(given["dictionary"]["id"], trained["id"]);
    let same = beat_with(trained["id"].as_str().unwrap()).await;
    assert_eq!(same.get("dictionary"), None, "it has that one");
    let list = server.get("/api/dictionaries").await;
    assert_eq!(list["current"], trained["id"]);
    assert_eq!(
        list["dictionaries"].as_array().unwrap().len(),
        2,
        "with the shipped one"
    );
    let machines = |id: &Value| {
        let all = list["dictionaries"].as_array().unwrap();
        let found = all.iter().find(|one| one["id"] == *id).unwrap();
        found["machines"].clone()
    };
    assert_eq!(machines(&trained["id"]), json!(1), "the heartbeat said so");
}
