//! The demo's own directory: where things lie, the machines it has, and the agent's configuration.
//! Kept between runs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::say::say;
use crate::shell::{binary, command, read, target};

/// The machine with a real agent.
pub const AGENT_MACHINE: &str = "VM001";
/// The machine without WiFi: its agent speaks to a simulated card reader.
pub const CELL_MACHINE: &str = "VM006";
/// Id, name and place of every machine; those without an agent are simulated as a fleet.
const MACHINES: [(&str, &str, &str); 6] = [
    (
        AGENT_MACHINE,
        "Refill bar Mission",
        "2780 Mission St, San Francisco",
    ),
    (
        "VM002",
        "Refill bar Lakeshore",
        "3300 Lakeshore Ave, Oakland",
    ),
    ("VM003", "Campus co-op", "2600 Bancroft Way, Berkeley"),
    ("VM004", "Corner market", "940 Irving St, San Francisco"),
    ("VM005", "Transit hall", "700 Broadway, Oakland"),
    (
        CELL_MACHINE,
        "Trailhead, no WiFi",
        "Lands End Lookout, San Francisco",
    ),
];
/// The zone of the simulated application's clock.
pub const TIMEZONE: &str = "America/Los_Angeles";

/// Paths of a demo.
pub struct Demo {
    root: PathBuf,
}

impl Demo {
    /// The demo of this name, in the build directory.
    ///
    /// # Errors
    /// Its directory cannot be made.
    pub fn open(name: &str) -> Result<Demo> {
        let root = target().join(name);
        for folder in ["keys", "logs", "agent", "cell", "cell/uploads"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(Demo { root })
    }

    /// Where everything of the demo lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The store's key: the demo's own, not the user's.
    pub fn key_file(&self) -> PathBuf {
        self.root.join("store.key")
    }

    /// The log of the simulated application.
    pub fn app_log(&self) -> PathBuf {
        self.root.join("last_tx_log.log")
    }

    /// Where a child's messages go.
    pub fn log_of(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// Machines and keys of the simulated fleet, one JSON object a line.
    pub fn fleet_keys(&self) -> PathBuf {
        self.root.join("keys").join("fleet.ndjson")
    }

    /// The agent's configuration.
    pub fn agent_toml(&self) -> PathBuf {
        self.root.join("agent").join("agent.toml")
    }

    /// Where everything of the machine without WiFi lies.
    pub fn cell(&self) -> PathBuf {
        self.root.join("cell")
    }

    /// The password of the simulated USALive.
    pub fn usalive_password(&self) -> PathBuf {
        self.root.join("keys").join("usalive.password")
    }

    fn machine_key(&self, id: &str) -> PathBuf {
        self.root.join("keys").join(format!("{id}.key"))
    }

    /// Adds the machines that the store does not have; true when the fleet is new.
    ///
    /// # Errors
    /// `vendlog-server` fails, or a key cannot be written.
    pub fn add_machines(&self) -> Result<bool> {
        let known = self.server(&["machine", "list"])?;
        let mut is_new = false;
        let mut fleet = String::new();
        for (id, name, location) in MACHINES {
            let key_file = self.machine_key(id);
            let is_known = known.contains(&format!("\"{id}\""));
            if !is_known || !key_file.exists() {
                let answer = if is_known {
                    self.server(&["machine", "rotate-key", id])?
                } else {
                    self.server(&["machine", "add", id, "--name", name, "--location", location])?
                };
                let key = text_of(&answer, "api_key")
                    .with_context(|| format!("vendlog-server gave no key for {id}"))?;
                write_private(&key_file, key)?;
                is_new |= !is_known;
                say("demo", format!("added {id}, {name}"));
            }
            if ![AGENT_MACHINE, CELL_MACHINE].contains(&id) {
                let key = fs::read_to_string(&key_file)?;
                fleet.push_str(&format!(
                    "{{\"machine_id\":\"{id}\",\"api_key\":\"{key}\"}}\n"
                ));
            }
        }
        write_private(&self.fleet_keys(), &fleet)?;
        Ok(is_new)
    }

    fn server(&self, words: &[&str]) -> Result<String> {
        read(self.server_command(words))
    }

    /// A command of `vendlog-server` on the demo's store.
    pub fn server_command(&self, words: &[&str]) -> Command {
        let mut server = command(binary("vendlog-server"), words);
        server
            .arg("--data")
            .arg(self.data())
            .arg("--key-file")
            .arg(self.key_file());
        server
    }

    /// Writes the agent's configuration for a server that runs at `url`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_agent_toml(&self, url: &str, pin: &str) -> Result<()> {
        let agent = self.root.join("agent");
        let text = format!(
            "machine_id = {:?}\nstate_dir = {:?}\n\n\
             [[input]]\nkind = \"file\"\npath = {:?}\nformat = \"python\"\n\
             timezone = {TIMEZONE:?}\npack = \"soap\"\n\n\
             [local]\npath = {:?}\n\n\
             [wifi]\nenabled = true\nurl = {url:?}\npin = {pin:?}\napi_key_file = {:?}\n\
             mode = \"continuous\"\n\n[heartbeat]\ninterval_s = 60\n",
            AGENT_MACHINE,
            agent.join("state"),
            self.app_log(),
            agent.join("vending_machine.log"),
            self.machine_key(AGENT_MACHINE),
        );
        fs::write(self.agent_toml(), text).context("cannot write the agent's configuration")
    }
}

/// Writes a file that only its owner can read, from its first byte on.
///
/// # Errors
/// It cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The text value of a key in a flat JSON object whose values need no escapes.
pub fn text_of<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let after_key = json.split_once(&format!("\"{key}\""))?.1;
    let value = after_key
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    Some(value.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_value_is_found_with_and_without_spaces() {
        let json = r#"{"machine_id":"VM001", "api_key" : "vl_a_b", "pairing_code":null}"#;
        assert_eq!(text_of(json, "machine_id"), Some("VM001"));
        assert_eq!(text_of(json, "api_key"), Some("vl_a_b"));
        assert_eq!(text_of(json, "pairing_code"), None);
        assert_eq!(text_of(json, "url"), None);
    }
}
