//! `vendlog-agent status`: what the state files say, while the agent runs and when it does not.

mod eport;
mod recent;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wire::care::ConfigReport;
use wire::{ClockState, Reachability};

pub use eport::EportStatus;

use crate::care::Keys;
use crate::clock;
use crate::config::Config;
use crate::durable;
use crate::pipeline::AGENT;
use crate::spool::{Position, recover};
use crate::state_dir::names;
use crate::wifi::{SeenError, WifiState};

/// The answer, as JSON on stdout.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The machine.
    pub machine_id: String,
    /// Whether an agent runs on this state directory; `null` when that cannot be seen.
    pub is_running: Option<bool>,
    /// Whether a time source sets the machine's clock; `null` when the kernel does not say.
    pub clock: Option<ClockState>,
    /// The spool's epoch; `null` before the first start.
    pub epoch: Option<u64>,
    /// The last seq given out.
    pub last_seq: u64,
    /// The spool.
    pub spool: SpoolStatus,
    /// The WiFi shipper; `null` when it is off.
    pub wifi: Option<WifiStatus>,
    /// The way through the card reader; `null` when it is off.
    pub eport: Option<EportStatus>,
    /// Each input's position, by its path; an input that was never read is absent.
    pub inputs: BTreeMap<String, InputStatus>,
    /// The newest entry; `null` when the spool holds none.
    pub last_entry: Option<LastEntry>,
    /// What could not be read, oldest first, as far as the newest entries tell.
    pub gaps: Vec<LastEntry>,
    /// The configuration that the server handed out, and what became of it; `null` when it never
    /// did.
    pub config: Option<ConfigReport>,
}

/// What the spool holds.
#[derive(Debug, Serialize)]
pub struct SpoolStatus {
    /// Entries that the server has not confirmed; without WiFi those that no drop covers, and
    /// without a card reader every one.
    pub entries: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The bound.
    pub max_bytes: u64,
    /// Entries found damaged in its newest segments; `vendlog-agent spool` reads them all.
    pub damaged: u64,
}

/// What the WiFi shipper has done.
#[derive(Debug, Serialize)]
pub struct WifiStatus {
    /// Every entry up to this seq is delivered.
    pub bulk_cursor: u64,
    /// The urgent lane has looked at every entry up to this seq.
    pub urgent_cursor: u64,
    /// Entries beyond the bulk cursor that are delivered.
    pub sent_ahead: usize,
    /// When the server last confirmed something.
    pub last_delivery: Option<String>,
    /// What is wrong since then.
    pub last_error: Option<SeenError>,
    /// What a person does about that.
    pub advice: Option<String>,
    /// Entries that the server refused for good.
    pub put_aside: u64,
    /// How the way to the server looked when something last went right or wrong; `null` before.
    pub reachability: Option<Reachability>,
    /// Since when it had looked so.
    pub reachability_since: Option<String>,
    /// The public part of the key in use; `null` when it cannot be read.
    pub key_id: Option<String>,
    /// The server has renewed the key since the machine was paired.
    pub is_key_renewed: bool,
}

/// An entry, as a person knows it again.
#[derive(Debug, Serialize)]
pub struct LastEntry {
    /// Its number.
    pub seq: u64,
    /// Its time, RFC 3339.
    pub timestamp: String,
    /// How grave it is.
    pub level: String,
    /// What it speaks of.
    pub component: String,
    /// What it says.
    pub message: String,
}

/// How far an input was read.
#[derive(Debug, Serialize)]
pub struct InputStatus {
    /// Bytes from the start of the file; absent when it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The file's inode number; absent when it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
}

