//! What the state file of the cellular path says.

use std::path::Path;

use serde::Serialize;
use wire::drops::DictionaryId;

use crate::clock;
use crate::config::{Eport, EportMode};
use crate::eport::{Dictionaries, DropError, EportState, Thrift};
use crate::state_dir::names;

/// What the cellular path has done.
#[derive(Debug, Serialize)]
pub struct EportStatus {
    /// `serial` or `handoff`.
    pub mode: &'static str,
    /// The reader's port; `null` when the vending application has it.
    pub port: Option<String>,
    /// Every entry up to this seq is covered by drops that the reader took.
    pub covered: u64,
    /// The number of the drop that waits for the reader; `null` when none does.
    pub pending: Option<u64>,
    /// When the reader took the last one, RFC 3339.
    pub last_drop: Option<String>,
    /// The number of that one.
    pub last_number: Option<u64>,
    /// What is wrong since then.
    pub last_error: Option<DropError>,
    /// Bytes used in this calendar month (UTC).
    pub used_bytes: u64,
    /// Drops of this month.
    pub drops: u64,
    /// What may be used in a month.
    pub budget_bytes: u64,
    /// What the month will come to when it goes on like this.
    pub forecast_bytes: u64,
    /// What is held back for want of data; `null` when nothing is.
    pub held: Option<String>,
    /// Signal strength as the reader says it.
    pub signal_rssi: Option<i32>,
    /// Bit error rate as the reader says it.
    pub signal_ber: Option<i32>,
    /// The reader's serial number.
    pub reader_serial: Option<String>,
    /// What drops are packed with.
    pub dictionary: DictionaryId,
}

pub(super) fn status(config: &Eport, dir: &Path, epoch: Option<u64>) -> EportStatus {
    let state = EportState::look(&dir.join(names::EPORT), epoch.unwrap_or(0));
    let now = clock::now();
    let mut month = state.month;
    month.turn(now, true);
    let interval_us = i64::try_from(config.send_interval_s).unwrap_or(3600) * 1_000_000;
    let bytes = (config.monthly_budget_bytes, config.max_drop_bytes);
    let held = month.thrift(bytes, interval_us, now);
    let (mode, port) = match &config.mode {
        EportMode::Serial(port) => ("serial", Some(port.display().to_string())),
        EportMode::Handoff => ("handoff", None),
    };
    let file = config.dictionary_file.as_deref();
    let (last_drop, last_number) = state.last_sent.unzip();
    EportStatus {
        mode,
        port,
        covered: state.covered,
        pending: state.pending.map(|pending| pending.number),
        last_drop,
        last_number,
        last_error: state.last_error,
        used_bytes: month.used_bytes,
        drops: month.drops,
        budget_bytes: config.monthly_budget_bytes,
        forecast_bytes: month.forecast_bytes(now),
        held: match held {
            Thrift::Free | Thrift::Spare(_) => None,
            held => held.words(),
        },
        signal_rssi: state.reader.signal_rssi,
        signal_ber: state.reader.signal_ber,
        reader_serial: state.reader.serial,
        dictionary: Dictionaries::open(file, &dir.join(names::DICTIONARY)).id(),
    }
}
