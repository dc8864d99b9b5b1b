//! The recorded logs of the real application, through a real agent into a real server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tests::fixture::{Fixture, beyond_redaction};
use tests::wait::seconds;
use tests::{AgentSetup, Server, server};

#[test]
fn the_recorded_log_arrives_whole_in_order_classified_and_redacted() {
    arrives_whole("vending_app");
}

#[test]
fn the_recorded_log_with_milliseconds_arrives_as_well() {
    arrives_whole("vending_app_ms");
}

fn arrives_whole(name: &str) {
    let fixture = Fixture::read(name);
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("last_tx_log.log");
    std::fs::write(&log, &fixture.bytes).expect("the log");
    let mut server = Server::start(&dir.path().join("server"));
    let api = server.api();
    let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log);
    let mut agent = setup.start();
    api.wait_for_total(fixture.messages.len() as u64, seconds(60));

    let mut entries = api.entries("");
    entries.sort_by_key(|entry| (entry["epoch"].as_u64(), entry["seq"].as_u64()));
    assert_in_the_files_order(&fixture, &entries);
    assert_as_the_truth_counts(&fixture, &entries);
    assert_ids_are_told_apart(&fixture, &entries);

    let everything = api.get("/api/logs/export?format=ndjson").body;
    fixture.assert_no_secret("the API", &everything);
    fixture.assert_no_secret("the agent's messages", agent.process.messages().as_bytes());
    let dump = server::run(&dir.path().join("server"), &["logs", "dump"]);
    assert_eq!(
        dump.stdout.lines().count(),
        fixture.messages.len(),
        "{}",
        dump.stderr
    );
    fixture.assert_no_secret("logs dump", dump.stdout.as_bytes());
    agent.stop();
    server.stop();
    fixture.assert_no_secret(
        "the server's messages",
        server.process.messages().as_bytes(),
    );
    assert!(setup.local().exists(), "the local file is written");
    for folder in [setup.folder, server.data()] {
        assert_no_secret_below(&fixture, &folder);
    }
}

fn assert_in_the_files_order(fixture: &Fixture, entries: &[Value]) {
    let epochs: BTreeSet<Option<u64>> = entries.iter().map(|e| e["epoch"].as_u64()).collect();
    assert_eq!(epochs.len(), 1, "one spool is one epoch: {epochs:?}");
    for (index, (wanted, entry)) in fixture.messages.iter().zip(entries).enumerate() {
        assert_eq!(
            entry["seq"].as_u64(),
            Some(index as u64 + 1),
            "seqs are 1, 2, 3 …"
        );
        let got = entry["message"].as_str().expect("a message");
        assert_eq!(
            beyond_redaction(got),
            beyond_redaction(wanted),
            "record {}",
            index + 1
        );
    }
    assert_eq!(entries.len(), fixture.messages.len());
}

fn assert_as_the_truth_counts(fixture: &Fixture, entries: &[Value]) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for entry in entries {
        let text = |key: &str| entry[key].as_str().expect("a text").to_owned();
        *counts.entry(text("level")).or_default() += 1;
        *counts
            .entry(format!("component {}", text("component")))
            .or_default() += 1;
        *counts.entry("entries".to_owned()).or_default() += 1;
    }
    assert_eq!(counts, fixture.after_pack);
}

/// Hashing must keep what the ids are for: the same id is the same hash, another id another.
fn assert_ids_are_told_apart(fixture: &Fixture, entries: &[Value]) {
    let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
    let hashes: BTreeSet<&str> = messages
        .filter_map(|message| message.strip_prefix("Transaction ID: "))
        .collect();
    assert_eq!(hashes.len(), fixture.transactions.len());
}

fn assert_no_secret_below(fixture: &Fixture, folder: &Path) {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            assert_no_secret_below(fixture, &path);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            fixture.assert_no_secret(&path.display().to_string(), &bytes);
        }
        seen += 1;
    }
    assert!(seen > 0, "{} must not be empty", folder.display());
}