/// Reads the state of the agent with this configuration; changes nothing.
///
/// # Errors
/// The state directory cannot be read.
pub fn status(config: &Config) -> io::Result<Status> {
    let dir = &config.state_dir;
    let found = recover(&dir.join(names::SPOOL), &dir.join(names::CHECKPOINT))?;
    let state: Option<WifiState> = durable::load(&dir.join(names::WIFI));
    let state = state
        .filter(|state| Some(state.epoch) == found.epoch)
        .unwrap_or_default();
    let ahead = state.sent.iter().filter(|seq| **seq > state.bulk).count();
    let eport = config
        .eport
        .as_ref()
        .map(|eport| eport::status(eport, dir, found.epoch));
    let entries = match config.wifi {
        Some(_) => found
            .last_seq
            .saturating_sub(state.bulk)
            .saturating_sub(ahead as u64),
        None => {
            let covered = eport.as_ref().map_or(0, |eport| eport.covered);
            found.last_seq.saturating_sub(covered)
        }
    };
    let wifi = config.wifi.as_ref().map(|wifi| WifiStatus {
        bulk_cursor: state.bulk,
        urgent_cursor: state.urgent,
        sent_ahead: ahead,
        last_delivery: state.last_delivery,
        advice: state.last_error.as_ref().map(|seen| advice(&seen.text)),
        last_error: state.last_error,
        put_aside: state.put_aside,
        reachability: state.reachability,
        reachability_since: state.reachability_since,
        key_id: Keys::in_file(&wifi.api_key_file).key_id(),
        is_key_renewed: dir.join(names::API_KEY).exists(),
    });
    let recent = recent::read(&dir.join(names::SPOOL), &found)?;
    let kept: KeptConfig = durable::load(&dir.join(names::CONFIG)).unwrap_or_default();
    let inputs = found
        .positions
        .into_iter()
        // What the agent says itself comes from no input.
        .filter(|(name, _)| name != AGENT)
        .map(|(name, Position { origin, .. })| {
            (
                name,
                InputStatus {
                    offset: origin.at.place().map(|place| place.offset),
                    inode: origin.at.place().map(|place| place.ino),
                },
            )
        });
    Ok(Status {
        machine_id: config.machine_id.to_string(),
        is_running: is_running(&dir.join(names::LOCK)),
        clock: Some(clock::Source::of(&config.clock).state()),
        epoch: found.epoch,
        last_seq: found.last_seq,
        spool: SpoolStatus {
            entries,
            bytes: found.segments.iter().map(|(_, bytes)| bytes).sum(),
            max_bytes: config.spool.max_bytes,
            damaged: found.damaged.count(),
        },
        wifi,
        eport,
        inputs: inputs.collect(),
        last_entry: recent.last,
        gaps: recent.gaps,
        config: kept.report,
    })
}

impl Status {
    /// The same for a person, in lines.
    pub fn to_text(&self) -> String {
        text::text(self)
    }
}

/// What `status` wants of the file where remote care keeps the server's configuration.
#[derive(Debug, Default, Deserialize)]
struct KeptConfig {
    report: Option<ConfigReport>,
}

/// A running agent holds the lock of its state directory. It is looked up, not tried: trying would
/// keep an agent that starts at this moment from starting.
fn is_running(lock: &Path) -> Option<bool> {
    let ino = match fs::metadata(lock) {
        Ok(meta) => meta.ino(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(false),
        Err(_) => return None,
    };
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 4711 08:01:262146 0 EOF`
    let is_ours = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = words.get(5).and_then(|place| place.rsplit(':').next());
        words.get(1) == Some(&"FLOCK") && place == Some(&ino.to_string())
    };
    Some(locks.lines().any(is_ours))
}

/// What a person does about an error of the shipper.
fn advice(error: &str) -> String {
    let known = [
        (
            "does not accept the key",
            "the key was renewed or the machine removed: pair it again",
        ),
        (
            "pin",
            "another certificate answers there: compare with `vendlog-server info` on the PC",
        ),
        ("cannot be read", "look with: sudo vendlog-agent check"),
        (
            "507",
            "the PC's disk is full; nothing is lost, make room there",
        ),
    ];
    let found = known.iter().find(|(part, _)| error.contains(part));
    let otherwise =
        "nothing is lost, the agent tries on; look with: sudo vendlog-agent check --online";
    found.map_or(otherwise, |(_, advice)| advice).to_owned()
}
