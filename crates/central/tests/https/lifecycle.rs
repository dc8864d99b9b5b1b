//! Start, stop and start again: what was acknowledged is there, what is wrong is said.

use std::fs;
use std::net::TcpListener;

use serde_json::json;

use super::support::{Home, Server, batch};

#[tokio::test]
async fn what_was_acknowledged_before_a_stop_is_there_after_it() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let url = format!("{}/api/logs", server.running.url().unwrap());
    let senders: Vec<_> = (1..=8_u64)
        .map(|epoch| {
            let (client, key, url) = (server.client.clone(), key.clone(), url.clone());
            tokio::spawn(async move {
                let mut acknowledged = 0_u64;
                for first in (1..4000).step_by(10) {
                    let body = batch("VM001", epoch, first..=first + 9).to_string();
                    match client.post(&url).bearer_auth(&key).body(body).send().await {
                        Ok(response) if response.status() == 200 => acknowledged += 10,
                        _ => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    while server.get("/api/info").await["total_entries"]
        .as_u64()
        .unwrap()
        < 200
    {}
    let server = server.restarted().await;
    let mut acknowledged = 0;
    for sender in senders {
        acknowledged += sender.await.unwrap();
    }
    let stored = server.get("/api/info").await["total_entries"]
        .as_u64()
        .unwrap();
    assert!(
        acknowledged >= 200 && stored >= acknowledged,
        "{acknowledged} of {stored}"
    );
}

#[tokio::test]
async fn a_port_in_use_is_said_and_the_rest_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    let mut config = home.config();
    config.listen = Some(taken.local_addr().unwrap());
    let running = central::start(config).await.unwrap();
    let error = running.listen_error().unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert!(error.contains(&port) && error.contains("in use"), "{error}");
    assert_eq!(running.url(), None);
    assert!(running.signin_link().is_err());
    running.shutdown().await;
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let server = Server::start().await;
    let second = central::start(server.home.config())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(second.contains("already open"), "{second}");
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=1)).await;
}

#[tokio::test]
async fn a_missing_or_wrong_key_file_is_said_and_nothing_is_made_anew() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=3)).await;
    server.running.shutdown().await;
    let home = server.home;
    let right = fs::read(home.key_file()).unwrap();

    fs::remove_file(home.key_file()).unwrap();
    let missing = central::start(home.config())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(missing.contains("missing"), "{missing}");
    assert!(
        !home.key_file().exists(),
        "no key is made over existing data"
    );

    let other = Server::start().await;
    fs::copy(other.home.key_file(), home.key_file()).unwrap();
    let wrong = central::start(home.config())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(wrong.contains("does not fit"), "{wrong}");

    fs::write(home.key_file(), right).unwrap();
    let server = Server::start_in(home).await;
    assert_eq!(server.get("/api/info").await["total_entries"], 3);
}

#[tokio::test]
async fn the_stream_of_an_export_ends_badly_rather_than_short() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    for epoch in 1..=4 {
        server
            .must_post(&key, &batch("VM001", epoch, 1..=2000))
            .await;
    }
    let request = server.request(reqwest::Method::GET, "/api/logs/export?format=ndjson");
    let mut response = request.bearer_auth(&server.token).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    server.running.shutdown().await;
    let mut lines = 0;
    let ended = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => lines += chunk.iter().filter(|byte| **byte == b'\n').count(),
            other => break other,
        }
    };
    let whole = ended.is_ok() && lines >= 7000;
    assert!(whole || ended.is_err(), "{lines} lines and a good end");
}

#[tokio::test]
async fn a_window_calls_the_router_in_process() {
    let server = Server::start().await;
    let (status, who) = server.as_admin("GET", "/api/session", json!({})).await;
    assert_eq!((status, &who["kind"]), (200, &json!("admin")));
}
