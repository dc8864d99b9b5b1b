//! A `vendlog-sim reader` on a pty: the card reader of a machine, with its faults.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::binaries::binary;
use crate::process::Process;

/// A running reader; killed when dropped.
pub struct Reader {
    /// The process.
    pub process: Process,
    /// The port that a machine opens.
    pub port: PathBuf,
}

impl Reader {
    /// Starts one that puts finished uploads into `uploads`; `words` name its faults.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start(folder: &Path, uploads: &Path, words: &[&str]) -> Reader {
        fs::create_dir_all(uploads).expect("the folder of uploads");
        let mut command = Command::new(binary("vendlog-sim"));
        command
            .arg("reader")
            .arg("--uploads")
            .arg(uploads)
            .args(words);
        let mut process = Process::start(command, folder);
        let ready = process
            .line()
            .unwrap_or_else(|| panic!("not ready: {}", process.messages()));
        let ready: Value = serde_json::from_str(&ready).expect("the ready line is JSON");
        let port = ready["port"].as_str().expect("a port");
        // Events that nobody reads must not fill the pipe.
        let output = process.take_output();
        std::thread::spawn(move || std::io::copy(&mut { output }, &mut std::io::sink()));
        Reader {
            port: PathBuf::from(port),
            process,
        }
    }

    /// The `[eport]` of an agent that owns this reader's port and sends as often as it can.
    pub fn section(&self, more: &str) -> String {
        format!(
            "[eport]\nenabled = true\nmode = \"serial\"\nport = {:?}\nsend_interval_s = 1\n{more}\n",
            self.port
        )
    }
}
