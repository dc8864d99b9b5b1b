//! A `vendlog-sim reader` on a pty: the card reader of a machine, with its faults.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::binary;
use crate::process::Process;

/// A drop every few seconds is no month's budget.
const BUDGET_BYTES: u64 = 1_000_000_000;

/// A running reader; killed when dropped.
pub struct Reader {
    /// The process.
    pub process: Process,
    /// The port that a machine opens: the same for every reader of a folder.
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
        let port = folder.join("ttyUSB0");
        command.arg("reader").arg("--uploads").arg(uploads);
        command.arg("--link").arg(&port).args(words);
        let mut process = Process::start(command, folder);
        let ready = process.line();
        assert!(ready.is_some(), "not ready: {}", process.messages());
        // Events that nobody reads must not fill the pipe.
        let output = process.take_output();
        std::thread::spawn(move || std::io::copy(&mut { output }, &mut std::io::sink()));
        Reader { process, port }
    }

    /// Ends it at once, as when its plug is pulled: its port is gone with it.
    pub fn unplug(mut self) {
        self.forget_port();
        self.process.kill();
    }

    /// The system gives the number of a terminal that is gone to the next one: a link that was left
    /// behind would lead to the reader of somebody else.
    fn forget_port(&self) {
        let _ = fs::remove_file(&self.port);
    }

    /// The `[eport]` of an agent that owns this reader's port and sends as often as it can.
    pub fn section(&self, more: &str) -> String {
        format!(
            "[eport]\nenabled = true\nmode = \"serial\"\nport = {:?}\nsend_interval_s = 1\n\
             monthly_budget_bytes = {BUDGET_BYTES}\n{more}\n",
            self.port
        )
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.forget_port();
    }
}
