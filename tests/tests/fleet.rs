//! `vendlog-sim fleet` against a real server: as many machines as asked for, with their past, their
//! heartbeats and their fates.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::binaries::binary;
use tests::{Server, process};

const IDS: [&str; 4] = ["VM001", "VM002", "VM003", "VM004"];

/// Registers the machines and writes their keys as `vendlog-sim` reads them.
fn keys(server: &Server, folder: &Path) -> std::path::PathBuf {
    let line = |id: &&str| {
        let member = serde_json::json!({"machine_id": id, "api_key": server.add_machine(id)});
        format!("{member}\n")
    };
    let path = folder.join("keys.ndjson");
    std::fs::write(&path, IDS.iter().map(line).collect::<String>()).expect("the keys");
    path
}

/// `vendlog-sim fleet` that ends when the past is sent.
fn fleet(server: &Server, pin: &str, keys: &Path) -> Command {
    let mut fleet = Command::new(binary("vendlog-sim"));
    fleet.args([
        "fleet",
        "--url",
        &server.url,
        "--pin",
        pin,
        "--history",
        "12h",
    ]);
    fleet.arg("--history-only").arg("--keys").arg(keys);
    fleet
}

#[test]
fn a_simulated_fleet_delivers_its_past_and_shows_its_fates() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&dir.path().join("server"));
    let keys = keys(&server, dir.path());
    let ended = process::run(fleet(&server, &server.pin, &keys));
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let machines = server.api().get("/api/machines").json();
    let machines = machines["machines"].as_array().expect("machines").clone();
    assert_eq!(machines.len(), IDS.len());
    for machine in &machines {
        assert!(machine["heartbeat"].is_object(), "{machine}");
        assert!(machine["last_contact"]["wifi"].is_string(), "{machine}");
    }
    let errors = |index: usize| machines[index]["errors_24h"].as_u64().expect("a count");
    let by_fate: Vec<bool> = (0..IDS.len()).map(|index| errors(index) > 0).collect();
    assert_eq!(
        by_fate,
        [false, true, false, true],
        "healthy, troubled, silent later, critical"
    );

    let api = server.api();
    for id in IDS {
        let entries = api.entries(&format!("machine={id}"));
        assert!(entries.len() > 1_000, "{id} has {} entries", entries.len());
        let mut seqs: Vec<u64> = entries
            .iter()
            .filter_map(|entry| entry["seq"].as_u64())
            .collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=entries.len() as u64).collect::<Vec<_>>(), "{id}");
        let clear = |entry: &&Value| entry["message"].to_string().contains("****");
        assert_eq!(
            entries.iter().find(clear),
            None,
            "cards are taken out before they are sent"
        );
    }
}

#[test]
fn a_fleet_sends_nothing_to_a_server_with_another_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&dir.path().join("server"));
    let other = Server::start(&dir.path().join("other"));
    let keys = keys(&server, dir.path());
    let mut fleet = tests::Process::start(fleet(&server, &other.pin, &keys), dir.path());
    tests::wait::until("the fleet to say why", tests::wait::seconds(20), || {
        fleet.messages().contains("VM004").then_some(())
    });
    assert!(fleet.is_running(), "it tries again for ever");
    assert_eq!(server.api().total(), Some(0));
    fleet.kill();
}
