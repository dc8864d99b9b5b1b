//! Pages, counts and neighbours of what is stored.

use serde_json::{Value, json};

use super::support::{Server, batch, entry, messages};

async fn all(server: &Server, filters: &str, order: &str, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    for _ in 0..200 {
        let path = format!("/api/logs?order={order}&limit={limit}&{filters}{cursor}");
        let page = server.get(&path).await;
        assert!(page["entries"].as_array().unwrap().len() <= limit);
        found.extend(messages(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", urlencoded(next)),
            None => return found,
        }
    }
    panic!("the pages do not end");
}

fn urlencoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn pages_cover_everything_once_both_ways() {
    let server = Server::start().await;
    for machine in ["VM001", "VM002", "VM003"] {
        let key = server.machine(machine).await;
        server.must_post(&key, &batch(machine, 1, 1..=17)).await;
    }
    for filters in ["", "machine=VM001&machine=VM003&"] {
        let machines = if filters.is_empty() { 3 } else { 2 };
        let mut down = all(&server, filters, "desc", 7).await;
        let up = all(&server, filters, "asc", 5).await;
        assert_eq!(down.len(), machines * 17);
        down.sort();
        let mut sorted = up.clone();
        sorted.sort();
        assert_eq!(down, sorted);
        assert_eq!(
            all(&server, filters, "asc", 1000).await,
            up,
            "the order does not depend on it"
        );
    }
}

#[tokio::test]
async fn filters_narrow_and_search_finds() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut motor = entry(1, "ERROR", "Motor 3 is stuck");
    motor["component"] = json!("motor");
    let mut sale = entry(2, "INFO", "Sale of 2 items for $3.50");
    sale["context"] = json!({ "txn": "abc" });
    let logs = [motor, sale, entry(3, "CRITICAL", "Reader is silent")];
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
    server.must_post(&key, &body).await;
    for (filters, expected) in [
        ("level=ERROR", vec!["Motor 3 is stuck", "Reader is silent"]),
        ("component=motor", vec!["Motor 3 is stuck"]),
        ("q=STUCK", vec!["Motor 3 is stuck"]),
        ("q=%22is+silent%22", vec!["Reader is silent"]),
        ("q=is+-silent", vec!["Motor 3 is stuck"]),
        ("q=txn%3Aabc", vec!["Sale of 2 items for $3.50"]),
        ("machine=VM009", vec![]),
        ("to=2020-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(
            all(&server, &format!("{filters}&"), "asc", 10).await,
            expected,
            "{filters}"
        );
    }
    let components = server.get("/api/logs/components").await;
    assert_eq!(components["components"], json!(["motor", "payment"]));
    let none = server.get("/api/logs/components?machine=VM009").await;
    assert_eq!(none["components"], json!([]));
}

#[tokio::test]
async fn a_wrong_parameter_is_400_and_says_what_to_send() {
    let server = Server::start().await;
    for (path, code, words) in [
        (
            "/api/logs?level=LOUD",
            "unknown_level",
            "DEBUG, INFO, WARN, ERROR or CRITICAL",
        ),
        ("/api/logs?cursor=broken", "bad_reference", "cursor"),
        ("/api/logs?from=today", "bad_parameter", "RFC 3339"),
        (
            "/api/logs?machine=VM000000001",
            "bad_machine_id",
            "10 characters",
        ),
        ("/api/logs?limit=ten", "bad_parameter", "limit"),
        ("/api/logs?order=up", "bad_parameter", "asc"),
        ("/api/logs?machin=VM001", "unknown_parameter", "machine"),
        ("/api/logs/context", "bad_parameter", "id"),
        ("/api/logs/context?id=broken", "bad_reference", "id"),
        ("/api/logs/export", "bad_parameter", "csv"),
        ("/api/logs/export?format=xls", "bad_parameter", "csv"),
        ("/api/logs/histogram?bins=many", "bad_parameter", "bins"),
        (
            "/api/machines/VM000000001/status",
            "bad_machine_id",
            "10 characters",
        ),
    ] {
        let (status, body) = server.try_get(path).await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (400, code),
            "{path}: {body}"
        );
        assert!(
            body["message"].as_str().unwrap().contains(words),
            "{path}: {body}"
        );
    }
    assert_eq!(server.try_get("/api/machines/VM009/status").await.0, 404);
    assert_eq!(server.try_get("/api/nothing").await.0, 404);
}

#[tokio::test]
async fn a_limit_beyond_the_bound_is_clamped() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=1200)).await;
    let count = |page: Value| page["entries"].as_array().unwrap().len();
    assert_eq!(count(server.get("/api/logs?limit=5000").await), 1000);
    assert_eq!(count(server.get("/api/logs?limit=0").await), 1);
    assert_eq!(count(server.get("/api/logs").await), 100);
}

#[tokio::test]
async fn large_entries_make_a_page_short_not_huge() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let large = "lorem ipsum ".repeat(5000);
    for first in [1, 101] {
        let logs: Vec<Value> = (first..first + 100)
            .map(|seq| entry(seq, "INFO", &large))
            .collect();
        let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
        server.must_post(&key, &body).await;
    }
    let page = server.get("/api/logs?limit=1000").await;
    assert!(page.to_string().len() < 8_000_000);
    assert!(page["next"].is_string());
    assert_eq!(all(&server, "", "asc", 1000).await.len(), 200);
}

#[tokio::test]
async fn the_lines_around_an_entry() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=30)).await;
    let page = server.get("/api/logs?order=asc").await;
    let id = urlencoded(page["entries"][14]["id"].as_str().unwrap());
    let around = server
        .get(&format!("/api/logs/context?id={id}&before=3&after=2"))
        .await;
    assert_eq!(around["index"], 3);
    let expected: Vec<String> = (12..=17).map(|n| format!("Sale {n} of 3 items")).collect();
    assert_eq!(messages(&around), expected);
    assert_eq!(around["template_count_on_day"], 30);
}

#[tokio::test]
async fn the_histogram_counts_by_level() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let logs = [
        entry(1, "INFO", "a"),
        entry(2, "ERROR", "b"),
        entry(3, "ERROR", "c"),
    ];
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
    server.must_post(&key, &body).await;
    let counts = server.get("/api/logs/histogram?bins=10").await;
    assert_eq!(
        counts["levels"],
        json!(["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"])
    );
    let sum = |level: usize| -> u64 {
        let bins = counts["bins"].as_array().unwrap();
        bins.iter().map(|bin| bin[level].as_u64().unwrap()).sum()
    };
    assert_eq!(
        (sum(0), sum(1), sum(2), sum(3), sum(4)),
        (0, 1, 0, 2, 0),
        "{counts}"
    );
    assert!(counts["from"].as_str().unwrap() < counts["to"].as_str().unwrap());
    let machines = server.get("/api/machines").await;
    let machine = &machines["machines"][0];
    assert_eq!(
        (&machine["errors_1h"], &machine["error_count"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&machine["status"], &machine["state"]),
        (&json!("yellow"), &json!("online"))
    );
    assert!(
        machine["reason"]
            .as_str()
            .unwrap()
            .starts_with("2 errors in the last hour")
    );
    assert_eq!(machine["hours"].as_array().unwrap().len(), 24);
}
