//! Entries on their way in and out.

use serde_json::{Map, Value};
use wire::time::{DAY_US, MINUTE_US};
use wire::{ClockState, Level, LogEntry, MachineId, Micros};

/// Which way an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathKind {
    /// HTTPS from the agent.
    Wifi,
    /// A drop through the card reader.
    Cell,
}

/// Entries to store, of one machine.
#[derive(Debug, Clone)]
pub struct NewEntries {
    /// Whose.
    pub machine: MachineId,
    /// The numbering spool, or `None` for entries without numbers.
    pub epoch: Option<u64>,
    /// The entries; with an epoch each has a seq.
    pub entries: Vec<LogEntry>,
    /// Seqs that were refused for good: the ledger knows them, so that they are no gap.
    pub refused_seqs: Vec<u64>,
    /// How they came.
    pub path: PathKind,
    /// When they came, by our clock.
    pub received_at: Micros,
}

/// What became of [`NewEntries`], durable when it is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Entries stored now.
    pub accepted: u64,
    /// Indexes of the entries that were there before.
    pub duplicates: Vec<usize>,
    /// How many of the duplicates replaced what was there: a summary by the whole entry, or a time
    /// that a drop had cut by the exact one.
    pub upgraded: u64,
    /// Earliest and latest `filed_at` of what was stored or upgraded now.
    pub filed: Option<(Micros, Micros)>,
    /// What was stored now, by level.
    pub by_level: [u64; 5],
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry {
    /// Opaque, for links.
    pub id: String,
    /// Whose.
    pub machine_id: MachineId,
    /// The numbering spool; `None` for entries without numbers.
    pub epoch: Option<u64>,
    /// The number; `None` for entries without numbers.
    pub seq: Option<u64>,
    /// Event time as the sender gave it.
    pub timestamp: Micros,
    /// First arrival, by our clock.
    pub received_at: Micros,
    /// First arrival over WiFi; `None` when it did not come so.
    pub wifi_at: Option<Micros>,
    /// First arrival in a drop; `None` when it did not come so.
    pub cell_at: Option<Micros>,
    /// The time it is filed, ordered and kept by.
    pub filed_at: Micros,
    /// How grave.
    pub level: Level,
    /// Part of the machine.
    pub component: String,
    /// What happened.
    pub message: String,
    /// The sentence without its parameters.
    pub template: String,
    /// Byte ranges of the parameters in `message`.
    pub params: Vec<(usize, usize)>,
    /// Details.
    pub context: Map<String, Value>,
    /// Trust in the timestamp.
    pub clock: ClockState,
    /// Came over WiFi.
    pub by_wifi: bool,
    /// Came in a drop.
    pub by_cell: bool,
    /// Whole, or shortened to fit a drop.
    pub full: bool,
}

/// An event older than this on arrival is filed by its arrival: a clock that says 1970.
const OLDEST_EVENT_US: i64 = 400 * DAY_US;
/// An event further in the future than this is filed by its arrival: a clock that runs ahead.
const NEWEST_EVENT_US: i64 = 10 * MINUTE_US;

/// The time an entry is filed, ordered and kept by.
pub(crate) fn filed_at(event: Micros, arrival: Micros) -> Micros {
    let age_us = arrival.since_us(event);
    if (-NEWEST_EVENT_US..=OLDEST_EVENT_US).contains(&age_us) {
        event
    } else {
        arrival
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_does_not_decide_the_day() {
        let arrival = Micros(1_780_000_000_000_000);
        let old = arrival.plus_us(-OLDEST_EVENT_US);
        let soon = arrival.plus_us(NEWEST_EVENT_US);
        assert_eq!(filed_at(old, arrival), old);
        assert_eq!(filed_at(old.plus_us(-1), arrival), arrival);
        assert_eq!(filed_at(soon, arrival), soon);
        assert_eq!(filed_at(soon.plus_us(1), arrival), arrival);
        assert_eq!(filed_at(Micros(0), arrival), arrival);
        assert_eq!(filed_at(Micros(i64::MIN), arrival), arrival);
        assert_eq!(filed_at(Micros(i64::MAX), arrival), arrival);
    }
}
