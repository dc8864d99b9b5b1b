//! A server and the agent of one machine, whose log grows.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tests::wait::{self, seconds};
use tests::{AgentSetup, Api, Server, server};

pub struct Site {
    pub server: Server,
    pub api: Api,
    pub setup: AgentSetup,
    pub written: u64,
    dir: tempfile::TempDir,
}

impl Site {
    /// VM001, whose agent is not started; `sections` come behind `[wifi]`.
    pub fn new(sections: &str) -> Site {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("app.log");
        File::create(&log).expect("the log");
        let server = Server::start(&dir.path().join("server"));
        let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log);
        let wifi = format!("{}\n\n{sections}", setup.wifi);
        Site {
            api: server.api(),
            setup: AgentSetup { wifi, ..setup },
            server,
            written: 0,
            dir,
        }
    }

    /// The server's folder.
    pub fn server_folder(&self) -> PathBuf {
        self.dir.path().join("server")
    }

    /// A path that is the test's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Appends so many numbered lines to the log.
    pub fn write(&mut self, lines: u64) {
        let log = File::options().append(true).open(&self.setup.log);
        let mut log = log.expect("the log");
        for _ in 0..lines {
            self.written += 1;
            let number = self.written;
            let line = format!("2026-01-22 14:30:15 - __main__ - INFO - Line number {number}");
            writeln!(log, "{line}").expect("a line");
        }
    }

    /// Waits until every line is there, and fails when one is there twice.
    pub fn assert_whole(&self) {
        let wanted = || {
            let entries = self.api.entries("");
            let mut lines: Vec<String> = entries.iter().filter_map(line).collect();
            lines.sort();
            lines
        };
        wait::until("every line", seconds(40), || {
            std::thread::sleep(Duration::from_millis(200));
            (wanted().len() as u64 >= self.written).then_some(())
        });
        let mut all: Vec<String> = (1..=self.written)
            .map(|number| format!("Line number {number}"))
            .collect();
        all.sort();
        assert_eq!(wanted(), all, "every line once");
    }

    /// `vendlog-server machine WORDS`, which must succeed.
    pub fn machine(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = ["machine"].iter().chain(words).copied().collect();
        server::run(&self.server_folder(), &words).json()
    }

    /// The machine's last heartbeat.
    pub fn heartbeat(&self) -> Value {
        self.api.get("/api/machines/VM001/status").json()["heartbeat"].clone()
    }

    /// Waits until the machine says this of its configuration, and gives back the whole report.
    pub fn wait_for_state(&self, version: &Value, state: &str) -> Value {
        let what = format!("the configuration to be {state}");
        wait::until(&what, seconds(60), || {
            std::thread::sleep(Duration::from_millis(100));
            let reported = self.api.get("/api/machines/VM001/agent-config").json();
            let reported = reported["reported"].clone();
            (reported["version"] == *version && reported["state"] == state).then_some(reported)
        })
    }
}

/// The message of an entry that is a line of the log.
fn line(entry: &Value) -> Option<String> {
    let message = entry["message"].as_str()?;
    message
        .starts_with("Line number")
        .then(|| message.to_owned())
}
