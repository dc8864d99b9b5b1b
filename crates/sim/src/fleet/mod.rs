//! A simulated fleet: each machine is a task that generates what its application would log and
//! posts it as an agent does. Fates differ, so that a fleet page has something to show.

mod entries;
mod fate;
mod machine;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Deserialize;
use wire::{MachineId, Micros};

pub use entries::entry;
pub use fate::Fate;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// `https://host:port`, without a slash at the end.
    pub url: String,
    /// The server's pin, `sha256/…`.
    pub pin: String,
    /// Who posts.
    pub members: Vec<Member>,
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How much past each machine sends first.
    pub history: Duration,
    /// Time between two heartbeats.
    pub heartbeat: Duration,
    /// When the machine whose fate it is goes silent, counted from the start.
    pub silent_after: Duration,
    /// Stop when the past is sent.
    pub history_only: bool,
}

/// A machine and its key, as `vendlog-server machine add` prints them.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// Its id.
    pub machine_id: MachineId,
    /// Its key.
    pub api_key: String,
}

/// Reads the first `count` members of a file with one JSON object a line.
///
/// # Errors
/// The file is unreadable, a line is no member, or there are fewer than `count`.
pub fn read_members(file: &Path, count: Option<usize>) -> Result<Vec<Member>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the keys in {}", file.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut members = Vec::new();
    for (number, line) in lines.enumerate().take(count.unwrap_or(usize::MAX)) {
        members.push(serde_json::from_str::<Member>(line).with_context(|| {
            format!(
                "{} line {}: not a machine and its key",
                file.display(),
                number + 1
            )
        })?);
    }
    match count {
        Some(count) if members.len() < count => {
            bail!(
                "{} has {} machines, not {count}",
                file.display(),
                members.len()
            )
        }
        _ if members.is_empty() => bail!("{} has no machines", file.display()),
        _ => Ok(members),
    }
}

/// Runs every machine until each has ended: never, unless `history_only` is set.
///
/// # Errors
/// The pin cannot be read, or a machine was refused by the server.
pub async fn run(options: Options) -> Result<()> {
    let client = crate::pinned::client(&options.pin)?;
    let started = now();
    let mut tasks = tokio::task::JoinSet::new();
    for (index, member) in options.members.iter().enumerate() {
        let machine = machine::Machine::new(index, member, &options, client.clone(), started);
        tasks.spawn(machine.run());
    }
    let mut refused = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended.context("a machine's task failed")? {
            eprintln!("{error:#}");
            refused.push(error);
        }
    }
    match refused.len() {
        0 => Ok(()),
        n => bail!("{n} of {} machines were refused", options.members.len()),
    }
}

fn now() -> Micros {
    Micros::from_timestamp(Timestamp::now())
}
