//! A real log through assembly, redaction and pack equals the truth written down for it.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{Machine, fixture};

fn check_fixture(name: &str) {
    let machine = Machine::new("");
    std::fs::copy(fixture(&format!("{name}.log")), machine.log()).unwrap();
    let entries = machine.start().drain();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["seq"], index + 1, "numbered without a gap");
        *counts
            .entry(entry["level"].as_str().unwrap().to_owned())
            .or_default() += 1;
        let component = format!("component {}", entry["component"].as_str().unwrap());
        *counts.entry(component).or_default() += 1;
        *counts.entry("entries".to_owned()).or_default() += 1;
    }
    let truth = std::fs::read_to_string(fixture(&format!("{name}.truth.json"))).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let expected: BTreeMap<String, u64> =
        serde_json::from_value(truth["after_pack"].clone()).unwrap();
    assert_eq!(counts, expected);

    let event = |name: &str| {
        entries
            .iter()
            .filter(|entry| entry["context"]["event"] == name)
            .count() as u64
    };
    assert_eq!(event("sale"), truth["sales"].as_u64().unwrap());
    assert_eq!(event("lost_payment"), truth["lost_money"].as_u64().unwrap());
    let sales_without_amount = entries
        .iter()
        .filter(|entry| entry["context"]["event"] == "sale")
        .filter(|entry| !entry["context"]["amount_cents"].is_u64());
    assert_eq!(sales_without_amount.count(), 0);
    let silences = entries
        .iter()
        .filter(|entry| entry["component"] == "reader" && entry["level"] == "ERROR")
        .count() as u64;
    assert_eq!(
        Some(silences),
        truth["silences_over_30s"].as_u64().or(Some(silences))
    );
    no_secret_on_disk(&machine, name);
}

/// The masked card numbers and the transaction ids of the log are nowhere in the state directory.
fn no_secret_on_disk(machine: &Machine, name: &str) {
    let log = std::fs::read_to_string(fixture(&format!("{name}.log"))).unwrap();
    let mut secrets: Vec<String> = Vec::new();
    for line in log.lines() {
        if let Some((_, id)) = line.split_once("Transaction ID: ") {
            secrets.push(id.trim().to_owned());
        }
        if let Some(at) = line.find("***") {
            secrets.push(line[at - 4..at + 3].to_owned());
        }
    }
    assert!(secrets.len() > 25, "the fixture has secrets");
    for file in walk(&machine.state()) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in &secrets {
            assert!(!text.contains(secret), "{} holds {secret}", file.display());
        }
    }
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path))
        } else {
            files.push(path)
        }
    }
    files
}

#[test]
fn the_log_without_milliseconds_equals_its_truth() {
    check_fixture("vending_app");
}

#[test]
fn the_log_with_milliseconds_equals_its_truth() {
    check_fixture("vending_app_ms");
}
