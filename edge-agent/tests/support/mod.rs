//! What the agent's tests share: a pipeline over a directory, and the real binary.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod client;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use edge_agent::clock::Wall;
use edge_agent::config::Config;
use edge_agent::own_log::OwnLog;
use edge_agent::pipeline::{Pipeline, Progress, Setup, Wake};
use edge_agent::spool::Spool;
use jiff::Timestamp;
use serde_json::Value;
use wire::redact::{HashKey, Redactor, Rules};
use wire::{ClockState, Micros};

/// Nothing is waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn now() -> Micros {
    Micros::from_timestamp(Timestamp::now())
}

/// A machine whose clock is set, whatever the one is that runs the test.
pub fn wall() -> Wall {
    Wall::plain(now(), ClockState::Synced)
}

/// A directory with a configuration for one followed file.
pub struct Machine {
    pub dir: tempfile::TempDir,
}

impl Machine {
    /// `more` is added to the configuration.
    pub fn new(more: &str) -> Machine {
        let machine = Machine {
            dir: tempfile::tempdir().unwrap(),
        };
        machine.configure(more);
        machine
    }

    pub fn configure(&self, more: &str) {
        let dir = self.dir.path().display();
        let text = format!(
            "machine_id = \"VM001\"\nstate_dir = \"{dir}/state\"\n\
             [[input]]\nkind = \"file\"\npath = \"{dir}/log/app.log\"\nformat = \"python\"\n\
             timezone = \"America/Los_Angeles\"\npack = \"soap\"\n\
             [local]\npath = \"{dir}/local/vending.log\"\nmax_bytes = 1073741824\n{more}\n"
        );
        std::fs::create_dir_all(self.dir.path().join("log")).unwrap();
        std::fs::write(self.config_path(), text).unwrap();
    }

    pub fn config_path(&self) -> PathBuf {
        self.dir.path().join("agent.toml")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.path().join("log/app.log")
    }

    pub fn local(&self) -> PathBuf {
        self.dir.path().join("local/vending.log")
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// A pipeline on this machine's files, as a start of the agent makes it.
    pub fn start(&self) -> Reading {
        let config = Config::read(&self.config_path()).unwrap();
        let state = self.state();
        let spool = Spool::open(
            &state.join("spool"),
            &state.join("checkpoint"),
            config.spool,
            |_| 0,
            now(),
        )
        .unwrap();
        // What earlier starts left is theirs.
        let reader = spool.reader(spool.last_seq());
        let progress = Arc::new(Progress::new(0));
        let rules = Rules {
            hash_fields: config.privacy.hash_fields.clone(),
            drop_fields: config.privacy.drop_fields.clone(),
        };
        let redactor = Redactor::new(HashKey::new([7; 32]), rules);
        let (wakes, woken) = mpsc::channel();
        let setup = Setup {
            spool,
            redactor,
            progress: progress.clone(),
            spread: Duration::ZERO,
            wakes,
            own: OwnLog::default(),
            outbox: None,
        };
        let pipeline = Pipeline::new(&config.inputs, setup).unwrap();
        Reading {
            pipeline,
            woken,
            reader,
            progress,
        }
    }

    /// The real agent, running.
    pub fn spawn(&self) -> Agent {
        let child = Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
            .args(["run", "--config"])
            .arg(self.config_path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Agent(Some(child))
    }

    /// The real agent's other commands: exit code, stdout, stderr.
    pub fn command(&self, name: &str) -> (Option<i32>, String, String) {
        self.command_with(name, &[])
    }

    /// The same with more arguments.
    pub fn command_with(&self, name: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
            .args([name, "--config"])
            .arg(self.config_path())
            .args(more)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }
}

/// A pipeline in this process, with a reader of its spool.
pub struct Reading {
    pub pipeline: Pipeline,
    pub reader: edge_agent::spool::SpoolReader,
    pub progress: Arc<Progress>,
    pub woken: mpsc::Receiver<Wake>,
}

impl Reading {
    /// Works until nothing is left to do, and answers the entries that came.
    pub fn drain(&mut self) -> Vec<Value> {
        self.pipeline.look_around();
        let start = Instant::now();
        loop {
            let wait = self.pipeline.step(Instant::now(), wall()).unwrap();
            if wait > Duration::from_secs(3) {
                break;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the pipeline does not come to rest"
            );
            std::thread::sleep(wait.min(Duration::from_millis(20)));
        }
        let mut entries = Vec::new();
        while let Some(stored) = self.reader.next_entry().unwrap() {
            entries.push(serde_json::from_str(&stored.json).unwrap());
        }
        entries
    }
}

/// A running agent, killed when dropped.
pub struct Agent(Option<Child>);

impl Agent {
    /// For a test that starts it in its own way.
    pub fn of(child: Child) -> Agent {
        Agent(Some(child))
    }

    pub fn is_running(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    pub fn pid(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; the exit code and what it said.
    pub fn terminate(mut self) -> (Option<i32>, String) {
        let child = self.0.take().unwrap();
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until `condition` holds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Letters without a pattern: the spool packs what has one, and would not be filled.
pub fn noise(seed: usize, len: usize) -> String {
    let mut state = seed as u64;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_add(0x9E37_79B9_7F4A_7C15)
            .wrapping_mul(0xD134_2543_DE82_EF95);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    });
    letters.take(len).collect()
}

pub fn messages(entries: &[Value]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| entry["message"].as_str().unwrap().to_owned())
        .collect()
}

/// The entries of a file with one JSON object a line, without the agent's own trouble.
pub fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|entry: &Value| entry["context"]["event"] != "trouble")
        .collect()
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name)
}
