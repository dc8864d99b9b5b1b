//! Files of drops on their way in by HTTP: stored, recognised, put into quarantine, and read later.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;
use wire::Micros;
use wire::drops::dense;
use wire::drops::dictionary::{Sample, TrainLimits, train};
use wire::time::DAY_US;

use super::drops_support::{
    EPOCH, PASSWORD, USER, drop_at, drop_of, header, log_entry, now, whole,
};
use super::support::{Server, answer};

async fn server() -> Server {
    let server = Server::start().await;
    server.machine("VM001").await;
    server.http_source().await;
    server
}

#[tokio::test]
async fn a_posted_drop_is_stored_and_shown() {
    let server = server().await;
    let drop = drop_of("VM001", 7, 41, &["Reader is silent", "Motor 3 is stuck"]);
    let (status, posted) = server.post_drop("VM001-1-7.txt", drop).await;
    assert_eq!((status, &posted["drops"]), (200, &json!(1)), "{posted}");
    let stored = server.stored("VM001").await;
    let is_whole =
        |(_, path, fidelity): &(String, String, String)| path == "cell" && fidelity == "full";
    assert!(
        stored.len() == 2 && stored.iter().all(is_whole),
        "{stored:?}"
    );
    let drops = server.get("/api/drops?machine=VM001").await;
    let drop = &drops["drops"][0];
    assert_eq!(
        (&drop["number"], &drop["epoch"]),
        (&json!(7), &json!(EPOCH))
    );
    assert_eq!(
        (&drop["source"], &drop["form"]),
        (&json!("s1"), &json!("text"))
    );
    let cell = server.get("/api/machines/VM001/cell").await;
    assert_eq!(cell["last_number"], 7);
    assert_eq!(
        (&cell["gaps"][0]["first"], &cell["gaps"][0]["last"]),
        (&json!(1), &json!(6)),
        "drops 1 to 6 never came"
    );
    let status = server.get("/api/machines/VM001/status").await;
    assert_eq!(status["links"], json!({ "wifi": "none", "cell": "up" }));
    assert_eq!(
        status["reason"],
        "2 errors in the last hour, last 1 min ago: payment: Motor 3 is stuck"
    );
    let source = &server.get("/api/sources").await["sources"][0];
    assert_eq!(source["status"]["drops_taken"], 1, "{source}");
    assert_eq!(source["status"]["state"], "ok");
}

#[tokio::test]
async fn a_drop_that_comes_again_is_recognised_however_it_is_wrapped() {
    let server = server().await;
    let drop = drop_of("VM001", 1, 1, &["Reader is silent"]);
    server.post_drop("a.txt", drop.clone()).await;
    let wrapped = format!(
        "\u{feff}{}\r\n\r\n--\r\nSent by USALive\r\n",
        drop.replace('\n', "\r\n")
    );
    for again in [drop.clone(), format!("{drop}   \n\0\0"), wrapped] {
        let (status, posted) = server.post_drop("other-name", again).await;
        assert_eq!((status, &posted["repeats"]), (200, &json!(1)), "{posted}");
    }
    assert_eq!(server.stored("VM001").await.len(), 1);
    assert_eq!(server.get("/api/drops").await["drops"][0]["repeats"], 3);
}

#[tokio::test]
async fn usalives_test_call_is_answered_and_shown() {
    let server = server().await;
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let request = server
        .request(Method::POST, "/api/drops/testTransportFileName?reason=TEST")
        .header("authorization", basic)
        .body("This is a test of the transport. ");
    let (status, posted) = answer(request.send().await.unwrap()).await;
    assert_eq!((status, &posted["is_test"]), (200, &json!(true)));
    assert!(server.waiting().await.is_empty());
    let source = &server.get("/api/sources").await["sources"][0];
    assert!(source["status"]["tested_at"].is_string(), "{source}");
    let server = server.restarted().await;
    let source = &server.get("/api/sources").await["sources"][0];
    assert!(
        source["status"]["tested_at"].is_string(),
        "it is remembered"
    );
}

