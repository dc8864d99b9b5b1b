//! `agent.toml`: read, checked, every mistake with its key and line. One struct per concern.

mod clock;
mod eport;
pub mod input;
mod mistakes;
mod raw;
mod sections;
mod values;
mod wifi;

use std::fs;
use std::path::Path;

pub use clock::Clock;
pub use eport::{Eport, EportMode};
pub use input::{Input, InputKind, Journal, SocketFile, Syslog};
pub use mistakes::{Mistake, Mistakes, line_of};
pub use sections::{Care, Heartbeat, Local, Privacy, Spool};
pub use wifi::{Mode, Wifi, WifiTrust, parse_pin};

use wire::MachineId;

/// Everything the agent is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who this machine is.
    pub machine_id: MachineId,
    /// Where the agent keeps its state.
    pub state_dir: std::path::PathBuf,
    /// The followed files, at least one.
    pub inputs: Vec<Input>,
    /// The spool.
    pub spool: Spool,
    /// The rotated file on the machine.
    pub local: Local,
    /// The server, when WiFi is on.
    pub wifi: Option<Wifi>,
    /// The way through the card reader, when it is on.
    pub eport: Option<Eport>,
    /// How often the agent says that it lives.
    pub heartbeat: Heartbeat,
    /// How the machine's clock is judged.
    pub clock: Clock,
    /// What is hashed and dropped.
    pub privacy: Privacy,
    /// What the server may do to this machine.
    pub care: Care,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// Every mistake that can be seen without touching anything else.
    pub fn read(path: &Path) -> Result<Config, Mistakes> {
        let text = fs::read_to_string(path).map_err(|error| {
            Mistakes::one(
                path,
                None,
                format!("cannot be read: {error}; give --config FILE"),
            )
        })?;
        Config::parse(path, &text)
    }

    /// Reads its text; `path` is for the messages.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Config, Mistakes> {
        let raw: raw::Config = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            Mistakes::one(path, line, error.message().to_owned())
        })?;
        let mut mistakes = Mistakes::new(path, text);
        let config = sections::build(raw, &mut mistakes);
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(mistakes),
        }
    }
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
