//! Issue point 4: whatever happens to the agent, the application's calls return within 5 ms. How it
//! is measured on a busy machine stands in `calls.py`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::small_disk::where_mounting_is_allowed;
use tests::{Agent, AgentSetup, Process, SmallDisk};

use crate::support::{Local, PATIENCE, python, setup, socket_input};

const CALLS: u64 = 10_000;
const ROUNDS: u64 = 5;
/// A little less than the agent's spool and local file take of it.
const DISK_BYTES: u64 = 16 * 1024 * 1024;

/// An application with an agent that is well.
struct Measured {
    setup: AgentSetup,
    agent: Agent,
    program: Process,
    folder: tempfile::TempDir,
}

impl Measured {
    fn start(state: Option<&Path>) -> Measured {
        let folder = tempfile::tempdir().expect("a directory");
        let socket = folder.path().join("agent.sock");
        let place = state.unwrap_or_else(|| folder.path());
        let setup = setup(place, &socket_input(&socket));
        let agent = setup.start();
        let words = [
            socket.to_str().expect("text").to_owned(),
            folder.path().to_str().expect("text").to_owned(),
            CALLS.to_string(),
            ROUNDS.to_string(),
        ];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut program = python("calls.py", &words, folder.path());
        assert_eq!(
            program.line().as_deref(),
            Some("ready"),
            "{}",
            program.messages()
        );
        Measured {
            setup,
            agent,
            program,
            folder,
        }
    }

    /// Measures now that the agent is in trouble; the last round must be a good one.
    fn measure(&mut self, trouble: &str) {
        fs::write(self.folder.path().join("go"), "").expect("a file");
        let mut last = Value::Null;
        loop {
            let line = self.program.line().expect("a round");
            if line == "measured" {
                break;
            }
            println!("{CALLS} calls, agent {trouble}: {line}");
            last = serde_json::from_str(&line).expect("JSON");
        }
        assert_eq!(
            last["good"], true,
            "calls wait longer than 5 ms in each of {ROUNDS} rounds: {last}"
        );
    }

    /// The agent is well again: every record has arrived or is told of as dropped.
    fn nothing_is_lost_in_silence(mut self) {
        fs::write(self.folder.path().join("back"), "").expect("a file");
        let line = self.program.line().expect("what became of all");
        let all: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(all["flushed"], true, "{all}");
        assert!(
            self.program.wait(PATIENCE).success(),
            "{}",
            self.program.messages()
        );
        self.agent.stop();
        let mut local = Local::new(&self.setup);
        local.read_on();
        let told: u64 = local
            .events("gap")
            .iter()
            .filter_map(|gap| gap["context"]["records"].as_u64())
            .sum();
        let (changed, others) = (local.tally.changed.len(), &local.tally.others);
        let before = others.iter().filter(|e| {
            e["message"]
                .as_str()
                .is_some_and(|m| m.starts_with("before "))
        });
        let stored = changed as u64 + before.count() as u64;
        assert_eq!(
            stored + told,
            all["made"].as_u64().expect("a count"),
            "{all}"
        );
        println!(
            "of {} records {stored} arrived, {told} are told of as dropped",
            all["made"]
        );
    }

    fn signal(&self, signal: &str) {
        let id = self.agent.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill {signal}");
    }
}

#[test]
fn no_call_waits_for_an_agent_that_is_dead() {
    let mut measured = Measured::start(None);
    measured.agent.process.kill();
    measured.measure("dead");
    measured.agent = measured.setup.start();
    measured.nothing_is_lost_in_silence();
}

#[test]
fn no_call_waits_for_an_agent_that_hangs() {
    let mut measured = Measured::start(None);
    measured.signal("-STOP");
    measured.measure("stopped");
    measured.signal("-CONT");
    measured.nothing_is_lost_in_silence();
}

#[test]
fn no_call_waits_for_an_agent_whose_disk_is_full() {
    where_mounting_is_allowed(
        "calls::no_call_waits_for_an_agent_whose_disk_is_full",
        || {
            let dir = tempfile::tempdir().expect("a directory");
            let disk = SmallDisk::mount(&dir.path().join("disk"), DISK_BYTES);
            let mut measured = Measured::start(Some(disk.path()));
            disk.fill_but(0);
            measured.measure("with a full disk");
            disk.free();
            measured.nothing_is_lost_in_silence();
        },
    );
}
