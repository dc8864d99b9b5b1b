//! The application's log is renamed, emptied and made anew, also while the agent is down: every
//! line arrives once.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use tests::wait::seconds;
use tests::{Agent, AgentSetup, Api, Server};

/// A machine whose log is about to move.
struct Machine {
    log: PathBuf,
    written: usize,
    api: Api,
    agent: Agent,
    _server: Server,
    _dir: tempfile::TempDir,
}

impl Machine {
    fn start() -> Machine {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("app.log");
        let server = Server::start(&dir.path().join("server"));
        let api = server.api();
        let agent = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log).start();
        Machine {
            log,
            written: 0,
            api,
            agent,
            _server: server,
            _dir: dir,
        }
    }

    /// Appends so many numbered lines to the log, which is made when it is not there.
    fn write(&mut self, lines: usize) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("the log");
        for _ in 0..lines {
            self.written += 1;
            let number = self.written;
            writeln!(
                file,
                "2026-01-22 14:30:15 - __main__ - INFO - Line number {number}"
            )
            .expect("a line");
        }
    }

    fn wait(&self) {
        self.api.wait_for_total(self.written as u64, seconds(30));
    }

    fn rename(&self, to: &str) -> PathBuf {
        let renamed = self.log.with_extension(to);
        fs::rename(&self.log, &renamed).expect("renamed");
        renamed
    }

    /// Every line once, in order.
    fn assert_whole(&self) {
        self.wait();
        let mut entries = self.api.entries("");
        entries.sort_by_key(|entry| (entry["epoch"].as_u64(), entry["seq"].as_u64()));
        let got: Vec<&str> = entries
            .iter()
            .filter_map(|entry| entry["message"].as_str())
            .collect();
        let wanted: Vec<String> = (1..=self.written)
            .map(|number| format!("Line number {number}"))
            .collect();
        assert_eq!(got, wanted);
    }
}

#[test]
fn a_renamed_log_is_read_to_its_end_and_the_new_one_from_its_start() {
    let mut machine = Machine::start();
    machine.write(500);
    machine.wait();
    machine.write(300);
    machine.rename("log.1");
    machine.write(200);
    machine.assert_whole();
    machine.write(50);
    machine.assert_whole();
}

#[test]
fn a_log_that_is_emptied_at_a_restart_is_read_from_its_start() {
    let mut machine = Machine::start();
    for _ in 0..3 {
        machine.write(400);
        machine.wait();
        File::create(&machine.log).expect("emptied, as Python's mode w does");
    }
    machine.write(700);
    machine.assert_whole();
}

#[test]
fn a_rotation_while_the_agent_is_down_loses_nothing() {
    let mut machine = Machine::start();
    machine.write(300);
    machine.wait();
    machine.agent.process.kill();
    machine.write(100);
    machine.rename("log.1");
    machine.write(100);
    machine.agent.kill_and_restart();
    machine.assert_whole();
}

#[test]
fn a_writer_that_keeps_the_renamed_log_open_is_still_heard() {
    let mut machine = Machine::start();
    machine.write(100);
    machine.wait();
    let renamed = machine.rename("log.1");
    append_as(&mut machine, &renamed, 50);
    machine.wait();
    machine.write(100);
    machine.assert_whole();
}

/// Writes to `path` the lines that come next.
fn append_as(machine: &mut Machine, path: &Path, lines: usize) {
    let log = std::mem::replace(&mut machine.log, path.to_owned());
    machine.write(lines);
    machine.log = log;
}
