//! Each section of `agent.toml`: its values, its defaults with their reasons, its checks.

use std::path::PathBuf;

use toml::Spanned;
use wire::MachineId;

use super::clock::build_clock;
use super::eport::build_eport;
use super::input::build_inputs;
use super::values::{bounded, parsed, required};
use super::wifi::build_wifi;
use super::{Config, Mistakes, raw};
pub use crate::spool::Bounds as Spool;

/// A week of an idle machine's log (about 1.3 MB an hour before it is packed) before inputs pause.
pub const SPOOL_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Below a few segments nothing could be removed while something is written.
pub const SPOOL_MIN_BYTES: u64 = 4 * crate::spool::SEGMENT_BYTES;
/// Percent: on a card of 2 GB and more [`SPOOL_MAX_BYTES`] is less; on a small partition of its
/// own three quarters stay for the rest of the state and for whoever shares it.
pub const SPOOL_MAX_DISK_SHARE: u8 = 25;
/// Where the PRD has it.
pub const LOCAL_PATH: &str = "/var/log/vendlog/vending_machine.log";
/// The PRD's 10 MB a file.
pub const LOCAL_MAX_BYTES: u64 = 10 * 1024 * 1024;
/// A file must hold at least one entry of the largest kind, escaped.
pub const LOCAL_MIN_BYTES: u64 = 1024 * 1024;
/// The PRD's 5 files in total: 50 MB.
pub const LOCAL_FILES: u32 = 5;
/// More are of no use to anybody, and every rotation renames them all.
pub const LOCAL_MAX_FILES: u32 = 1000;
/// Beyond a day a machine would look dead for longer than anyone waits.
pub const INTERVAL_MAX_S: u64 = 24 * 3600;
/// The PRD's 5 minutes.
pub const HEARTBEAT_INTERVAL_S: u64 = 300;
/// A server that is restarted, or a link that comes and goes, is back by then.
pub const TRIAL_S: u64 = 600;
/// Shorter, and one slow connection would end a trial.
pub const TRIAL_MIN_S: u64 = 5;
/// Names under which applications log the id of a transaction.
pub const HASH_FIELDS: [&str; 3] = ["transaction_id", "txn", "txn_id"];
/// Names under which applications log who bought.
pub const DROP_FIELDS: [&str; 5] = ["customer", "customer_name", "name", "phone", "email"];

/// The rotated file on the machine.
#[derive(Debug, Clone)]
pub struct Local {
    /// The file being written; `.1`, `.2` ... are older.
    pub path: PathBuf,
    /// A file is rotated before it becomes larger.
    pub max_bytes: u64,
    /// Files in total, the one being written included.
    pub files: u32,
}

/// The sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// Seconds between two.
    pub interval_s: u64,
}

/// What is hashed and dropped.
#[derive(Debug, Clone)]
pub struct Privacy {
    /// Fields whose value becomes a keyed hash.
    pub hash_fields: Vec<String>,
    /// Fields whose value goes.
    pub drop_fields: Vec<String>,
}

/// What the server may do to this machine.
#[derive(Debug, Clone, Copy)]
pub struct Care {
    /// Configurations from the server are taken.
    pub remote_config: bool,
    /// How long one may go without reaching the server before it is rolled back, in seconds.
    pub trial_s: u64,
}

