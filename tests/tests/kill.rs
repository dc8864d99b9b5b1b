//! The recorded log grows while agent and server are killed again and again: nothing is lost and
//! nothing comes twice.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sim::rng::Rng;
use tests::fixture::{Fixture, beyond_redaction};
use tests::wait::seconds;
use tests::{AgentSetup, Server};

const KILLS: usize = 20;

#[test]
fn twenty_kills_of_each_side_lose_nothing_and_repeat_nothing() {
    survives_kills("vending_app");
}

#[test]
fn twenty_kills_of_each_side_lose_nothing_of_a_log_with_milliseconds() {
    survives_kills("vending_app_ms");
}

fn survives_kills(name: &str) {
    let fixture = Fixture::read(name);
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("last_tx_log.log");
    let mut server = Server::start(&dir.path().join("server"));
    let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log);
    let api = server.api();
    let killed = AtomicBool::new(false);
    let mut agent = std::thread::scope(|scope| {
        scope.spawn(|| grow(&log, &fixture.bytes, &killed));
        let agents = scope.spawn(|| {
            let mut rng = Rng::new(1);
            let mut agent = setup.start();
            for _ in 0..KILLS {
                pause(&mut rng);
                agent.kill_and_restart();
            }
            agent
        });
        let mut rng = Rng::new(2);
        for _ in 0..KILLS {
            pause(&mut rng);
            server.kill_and_restart();
        }
        let agent = agents.join().expect("the agent starts every time");
        killed.store(true, Ordering::Relaxed);
        agent
    });
    api.wait_for_entries(fixture.messages.len() as u64, seconds(60));

    let mut entries = api.entries("machine=VM001");
    entries.sort_by_key(|entry| (entry["epoch"].as_u64(), entry["seq"].as_u64()));
    let seqs: Vec<Option<u64>> = entries.iter().map(|entry| entry["seq"].as_u64()).collect();
    let whole: Vec<Option<u64>> = (1..=entries.len() as u64).map(Some).collect();
    assert_eq!(seqs, whole, "seqs go on over a kill");
    // That the server was gone, the agent says itself.
    entries.retain(|entry| entry["component"] != "agent");
    let got: Vec<String> = entries.iter().map(message).collect();
    let wanted: Vec<String> = fixture
        .messages
        .iter()
        .map(|text| beyond_redaction(text))
        .collect();
    if let Some(first) = (0..got.len().max(wanted.len())).find(|&n| got.get(n) != wanted.get(n)) {
        let near = first.saturating_sub(3)..(first + 4).min(got.len()).min(wanted.len());
        panic!(
            "{} entries instead of {}; they differ from record {} on:\ngot {:#?}\nnot {:#?}",
            got.len(),
            wanted.len(),
            first + 1,
            &got[near.clone()],
            &wanted[near]
        );
    }
    agent.stop();
    server.stop();
}

fn message(entry: &serde_json::Value) -> String {
    beyond_redaction(entry["message"].as_str().expect("a message"))
}

/// Between two kills: long enough for work to be under way, short enough to hit it.
fn pause(rng: &mut Rng) {
    std::thread::sleep(Duration::from_millis(rng.between(50, 1_200).unsigned_abs()));
}

/// Appends the recording in pieces of any length, so that kills meet half lines too; the last part
/// is kept back until the killing is over.
fn grow(log: &Path, bytes: &[u8], killed: &AtomicBool) {
    let mut rng = Rng::new(3);
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .expect("the log");
    let mut rest = bytes;
    while !rest.is_empty() {
        let most = if rest.len() < bytes.len() / 10 && !killed.load(Ordering::Relaxed) {
            40
        } else {
            4_000
        };
        let piece = rng.between(1, most).unsigned_abs() as usize;
        let (now, later) = rest.split_at(piece.min(rest.len()));
        file.write_all(now).expect("the log grows");
        rest = later;
        std::thread::sleep(Duration::from_millis(40));
    }
}
