//! An agent with inputs of every kind, and a Python beside it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::binaries::root;
use tests::numbered::Tally;
use tests::wait::{self, seconds};
use tests::{Agent, AgentSetup, Process};

/// How long a busy machine may take for what takes seconds.
pub const PATIENCE: Duration = seconds(240);
/// No server: these tests look at the local file.
const NOWHERE: (&str, &str) = (
    "https://127.0.0.1:9",
    "sha256/4jFKWTSqu0qZbRsbrorjjA8cauo1i750iwngmQkClwI=",
);

/// An agent of its own that reads the log of `folder`, and `inputs` besides. Its local file holds
/// everything.
pub fn setup(folder: &Path, inputs: &str) -> AgentSetup {
    let (url, pin) = NOWHERE;
    let mut setup = AgentSetup::of(
        &folder.join("agent"),
        "VM001",
        &folder.join("app.log"),
        url,
        pin,
    );
    setup.write_key("vl_none");
    everything(&mut setup, inputs);
    setup
}

/// The local file is not to be rotated away while a test looks at it.
pub fn everything(setup: &mut AgentSetup, inputs: &str) {
    setup.timezone = "UTC".to_owned();
    setup.local = "max_bytes = 1000000000".to_owned();
    setup.more = inputs.to_owned();
}

/// `[[input]]` of the agent's socket.
pub fn socket_input(path: &Path) -> String {
    format!("[[input]]\nkind = \"socket\"\npath = {path:?}\n")
}

/// One of the programs beside this file.
pub fn python(program: &str, words: &[&str], folder: &Path) -> Process {
    let mut command = Command::new("python3");
    command
        .arg(root().join("tests/tests/python").join(program))
        .args(words)
        .env("PYTHONPATH", root().join("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TZ", "UTC");
    Process::start(command, folder)
}

/// What `writer.py` says when it is done; it must say nothing else.
pub fn written(mut writer: Process) -> Value {
    let line = writer.line();
    assert!(writer.wait(PATIENCE).success(), "{}", writer.messages());
    assert_eq!(
        writer.messages(),
        "",
        "logging tells on stderr what it could not write"
    );
    let line = line.expect("the writer says what it wrote");
    serde_json::from_str(&line).expect("it is JSON")
}

/// What a person would see at the machine: the agent's local file, read on as it grows.
pub struct Local {
    path: PathBuf,
    file: Option<BufReader<File>>,
    half: String,
    /// What was found so far.
    pub tally: Tally,
    /// Numbered entries among them.
    pub numbered: u64,
}

impl Local {
    /// Of this agent.
    pub fn new(setup: &AgentSetup) -> Local {
        Local {
            path: setup.local(),
            file: None,
            half: String::new(),
            tally: Tally::default(),
            numbered: 0,
        }
    }

    /// Reads what is new.
    pub fn read_on(&mut self) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok().map(BufReader::new);
        }
        let Some(file) = &mut self.file else { return };
        loop {
            let read = file.read_line(&mut self.half).expect("the local file");
            if read == 0 || !self.half.ends_with('\n') {
                return;
            }
            let entry = serde_json::from_str(&self.half).expect("a line of it is JSON");
            let others = self.tally.others.len();
            self.tally.count(entry);
            self.numbered += u64::from(self.tally.others.len() == others);
            self.half.clear();
        }
    }

    /// Waits until so many numbered entries are there.
    pub fn wait_for(&mut self, count: u64) {
        wait::until(&format!("{count} entries"), PATIENCE, || {
            self.read_on();
            (self.numbered >= count).then_some(())
        });
    }

    /// Entries of the agent itself with this `event`.
    pub fn events(&self, event: &str) -> Vec<&Value> {
        let others = self.tally.others.iter();
        others
            .filter(|entry| entry["context"]["event"] == event)
            .collect()
    }
}

/// Fails unless 1 to `last` are there once each, after the agent has ended in order.
pub fn assert_whole(mut local: Local, mut agent: Agent, last: u64, what: &str) {
    local.wait_for(last);
    agent.stop();
    local.read_on();
    local.tally.assert_whole(last);
    println!("{what}: {last} records, 0 lost, 0 twice");
}
