//! A wall clock that a test sets, for a real agent: libfaketime, which reads it from a file at every
//! look, and a time namespace in which the machine has just booted. The clock since boot goes on
//! by itself, as it does on a real machine whose clock is stepped.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// The clock of one machine.
pub struct FakeClock {
    dir: PathBuf,
    offset: SignedDuration,
}

impl FakeClock {
    /// A clock that is off by `offset` and that nobody has set yet.
    pub fn new(dir: &Path, offset: SignedDuration) -> FakeClock {
        let mut clock = FakeClock {
            dir: dir.to_owned(),
            offset,
        };
        clock.step(offset);
        clock
    }

    /// How far from now `text` is.
    pub fn until(text: &str) -> SignedDuration {
        text.parse::<Timestamp>()
            .unwrap()
            .duration_since(Timestamp::now())
    }

    /// Steps it: from now on it is off by `offset`.
    pub fn step(&mut self, offset: SignedDuration) {
        self.offset = offset;
        let aside = self.dir.join("faketime.new");
        fs::write(&aside, format!("{:+.3}\n", offset.as_secs_f64())).unwrap();
        fs::rename(aside, self.dir.join("faketime")).unwrap();
    }

    /// A time daemon has set it: right, and said to be.
    pub fn set_right(&mut self) {
        self.step(SignedDuration::ZERO);
        fs::write(self.synced_file(), "").unwrap();
    }

    /// What it shows now.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.offset
    }

    /// The stamp that the application makes now, in the zone of the tests' machine.
    pub fn stamp(&self) -> String {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let now = self.now().to_zoned(zone);
        now.strftime("%Y-%m-%d %H:%M:%S,%3f").to_string()
    }

    /// What a time daemon makes when it has set the clock.
    pub fn synced_file(&self) -> PathBuf {
        self.dir.join("synchronized")
    }

    /// The section of the configuration that names it; `more` is added.
    pub fn section(&self, more: &str) -> String {
        format!(
            "[clock]\nsynced_file = \"{}\"\n{more}\n",
            self.synced_file().display()
        )
    }

    /// Runs the agent with this clock. `up_s`: the machine has been up for so long, else as long as
    /// this one.
    pub fn spawn(&self, config: &Path, up_s: Option<i64>) -> Child {
        let agent = env!("CARGO_BIN_EXE_vendlog-agent");
        let mut command = match up_s {
            None => Command::new(agent),
            Some(up_s) => {
                let uptime = fs::read_to_string("/proc/uptime").unwrap();
                let uptime: i64 = uptime.split('.').next().unwrap().parse().unwrap();
                let mut command = Command::new("unshare");
                command.args(["--time", "--fork", "--kill-child=KILL", "--boottime"]);
                command.arg((up_s - uptime).to_string()).arg(agent);
                command
            }
        };
        command
            .args(["run", "--config"])
            .arg(config)
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", self.dir.join("faketime"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // File times stay real: the agent only compares them with each other.
            .env("NO_FAKE_STAT", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// Debian's libfaketime for programs with threads.
fn library() -> PathBuf {
    let found = fs::read_dir("/usr/lib").unwrap().flatten().find_map(|dir| {
        let path = dir.path().join("faketime/libfaketimeMT.so.1");
        path.exists().then_some(path)
    });
    found.expect("libfaketime is missing; `cargo xtask test` installs it")
}
