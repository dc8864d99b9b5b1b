//! A real `vendlog-server` with its own data directory, key file and port.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::binaries::binary;
use crate::process::{self, Ended, Process};
use crate::{Api, wait};

/// A running server; killed when dropped.
pub struct Server {
    /// The process.
    pub process: Process,
    /// `https://127.0.0.1:port`.
    pub url: String,
    /// Its pin.
    pub pin: String,
    folder: PathBuf,
}

impl Server {
    /// Starts one in a folder of its own: data in `data`, key in `store.key`, on a free port.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start(folder: &Path) -> Server {
        Server::start_at(folder, "127.0.0.1:0")
    }

    /// One whose clock starts at this time in UTC, such as `2027-01-01 00:10:00`, and goes on.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start_on(folder: &Path, time: &str) -> Server {
        let mut command = command(folder, &["--listen", "127.0.0.1:0"]);
        command
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME", format!("@{time}"))
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
            .env("TZ", "UTC");
        Server::start_as(folder, command)
    }

    /// One whose clock is ahead of ours by what stands in a file: seconds with a sign, read anew every
    /// second.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start_by_clock(folder: &Path, clock: &Path) -> Server {
        Server::start_as(folder, by_clock(folder, "127.0.0.1:0", clock))
    }

    /// SIGKILL, then a new one on the same port and data, with the clock of [`Server::start_by_clock`].
    ///
    /// # Panics
    /// It does not become ready.
    pub fn kill_and_restart_by_clock(&mut self, clock: &Path) {
        self.process.kill();
        let address = self.url.trim_start_matches("https://").to_owned();
        let folder = self.folder.clone();
        *self = Server::start_as(&folder, by_clock(&folder, &address, clock));
    }

    /// One whose system trusts this authority and no other.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start_trusting(folder: &Path, ca_pem: &str) -> Server {
        std::fs::create_dir_all(folder).expect("the server's folder");
        let authorities = folder.join("authorities.pem");
        std::fs::write(&authorities, ca_pem).expect("a file");
        let mut command = command(folder, &["--listen", "127.0.0.1:0"]);
        command
            .env("SSL_CERT_FILE", authorities)
            .env_remove("SSL_CERT_DIR");
        Server::start_as(folder, command)
    }

    fn start_at(folder: &Path, listen: &str) -> Server {
        Server::start_as(folder, command(folder, &["--listen", listen]))
    }

    fn start_as(folder: &Path, command: Command) -> Server {
        std::fs::create_dir_all(folder).expect("the server's folder");
        let mut process = Process::start(command, folder);
        let ready = process
            .line()
            .unwrap_or_else(|| panic!("not ready: {}", process.messages()));
        let ready: Value = serde_json::from_str(&ready).expect("the ready line is JSON");
        let text = |key: &str| {
            ready[key]
                .as_str()
                .unwrap_or_else(|| panic!("no {key}"))
                .to_owned()
        };
        Server {
            url: text("url"),
            pin: text("pin"),
            folder: folder.to_owned(),
            process,
        }
    }

    /// SIGKILL, then a new one on the same port and data.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        let address = self.url.trim_start_matches("https://").to_owned();
        let again = Server::start_at(&self.folder.clone(), &address);
        assert_eq!(
            self.pin, again.pin,
            "the certificate must outlive a restart"
        );
        *self = again;
    }

    /// Ends it and waits until it has drained.
    pub fn stop(&mut self) {
        let status = self.process.terminate(wait::seconds(30));
        assert!(
            status.success(),
            "a server that is asked to end ends well: {status}"
        );
    }

    /// The directory of the store.
    pub fn data(&self) -> PathBuf {
        data(&self.folder)
    }

    /// Registers a machine and gives back its key.
    pub fn add_machine(&self, id: &str) -> String {
        let answer = run(&self.folder, &["machine", "add", id]).json();
        answer["api_key"].as_str().expect("a key").to_owned()
    }

    /// Every entry, one by one, in the store's order.
    ///
    /// # Panics
    /// The dump fails or is no NDJSON.
    pub fn dump(&self, mut each: impl FnMut(Value)) {
        let mut command = command(&self.folder, &["logs", "dump"]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the dump starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        for line in stdout.lines() {
            let line = line.expect("the dump is text");
            each(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}")));
        }
        let status = child.wait().expect("a child can be waited for");
        assert!(status.success(), "the dump is whole: {status}");
    }

    /// A script's client of this server.
    pub fn api(&self) -> Api {
        self.api_as(&self.token("manager"))
    }

    /// A token of this role.
    pub fn token(&self, role: &str) -> String {
        let name = format!("tests-{role}");
        let answer = run(&self.folder, &["token", "add", &name, "--role", role]).json();
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// A client with another credential.
    pub fn api_as(&self, bearer: &str) -> Api {
        Api::new(&self.url, &self.pin, bearer)
    }
}

/// Runs a command of `vendlog-server` on the data in `folder`.
pub fn run(folder: &Path, words: &[&str]) -> Ended {
    process::run(command(folder, words))
}

/// `vendlog-server` with these words on the data in `folder`.
pub fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(binary("vendlog-server"));
    command.args(words);
    command
        .arg("--data")
        .arg(data(folder))
        .arg("--key-file")
        .arg(folder.join("store.key"));
    command
}

fn by_clock(folder: &Path, listen: &str, clock: &Path) -> Command {
    let mut command = command(folder, &["--listen", listen]);
    command
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_CACHE_DURATION", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1")
        .env("TZ", "UTC");
    command
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Debian's libfaketime for programs with threads.
fn faketime() -> PathBuf {
    let architectures = std::fs::read_dir("/usr/lib").expect("a system has libraries");
    let found = architectures.flatten().find_map(|folder| {
        let library = folder.path().join("faketime/libfaketimeMT.so.1");
        library.exists().then_some(library)
    });
    found.expect("libfaketime is missing; `cargo xtask test` installs it")
}