#[tokio::test]
async fn only_a_source_or_a_token_of_one_brings_drops() {
    let server = server().await;
    let drop = drop_of("VM001", 1, 1, &["Reader is silent"]).into_bytes();
    let (status, _) = server.post_drop_as("x", drop.clone(), USER, "wrong").await;
    assert_eq!(status, 401);
    let bare = server
        .request(Method::POST, "/api/drops/x")
        .body(drop.clone());
    let response = bare.send().await.unwrap();
    let challenges: Vec<&str> = response
        .headers()
        .get_all("www-authenticate")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(
        challenges.iter().any(|c| c.starts_with("Basic")),
        "{challenges:?}"
    );
    let token = server.token_with("source").await;
    let request = server
        .request(Method::POST, "/api/drops/x")
        .bearer_auth(&token);
    let (status, posted) = answer(request.body(drop.clone()).send().await.unwrap()).await;
    assert_eq!((status, &posted["drops"]), (200, &json!(1)));
    assert_eq!(server.get("/api/drops").await["drops"][0]["source"], "s1");
    let reads = server.request(Method::GET, "/api/logs").bearer_auth(&token);
    assert_eq!(reads.send().await.unwrap().status(), 403);
    // A user and password open nothing else.
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let reads = server
        .request(Method::GET, "/api/logs")
        .header("authorization", basic);
    assert_eq!(reads.send().await.unwrap().status(), 401);
    let mut last = 0;
    for _ in 0..40 {
        last = server
            .post_drop_as("x", drop.clone(), USER, "guess")
            .await
            .0;
    }
    assert_eq!(last, 429, "nobody guesses for long");
}

#[tokio::test]
async fn a_drop_that_was_edited_is_kept_and_not_guessed_at() {
    let server = server().await;
    let drop = drop_of("VM001", 1, 1, &["Dispensed 12 oz"]).replace("12 oz", "13 oz");
    let (status, posted) = server.post_drop("VM001-1764-1.txt", drop).await;
    assert_eq!(
        (status, &posted["quarantined"]),
        (200, &json!(1)),
        "never a 500"
    );
    assert!(server.stored("VM001").await.is_empty());
    let items = server.waiting().await;
    assert_eq!(items[0]["code"], "damaged");
    assert_eq!(items[0]["machine_id"], "VM001", "told by its name");
    assert!(items[0]["preview"].as_str().unwrap().contains("13 oz"));
    let id = items[0]["id"].as_u64().unwrap();
    let path = format!("/api/quarantine/{id}");
    let retry = format!("{path}/retry");
    let (status, retried) = server.as_admin("POST", &retry, json!({})).await;
    assert_eq!((status, &retried["is_read"]), (200, &json!(false)));
    server
        .as_admin("POST", &format!("{path}/discard"), json!({}))
        .await;
    assert!(server.waiting().await.is_empty());
    let all = server.get("/api/quarantine?discarded=true").await;
    assert!(all["items"][0]["discarded_at"].is_string());
    server
        .as_admin("POST", &format!("{path}/restore"), json!({}))
        .await;
    assert_eq!(server.waiting().await.len(), 1);
}

#[tokio::test]
async fn a_drop_of_an_unknown_machine_is_read_when_the_machine_is_added() {
    let server = server().await;
    let made_at = now().plus_us(-14 * DAY_US);
    let drop = drop_at("VM009", 3, 11, &["Two weeks late"], made_at);
    server.post_drop("late.txt", drop).await;
    let items = server.waiting().await;
    assert_eq!(items[0]["code"], "unknown_machine");
    assert_eq!(items[0]["machine_id"], "VM009");
    let reason = items[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("VM009") && reason.contains("Add the machine"),
        "{reason}"
    );
    server.machine("VM009").await;
    server.nothing_waits().await;
    let page = server.get("/api/logs?machine=VM009").await;
    let entry = &page["entries"][0];
    assert_eq!(entry["message"], "Two weeks late");
    assert_eq!(entry["filed_at"], entry["timestamp"], "in its own time");
}

