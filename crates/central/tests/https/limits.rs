//! Bodies that are too large, packed or not, and bombs are refused fast.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, answer, entry};

/// What a bomb may cost in a debug build on a busy machine.
const FAST: Duration = Duration::from_secs(4);

async fn post(server: &Server, key: &str, encoding: &str, body: Vec<u8>) -> (u16, Value) {
    let started = Instant::now();
    let request = server
        .request(Method::POST, "/api/logs")
        .bearer_auth(key)
        .header("content-encoding", encoding);
    let answered = answer(request.body(body).send().await.unwrap()).await;
    assert!(
        started.elapsed() < FAST,
        "{:?} {answered:?}",
        started.elapsed()
    );
    answered
}

#[tokio::test]
async fn bombs_are_refused_fast() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let zeros = || std::io::repeat(b' ').take(64 * 1024 * 1024);
    let zstd = zstd::encode_all(zeros(), 1).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut zeros(), &mut gzip).unwrap();
    let gzip = gzip.finish().unwrap();
    for (encoding, bomb) in [("zstd", zstd), ("gzip", gzip)] {
        let (status, body) = post(&server, &key, encoding, bomb).await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (413, "too_large"),
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn deep_and_wide_json_harms_nobody() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let keys: Vec<String> = (0..1_000_000).map(|n| format!("\"{n}\":1")).collect();
    let wide = format!("{{{}}}", keys.join(","));
    let good = entry(2, "INFO", "good");
    for (name, context) in [("deep", deep.clone()), ("wide", wide)] {
        let body = format!(
            "{{\"machine_id\":\"VM001\",\"epoch\":1,\"logs\":[{{\"seq\":1,\"context\":{context}}},{good}]}}"
        );
        let packed = zstd::encode_all(body.as_bytes(), 1).unwrap();
        let (status, body) = post(&server, &key, "zstd", packed).await;
        assert_eq!(status, 200, "{name}: {body}");
        assert_eq!(body["rejected"][0]["index"], 0, "{name}: {body}");
    }
    let frame = format!("{{\"machine_id\":\"VM001\",\"other\":{deep},\"logs\":[]}}");
    let (status, body) = post(&server, &key, "identity", frame.into_bytes()).await;
    assert_eq!(status, 200, "fields that are not known are skipped: {body}");
    let (status, body) = post(&server, &key, "identity", deep.into_bytes()).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (400, "malformed_json")
    );
}

#[tokio::test]
async fn too_many_bytes_or_entries_are_413() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let (status, body) = post(&server, &key, "identity", vec![b' '; 8 * 1024 * 1024 + 1]).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (413, "too_large"));
    let logs = vec![json!(1); 10_001];
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs }).to_string();
    let (status, body) = post(&server, &key, "identity", body.into_bytes()).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (413, "too_large"));
    assert!(
        body["message"].as_str().unwrap().contains("10000"),
        "{body}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_unpack_is_400_and_an_unknown_packing_415() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut cut = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    cut.write_all(&[b'x'; 1000]).unwrap();
    let mut cut = cut.finish().unwrap();
    cut.truncate(12);
    for (encoding, body, status) in [
        ("gzip", cut, 400),
        ("gzip", b"no gzip".to_vec(), 400),
        ("zstd", b"no zstd".to_vec(), 400),
        ("br", b"x".to_vec(), 415),
        ("gzip, gzip", b"x".to_vec(), 415),
    ] {
        assert_eq!(
            post(&server, &key, encoding, body).await.0,
            status,
            "{encoding}"
        );
    }
}
