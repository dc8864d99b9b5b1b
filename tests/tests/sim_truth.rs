//! A day of the simulated application with every fault, read by a real agent: level, component and
//! event of each record are what the simulator meant.

use std::process::Command;

use serde_json::Value;
use tests::binaries::binary;
use tests::fixture::beyond_redaction;
use tests::wait::seconds;
use tests::{AgentSetup, Server, process};

#[test]
fn a_simulated_log_in_whole_seconds_is_read_as_it_was_meant() {
    is_read_as_it_was_meant(&[]);
}

#[test]
fn a_simulated_log_with_milliseconds_is_read_as_it_was_meant() {
    is_read_as_it_was_meant(&["--ms"]);
}

fn is_read_as_it_was_meant(more: &[&str]) {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, truth) = (dir.path().join("app.log"), dir.path().join("truth.ndjson"));
    let mut sim = Command::new(binary("vendlog-sim"));
    sim.args([
        "app",
        "--seed",
        "42",
        "--from-ago",
        "6h",
        "--timezone",
        "America/Los_Angeles",
    ]);
    sim.args([
        "--faults",
        "silent-reader,link,motor,crash-loop,lost-payment",
    ])
    .args(more);
    sim.arg("--log").arg(&log).arg("--truth").arg(&truth);
    assert_eq!(process::run(sim).code, Some(0));
    let truth = std::fs::read_to_string(&truth).expect("the truth");
    let truth: Vec<Value> = truth
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();

    let server = Server::start(&dir.path().join("server"));
    let api = server.api();
    let _agent = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log).start();
    api.wait_for_total(truth.len() as u64, seconds(60));
    let mut entries = api.entries("");
    entries.sort_by_key(|entry| entry["seq"].as_u64());
    assert_eq!(entries.len(), truth.len());
    for (meant, entry) in truth.iter().zip(&entries) {
        for field in ["level", "component"] {
            assert_eq!(entry[field], meant[field], "{field} of {entry}");
        }
        for (key, value) in meant["context"].as_object().expect("a context") {
            assert_eq!(&entry["context"][key], value, "{key} of {entry}");
        }
        let text = |value: &Value| beyond_redaction(value["message"].as_str().expect("a message"));
        assert_eq!(text(entry), text(meant));
    }
}
