//! A real `vendlog-agent` with its own configuration, state directory and local file.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::binary;
use crate::process::{self, Ended, Process};
use crate::{Server, wait};

/// What an agent is configured with; the defaults suit most tests.
#[derive(Debug, Clone)]
pub struct AgentSetup {
    /// Its folder: configuration, state, local file, key.
    pub folder: PathBuf,
    /// Its machine.
    pub machine_id: String,
    /// The file it reads.
    pub log: PathBuf,
    /// The zone of its stamps.
    pub timezone: String,
    /// The server.
    pub url: String,
    /// The server's pin.
    pub pin: String,
    /// Lines added to `[local]`.
    pub local: String,
    /// Whether there is a `[wifi]` at all.
    pub has_wifi: bool,
    /// Lines added to `[wifi]`.
    pub wifi: String,
    /// Seconds between two heartbeats.
    pub heartbeat_s: u64,
    /// Sections added at the end.
    pub more: String,
}

/// A running agent; killed when dropped.
pub struct Agent {
    /// The process.
    pub process: Process,
    setup: AgentSetup,
}

impl AgentSetup {
    /// An agent of machine `id`, registered at the server, that reads `log` and sends as soon as
    /// it can.
    ///
    /// # Panics
    /// Its folder cannot be made.
    pub fn new(folder: &Path, server: &Server, id: &str, log: &Path) -> AgentSetup {
        let setup = AgentSetup::of(folder, id, log, &server.url, &server.pin);
        setup.write_key(&server.add_machine(id));
        setup
    }

    /// The same for a server known by its address and pin; the key is still to be written.
    ///
    /// # Panics
    /// Its folder cannot be made.
    pub fn of(folder: &Path, id: &str, log: &Path, url: &str, pin: &str) -> AgentSetup {
        std::fs::create_dir_all(folder).expect("the agent's folder");
        AgentSetup {
            folder: folder.to_owned(),
            machine_id: id.to_owned(),
            log: log.to_owned(),
            timezone: "America/Los_Angeles".to_owned(),
            url: url.to_owned(),
            pin: pin.to_owned(),
            local: String::new(),
            has_wifi: true,
            wifi: "mode = \"continuous\"".to_owned(),
            heartbeat_s: 2,
            more: String::new(),
        }
    }

    /// Replaces the machine's key.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn write_key(&self, key: &str) {
        let path = self.folder.join("api_key");
        std::fs::write(&path, key).expect("the key file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("only for its owner");
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The local rotated file.
    pub fn local(&self) -> PathBuf {
        self.folder.join("local").join("vending_machine.log")
    }

    /// Writes `agent.toml` and gives back its path.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write_toml(&self) -> PathBuf {
        let wifi = format!(
            "[wifi]\nenabled = true\nurl = {:?}\npin = {:?}\napi_key_file = {:?}\n{}\n\n",
            self.url,
            self.pin,
            self.folder.join("api_key"),
            self.wifi,
        );
        let text = format!(
            "machine_id = {:?}\nstate_dir = {:?}\n\n\
             [[input]]\nkind = \"file\"\npath = {:?}\nformat = \"python\"\n\
             timezone = {:?}\npack = \"soap\"\n\n\
             [local]\npath = {:?}\n{}\n\n{}\
             [heartbeat]\ninterval_s = {}\n\n{}\n",
            self.machine_id,
            self.state(),
            self.log,
            self.timezone,
            self.local(),
            self.local,
            if self.has_wifi { &wifi } else { "" },
            self.heartbeat_s,
            self.more,
        );
        let path = self.folder.join("agent.toml");
        // A full disk has no room for the same once more.
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return path;
        }
        // Renamed into its place: an agent that is just starting must not read half of it.
        let name = format!("agent.toml.{:?}", std::thread::current().id());
        let aside = self.folder.join(name);
        std::fs::write(&aside, text).expect("agent.toml");
        std::fs::rename(&aside, &path).expect("agent.toml");
        path
    }

    /// Starts it.
    pub fn start(&self) -> Agent {
        Agent {
            process: Process::start(self.command("run"), &self.folder),
            setup: self.clone(),
        }
    }

    /// Runs another of its commands to the end.
    pub fn run(&self, word: &str) -> Ended {
        process::run(self.command(word))
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(binary("vendlog-agent"));
        command.arg(word).arg("--config").arg(self.write_toml());
        command
    }
}

impl Agent {
    /// SIGKILL, then a new one with the same state.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        *self = self.setup.start();
    }

    /// Ends it as systemd does.
    pub fn stop(&mut self) {
        let status = self.process.terminate(wait::seconds(30));
        assert!(
            status.success(),
            "an agent that is asked to end ends well: {status}"
        );
    }
}
