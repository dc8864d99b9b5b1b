//! The Pi's package: its agent runs, reads a real file, and delivers to a real server.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tests::numbered::{self, Tally};
use tests::package::{package, unpack};
use tests::wait::seconds;
use tests::{AgentSetup, Process, Server, process};

/// More than one batch.
const ENTRIES: u64 = 1_500;
/// Emulated, in the tests' usual company.
const PATIENCE: std::time::Duration = seconds(90);

/// The agent on an emulated 64-bit ARM processor. Its C library is that of libc6:arm64, which comes with
/// the standard library that it was built with; the one of the cross compiler (`-L`) does not fit its loader.
fn emulated(agent: &Path, word: &str, config: &Path) -> Command {
    let mut command = Command::new("qemu-aarch64-static");
    command.arg(agent);
    command.arg(word).arg("--config").arg(config);
    command
}

#[test]
fn the_agent_for_the_pi_reads_a_file_and_delivers_it_to_the_server() {
    let dir = tempfile::tempdir().expect("a directory");
    unpack(&package("arm64"), dir.path());
    let agent = dir.path().join("usr/bin/vendlog-agent");
    let log = dir.path().join("app.log");
    numbered::append(&log, 1..=ENTRIES);
    let server = Server::start(&dir.path().join("server"));
    let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log);
    let config = setup.write_toml();

    let checked = process::run(emulated(&agent, "check", &config));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let began = Instant::now();
    let mut running = Process::start(emulated(&agent, "run", &config), &setup.folder);
    let api = server.api();
    api.wait_for_entries(ENTRIES, PATIENCE);
    let delivered = began.elapsed();
    // Lines that are appended while it runs: the watch on the file works emulated too.
    numbered::append(&log, ENTRIES + 1..=ENTRIES + 1);
    api.wait_for_entries(ENTRIES + 1, PATIENCE);
    let status = running.terminate(seconds(30));
    assert!(status.success(), "SIGTERM ends it well: {status}");

    let mut tally = Tally::default();
    api.entries("")
        .into_iter()
        .for_each(|entry| tally.count(entry));
    tally.assert_whole(ENTRIES + 1);
    println!(
        "arm64 under qemu: {} entries delivered in {:.1} s, 0 lost, 0 twice, 0 changed; ended well",
        ENTRIES + 1,
        delivered.as_secs_f64()
    );
}