#[tokio::test]
async fn a_drop_under_an_unknown_dictionary_is_read_when_the_dictionary_comes() {
    let server = server().await;
    let entry = |n: u64| log_entry(n, now(), &format!("Valve {n} did not close in {n} ms"));
    let samples = (1..=300).map(|n| Sample {
        machine: if n % 2 == 0 { "VM001" } else { "VM002" }.parse().unwrap(),
        entry: entry(n),
    });
    let dictionary = train(samples, &TrainLimits::default());
    let entries: Vec<_> = (1..=9).map(entry).collect();
    let drop = dense::encode(
        &header("VM001", 1, now(), &entries),
        &whole(&entries),
        &dictionary,
    );
    server.post_drop("VM001-1764-1.txt", drop).await;
    let items = server.waiting().await;
    assert_eq!(items[0]["code"], "unknown_dictionary");
    assert_eq!(items[0]["dictionary"], dictionary.id().to_string());
    assert!(server.stored("VM001").await.is_empty());
    let request = server
        .request(Method::POST, "/api/dictionaries")
        .bearer_auth(&server.token)
        .body(dictionary.to_bytes().to_vec());
    let (status, added) = answer(request.send().await.unwrap()).await;
    assert_eq!(
        (status, &added["origin"]),
        (201, &json!("uploaded")),
        "{added}"
    );
    server.nothing_waits().await;
    let stored = server.stored("VM001").await;
    assert_eq!(stored.len(), 9);
    assert_eq!(stored[0].0, "Valve 1 did not close in 1 ms");
}

#[tokio::test]
async fn times_that_cannot_be_and_times_long_gone_are_filed_rightly() {
    let server = server().await;
    let at = |text: &str| Micros::parse_rfc3339(text).unwrap();
    let this_year = now().to_rfc3339()[..4].parse::<i32>().unwrap();
    let years_end = at(&format!("{}-12-31T23:59:30Z", this_year - 1));
    for (number, made_at, message) in [
        (1, at("1970-01-01T00:04:00Z"), "The clock says 1970"),
        (2, years_end, "The last minute of the year"),
    ] {
        let drop = drop_at("VM001", number, number, &[message], made_at);
        let (status, posted) = server.post_drop("x.txt", drop).await;
        assert_eq!(
            (status, &posted["drops"]),
            (200, &json!(1)),
            "{message}: {posted}"
        );
    }
    let page = server.get("/api/logs?machine=VM001&order=asc").await;
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries[0]["message"], "The last minute of the year");
    assert_eq!(entries[0]["filed_at"], entries[0]["timestamp"]);
    assert_eq!(entries[1]["message"], "The clock says 1970");
    assert_eq!(entries[1]["filed_at"], entries[1]["received_at"]);
    assert!(
        entries[1]["timestamp"]
            .as_str()
            .unwrap()
            .starts_with("1970-01-01T00:04")
    );
}

#[tokio::test]
async fn bare_lines_are_summaries_and_known_again_by_what_they_say() {
    let server = server().await;
    let body = json!({ "machine_id": "VM002", "reader_serials": ["K3CT1234567"] });
    server.as_admin("POST", "/api/machines", body).await;
    // A leap day: the last one that was.
    let lines =
        "VM001|0229-1430|E|payment|Auth timeout 30s|txn:abc\nVM001|1231-2359|W|motor|Retry 2|\n";
    for repeats in [0, 1] {
        let (status, posted) = server.post_drop("x.txt", lines).await;
        assert_eq!(
            (status, &posted["repeats"]),
            (200, &json!(repeats)),
            "{posted}"
        );
    }
    let stored = server.stored("VM001").await;
    assert_eq!(stored.len(), 2, "{stored:?}");
    assert!(
        stored
            .iter()
            .all(|(_, path, fidelity)| path == "cell" && fidelity == "summary")
    );
    let page = server.get("/api/logs?machine=VM001&q=timeout").await;
    let at = page["entries"][0]["timestamp"].as_str().unwrap();
    assert!(at.contains("-02-29T14:30"), "{at}");
    // A sender that knows itself by another name is told by its reader.
    let other = "SOAP|0102-0304|E|payment|No signal|";
    server.post_drop("upload_K3-CT1234567.txt", other).await;
    assert!(
        server.stored("VM002").await.is_empty(),
        "that is not one word of it"
    );
    server.post_drop("upload_K3CT1234567.txt", other).await;
    assert_eq!(server.stored("VM002").await.len(), 1);
}
