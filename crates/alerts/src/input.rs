//! What rules are judged by: entries as they are stored, and what is known of a machine now.

use serde_json::{Map, Value};
use wire::time::{HOUR_US, MINUTE_US};
use wire::{Level, MachineId, Micros};

use crate::config::condition::Way;

/// Entries that come this much later than their way's schedule are late: history, not news.
pub const LATE_US: i64 = 30 * MINUTE_US;

/// An entry that was stored now, for the first time.
#[derive(Clone, Copy)]
pub struct EntryFacts<'a> {
    /// Whose.
    pub machine: &'a MachineId,
    /// Answers the entry's id in links; empty where none is known. It is asked only where an alert begins.
    pub id: &'a dyn Fn() -> String,
    /// How grave.
    pub level: Level,
    /// Part of the machine.
    pub component: &'a str,
    /// What happened.
    pub message: &'a str,
    /// The sentence without its parameters; may be empty while no rule asks for it.
    pub template: &'a str,
    /// Details.
    pub context: &'a Map<String, Value>,
    /// When it happened: the time it is filed by.
    pub event: Micros,
    /// When it came, by our clock.
    pub arrival: Micros,
    /// It came in a drop.
    pub by_cell: bool,
}

/// What is known of a machine when the clock ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineNow {
    /// Which.
    pub id: MachineId,
    /// As people call it.
    pub name: String,
    /// Where it stands, shortly.
    pub site: String,
    /// Where it stands.
    pub location: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Who owns it: id or name of a person.
    pub owner: String,
    /// IANA name; empty is UTC.
    pub timezone: String,
    /// As written; what cannot be read is "always open".
    pub opening_hours: String,
    /// Since when it is registered.
    pub since: Micros,
    /// The ways it is expected by. A way that is on standby is not among them.
    pub ways: Vec<WayNow>,
    /// Entries and drops whose numbers never came.
    pub missing: u64,
    /// Its data plan this month.
    pub data: Option<DataNow>,
    /// How often it sends over WiFi, microseconds.
    pub wifi_interval_us: i64,
    /// How often it sends drops, microseconds.
    pub cell_interval_us: i64,
}

/// A way by which a machine is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WayNow {
    /// Which; never `Any`.
    pub way: Way,
    /// The last contact, or since when one is due.
    pub last: Micros,
    /// Silence beyond this is late.
    pub late_us: i64,
    /// Silence beyond this is lost, where the rule says nothing else.
    pub lost_us: i64,
}

/// A data plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataNow {
    /// Used this month.
    pub used_bytes: u64,
    /// What it will be at the month's end.
    pub forecast_bytes: u64,
    /// What the plan has.
    pub budget_bytes: u64,
}

impl MachineNow {
    /// A machine of which nothing but its id is known.
    pub fn new(id: MachineId) -> MachineNow {
        MachineNow {
            id,
            name: String::new(),
            site: String::new(),
            location: String::new(),
            tags: Vec::new(),
            owner: String::new(),
            timezone: String::new(),
            opening_hours: String::new(),
            since: Micros(0),
            ways: Vec::new(),
            missing: 0,
            data: None,
            wifi_interval_us: 5 * MINUTE_US,
            cell_interval_us: HOUR_US,
        }
    }

    /// The way of this name, when it is expected by it.
    pub fn way(&self, way: Way) -> Option<&WayNow> {
        self.ways.iter().find(|now| now.way == way)
    }
}

/// Whether an entry is late: later than its way's own schedule and half an hour.
pub fn is_late(entry: &EntryFacts<'_>, machine: Option<&MachineNow>) -> bool {
    let schedule_us = match (machine, entry.by_cell) {
        (Some(machine), true) => machine.cell_interval_us,
        (Some(machine), false) => machine.wifi_interval_us,
        (None, true) => HOUR_US,
        (None, false) => 5 * MINUTE_US,
    };
    entry.arrival.since_us(entry.event) > schedule_us + LATE_US
}
