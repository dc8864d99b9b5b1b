//! `vendlog-agent status`: what the state files say, while the agent runs and when it does not.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use crate::config::Config;
use crate::durable;
use crate::spool::{Position, recover};
use crate::state_dir::names;
use crate::wifi::{SeenError, WifiState};

/// The answer, as JSON on stdout.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The machine.
    pub machine_id: String,
    /// The spool's epoch; `null` before the first start.
    pub epoch: Option<u64>,
    /// The last seq given out.
    pub last_seq: u64,
    /// The spool.
    pub spool: SpoolStatus,
    /// The WiFi shipper; `null` when it is off.
    pub wifi: Option<WifiStatus>,
    /// Each input's position, by its path; an input that was never read is absent.
    pub inputs: BTreeMap<String, InputStatus>,
}

/// What the spool holds.
#[derive(Debug, Serialize)]
pub struct SpoolStatus {
    /// Entries that the server has not confirmed; every entry when WiFi is off.
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
    /// Entries that the server refused for good.
    pub put_aside: u64,
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
    let entries = match config.wifi {
        Some(_) => found
            .last_seq
            .saturating_sub(state.bulk)
            .saturating_sub(ahead as u64),
        None => found.last_seq,
    };
    let wifi = config.wifi.as_ref().map(|_| WifiStatus {
        bulk_cursor: state.bulk,
        urgent_cursor: state.urgent,
        sent_ahead: ahead,
        last_delivery: state.last_delivery,
        last_error: state.last_error,
        put_aside: state.put_aside,
    });
    let inputs = found
        .positions
        .into_iter()
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
        epoch: found.epoch,
        last_seq: found.last_seq,
        spool: SpoolStatus {
            entries,
            bytes: found.segments.iter().map(|(_, bytes)| bytes).sum(),
            max_bytes: config.spool.max_bytes,
            damaged: found.damaged.count(),
        },
        wifi,
        inputs: inputs.collect(),
    })
}
