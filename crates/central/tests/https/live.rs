//! The live stream: what happens is told, a reader that comes back misses nothing.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::support::{Server, batch, entry};

/// Reads Server-Sent Events.
struct Stream {
    response: Response,
    buffer: String,
}

#[derive(Debug)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

impl Stream {
    async fn open(server: &Server, last_id: Option<&str>) -> Stream {
        let mut request = server
            .request(Method::GET, "/api/live")
            .bearer_auth(&server.token);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream {
            response,
            buffer: String::new(),
        }
    }

    async fn try_next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default()
                        .trim_start_matches(": ")
                        .trim()
                        .to_owned()
                };
                let told = Told {
                    id: field("id"),
                    event: field("event"),
                    data: serde_json::from_str(&field("data")).unwrap(),
                };
                self.buffer = rest.to_owned();
                return Some(told);
            }
            let chunk = timeout(Duration::from_secs(20), self.response.chunk())
                .await
                .unwrap();
            self.buffer
                .push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    async fn next(&mut self) -> Told {
        self.try_next().await.unwrap()
    }

    /// The next event of this name; others are passed over.
    async fn next_named(&mut self, name: &str) -> Told {
        loop {
            let told = self.next().await;
            if told.event == name {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn what_is_stored_is_told() {
    let server = Server::start().await;
    let mut stream = Stream::open(&server, None).await;
    assert_eq!(
        stream.next().await.event,
        "tick",
        "a reader has an id from the start"
    );
    let key = server.machine("VM001").await;
    assert_eq!(stream.next().await.event, "machines");
    let logs = [
        entry(1, "INFO", "sale"),
        entry(2, "CRITICAL", "Motor 3 is stuck"),
    ];
    let body = json!({ "machine_id": "VM001", "epoch": 1, "logs": logs });
    server.must_post(&key, &body).await;
    assert_eq!(
        stream.next_named("machine").await.data,
        json!({ "machine_id": "VM001" })
    );
    let stored = stream.next_named("entries").await.data;
    assert_eq!(
        (&stored["count"], &stored["worst"]),
        (&json!(2), &json!("CRITICAL"))
    );
    assert_eq!(stored["from"], logs[0]["timestamp"]);
    let critical = stream.next_named("critical").await.data;
    assert_eq!(critical["message"], "Motor 3 is stuck");
    let page = server.get("/api/logs?level=CRITICAL").await;
    assert_eq!(
        critical, page["entries"][0],
        "the event is the entry as it is answered"
    );
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let mut first = Stream::open(&server, None).await;
    server.must_post(&key, &batch("VM001", 1, 1..=1)).await;
    let seen = first.next_named("entries").await.id;
    drop(first);
    server.must_post(&key, &batch("VM001", 1, 2..=6)).await;
    let mut again = Stream::open(&server, Some(&seen)).await;
    assert_eq!(again.next().await.event, "machine");
    let missed = again.next().await;
    assert_eq!(
        (missed.event.as_str(), &missed.data["count"]),
        ("entries", &json!(5))
    );
}

#[tokio::test]
async fn after_a_restart_a_reader_is_told_to_fetch_anew() {
    let server = Server::start().await;
    let mut stream = Stream::open(&server, None).await;
    let seen = stream.next().await.id;
    let server = server.restarted().await;
    assert!(
        stream.try_next().await.is_none(),
        "the stream ended with the server"
    );
    let mut again = Stream::open(&server, Some(&seen)).await;
    assert_eq!(again.next().await.event, "reset");
    assert_eq!(again.next().await.event, "tick");
}

#[tokio::test]
async fn the_window_gets_the_same_stream_in_process() {
    let server = Server::start().await;
    let mut events = server.running.events();
    assert_eq!(events.next().await.unwrap().event, "tick");
    server.machine("VM001").await;
    let told = events.next().await.unwrap();
    assert_eq!((told.event, told.data.as_ref()), ("machines", "{}"));
    let mut resumed = server.running.events_after(Some("0-0"));
    assert_eq!(resumed.next().await.unwrap().event, "reset");
}
