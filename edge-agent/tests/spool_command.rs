//! `vendlog-agent spool` looks inside beside a running agent and without one.

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Machine, json_lines, wait_for};

fn log(machine: &Machine, from: usize, to: usize) {
    let level = |number| ["INFO", "WARNING", "ERROR"][number % 3];
    let line = |number| {
        format!(
            "2026-01-22 14:30:15 - a - {} - entry {number}\n",
            level(number)
        )
    };
    let text: String = (from..=to).map(line).collect();
    let old = fs::read_to_string(machine.log()).unwrap_or_default();
    fs::write(machine.log(), old + &text).unwrap();
}

fn spool(machine: &Machine, arguments: &[&str]) -> (Option<i32>, String) {
    let (code, out, said) = machine.command_with("spool", arguments);
    assert!(code == Some(0) || !said.is_empty(), "a failure says why");
    (code, out)
}

fn counts(machine: &Machine) -> Value {
    let (code, out) = spool(machine, &["--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(out.lines().count(), 1);
    serde_json::from_str(&out).unwrap()
}

fn entries(machine: &Machine, arguments: &[&str]) -> Vec<u64> {
    let (code, out) = spool(machine, &[&["--entries"], arguments].concat());
    assert_eq!(code, Some(0));
    let seq = |line: &str| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64();
    out.lines().map(|line| seq(line).unwrap()).collect()
}

#[test]
fn it_counts_and_prints_entries_beside_a_running_agent_and_without_one() {
    let machine = Machine::new("");
    let empty = counts(&machine);
    assert_eq!(
        (&empty["epoch"], &empty["total"]["entries"]),
        (&Value::Null, &json!(0))
    );
    log(&machine, 1, 90);
    let agent = machine.spawn();
    wait_for("the entries", || json_lines(&machine.local()).len() == 90);

    let running = counts(&machine);
    let total = &running["total"];
    assert_eq!(
        (&total["first_seq"], &total["last_seq"]),
        (&json!(1), &json!(90))
    );
    let levels = json!({"DEBUG": 0, "INFO": 30, "WARN": 30, "ERROR": 30, "CRITICAL": 0});
    assert_eq!(total["levels"], levels);
    assert!(total["packed_bytes"].as_u64() < total["raw_bytes"].as_u64());
    assert_eq!(running["delivered_wifi"], Value::Null, "it is off");
    assert_eq!(running["damaged"], json!([]));
    assert_eq!(entries(&machine, &[]), (1..=90).collect::<Vec<_>>());
    assert_eq!(
        entries(&machine, &["--from", "63", "--to", "66"]),
        [63, 64, 65, 66]
    );
    agent.kill();

    let segment = running["segments"][0]["file"].as_str().unwrap();
    let path = machine.state().join("spool").join(segment);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    let damaged = counts(&machine);
    let lost = damaged["damaged"][0]["to"].as_u64().unwrap();
    assert_eq!(damaged["damaged"], json!([{"from": 1, "to": lost}]));
    assert_eq!(damaged["total"]["entries"], json!(90 - lost));
    assert_eq!(entries(&machine, &[]), (lost + 1..=90).collect::<Vec<_>>());
}

#[test]
fn wrong_use_is_told_apart() {
    let machine = Machine::new("");
    assert_eq!(spool(&machine, &["--from", "3"]).0, Some(2));
    assert_eq!(
        spool(&machine, &["--entries", "--from", "3", "--to", "2"]).0,
        Some(2)
    );
    assert_eq!(spool(&machine, &["--entries", "--json"]).0, Some(2));
}