pub(super) fn build(raw: raw::Config, mistakes: &mut Mistakes) -> Option<Config> {
    let machine_id = required(raw.machine_id, "machine_id", "VM001", mistakes)
        .and_then(|id| parsed::<MachineId>("machine_id", &id, mistakes));
    let state_dir = required(
        raw.state_dir,
        "state_dir",
        "/var/lib/vendlog-agent",
        mistakes,
    );
    if raw.input.is_empty() {
        mistakes.missing("no [[input]] is given; name the log file to follow");
    }
    let inputs = build_inputs(raw.input, mistakes);
    let eport = raw
        .eport
        .map(|eport| build_eport(eport, inputs.as_deref(), mistakes));
    if let Some(path) = raw.local.as_ref().and_then(|local| local.path.as_ref())
        && inputs
            .iter()
            .flatten()
            .flat_map(|input| input.own_paths())
            .any(|own| own == path.get_ref())
    {
        mistakes.at(
            &path.span(),
            "local.path is an input too: the agent would read what it writes; name another file",
        );
    }
    let wifi = raw.wifi.map(|wifi| build_wifi(wifi, mistakes));
    // Every section is looked at before any of them gives up: all mistakes are told at once.
    let spool = build_spool(raw.spool, mistakes);
    let local = build_local(raw.local, mistakes);
    let heartbeat = build_heartbeat(raw.heartbeat, mistakes);
    let care = build_care(raw.care, mistakes);
    let wifi = match wifi {
        Some(None) => return None,
        Some(Some(wifi)) => wifi,
        None => None,
    };
    let eport = match eport {
        Some(None) => return None,
        Some(Some(eport)) => eport,
        None => None,
    };
    Some(Config {
        machine_id: machine_id?,
        state_dir: state_dir?.into_inner(),
        inputs: inputs?,
        spool,
        local,
        wifi,
        eport,
        heartbeat,
        clock: build_clock(raw.clock, mistakes),
        privacy: build_privacy(raw.privacy),
        care,
    })
}

fn build_spool(spool: Option<raw::Spool>, mistakes: &mut Mistakes) -> Spool {
    let (max_bytes, share, min_free) = match spool {
        Some(spool) => (spool.max_bytes, spool.max_disk_share, spool.min_free_bytes),
        None => (None, None, None),
    };
    Spool {
        max_bytes: bounded(
            max_bytes,
            SPOOL_MAX_BYTES,
            SPOOL_MIN_BYTES..=u64::MAX,
            "spool.max_bytes",
            mistakes,
        ),
        max_disk_share: bounded(
            share,
            SPOOL_MAX_DISK_SHARE,
            1..=100,
            "spool.max_disk_share",
            mistakes,
        ),
        min_free_bytes: min_free.map(Spanned::into_inner),
    }
}

fn build_local(local: Option<raw::Local>, mistakes: &mut Mistakes) -> Local {
    let (path, max_bytes, files) = match local {
        Some(local) => (local.path, local.max_bytes, local.files),
        None => (None, None, None),
    };
    Local {
        path: path.map_or_else(|| LOCAL_PATH.into(), Spanned::into_inner),
        max_bytes: bounded(
            max_bytes,
            LOCAL_MAX_BYTES,
            LOCAL_MIN_BYTES..=u64::MAX,
            "local.max_bytes",
            mistakes,
        ),
        files: bounded(
            files,
            LOCAL_FILES,
            1..=LOCAL_MAX_FILES,
            "local.files",
            mistakes,
        ),
    }
}

fn build_heartbeat(heartbeat: Option<raw::Heartbeat>, mistakes: &mut Mistakes) -> Heartbeat {
    let interval = heartbeat.and_then(|heartbeat| heartbeat.interval_s);
    let range = 1..=INTERVAL_MAX_S;
    Heartbeat {
        interval_s: bounded(
            interval,
            HEARTBEAT_INTERVAL_S,
            range,
            "heartbeat.interval_s",
            mistakes,
        ),
    }
}

fn build_privacy(privacy: Option<raw::Privacy>) -> Privacy {
    let (hash, drop) = privacy.map_or((None, None), |p| (p.hash_fields, p.drop_fields));
    let defaults = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Privacy {
        hash_fields: hash.unwrap_or_else(|| defaults(&HASH_FIELDS)),
        drop_fields: drop.unwrap_or_else(|| defaults(&DROP_FIELDS)),
    }
}

fn build_care(care: Option<raw::Care>, mistakes: &mut Mistakes) -> Care {
    let (remote_config, trial) = care.map_or((None, None), |c| (c.remote_config, c.trial_s));
    let range = TRIAL_MIN_S..=INTERVAL_MAX_S;
    Care {
        remote_config: remote_config.unwrap_or(true),
        trial_s: bounded(trial, TRIAL_S, range, "care.trial_s", mistakes),
    }
}
