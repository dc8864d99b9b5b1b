//! Drops as machines make them, and posting them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use wire::drops::{Counts, Covers, DropEntry, DropHeader, TimePrecision, text};
use wire::{ClockState, Level, LogEntry, Micros};

use super::support::{Server, answer};

pub const USER: &str = "usalive";
pub const PASSWORD: &str = "correct horse battery";
pub const EPOCH: u64 = 1_764_000_000_000_000;

pub fn now() -> Micros {
    Micros::from_timestamp(jiff::Timestamp::now())
}

pub fn log_entry(seq: u64, at: Micros, message: &str) -> LogEntry {
    LogEntry {
        seq: Some(seq),
        timestamp: at,
        level: Level::Error,
        component: "payment".into(),
        message: message.into(),
        context: serde_json::Map::new(),
        clock: ClockState::Synced,
    }
}

/// A drop's header over these entries, all of them new.
pub fn header(machine: &str, number: u64, made_at: Micros, entries: &[LogEntry]) -> DropHeader {
    let mut counts = Counts::default();
    for entry in entries {
        counts.add(entry.level, 1);
    }
    let seq = |entry: Option<&LogEntry>| entry.and_then(|entry| entry.seq).unwrap_or(0);
    DropHeader {
        machine: machine.parse().unwrap(),
        number,
        epoch: EPOCH,
        made_at: TimePrecision::Second.cut(made_at),
        uptime_s: Some(3600),
        covers: Covers {
            first: seq(entries.first()),
            last: seq(entries.last()),
            counts,
        },
        left_out: Counts::default(),
        time: TimePrecision::Second,
    }
}

pub fn whole(entries: &[LogEntry]) -> Vec<DropEntry> {
    let whole = |entry: &LogEntry| DropEntry {
        entry: entry.clone(),
        is_summary: false,
    };
    entries.iter().map(whole).collect()
}

/// A text drop of a machine with one entry a message, made a minute ago.
pub fn drop_of(machine: &str, number: u64, first_seq: u64, messages: &[&str]) -> String {
    drop_at(
        machine,
        number,
        first_seq,
        messages,
        now().plus_us(-60_000_000),
    )
}

pub fn drop_at(
    machine: &str,
    number: u64,
    first_seq: u64,
    messages: &[&str],
    made_at: Micros,
) -> String {
    let entries: Vec<LogEntry> = messages
        .iter()
        .zip(first_seq..)
        .map(|(message, seq)| log_entry(seq, made_at, message))
        .collect();
    text::encode(
        &header(machine, number, made_at, &entries),
        &whole(&entries),
    )
}

impl Server {
    /// Adds a source of kind http and answers its id.
    pub async fn http_source(&self) -> String {
        let config = json!({ "user": USER, "password": PASSWORD });
        let source = json!({ "name": "USALive", "kind": "http", "config": config });
        let (status, added) = self.as_admin("POST", "/api/sources", source).await;
        assert_eq!(status, 201, "{added}");
        added["id"].as_str().unwrap().to_owned()
    }

    /// Posts a file as USALive does: no Content-Type, the source's user and password.
    pub async fn post_drop(&self, name: &str, bytes: impl Into<Vec<u8>>) -> (u16, Value) {
        self.post_drop_as(name, bytes.into(), USER, PASSWORD).await
    }

    pub async fn post_drop_as(
        &self,
        name: &str,
        bytes: Vec<u8>,
        user: &str,
        password: &str,
    ) -> (u16, Value) {
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let request = self
            .request(Method::POST, &format!("/api/drops/{name}"))
            .header("authorization", basic)
            .body(bytes);
        answer(request.send().await.unwrap()).await
    }

    /// The messages stored of a machine, the oldest first, with path and fidelity.
    pub async fn stored(&self, machine: &str) -> Vec<(String, String, String)> {
        let page = self
            .get(&format!("/api/logs?machine={machine}&order=asc&limit=1000"))
            .await;
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let entries = page["entries"].as_array().unwrap();
        entries
            .iter()
            .map(|e| (text(e, "message"), text(e, "path"), text(e, "fidelity")))
            .collect()
    }

    /// The items that wait in quarantine, the newest first.
    pub async fn waiting(&self) -> Vec<Value> {
        let list = self.get("/api/quarantine").await;
        let items = list["items"].as_array().unwrap().clone();
        assert_eq!(list["waiting"], items.len());
        items
    }

    /// Waits until nothing waits any more.
    pub async fn nothing_waits(&self) {
        for _ in 0..200 {
            if self.waiting().await.is_empty() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("still in quarantine: {:?}", self.waiting().await);
    }
}
