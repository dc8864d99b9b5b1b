//! A message to one person by one channel, ready to be kept in the outbox. What it says is fixed here,
//! so that a retry hours later says the same.

use serde::{Deserialize, Serialize};
use wire::{MachineId, Micros};

use crate::config::rule::Severity;
use crate::life::Why;

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The alert; `None` for a digest or a summary of many.
    pub alert: Option<u64>,
    /// Which change of the alert it tells: with alert, person and channel it is unique.
    pub change: u32,
    /// Why.
    pub subject: Subject,
    /// A person's id.
    pub person: String,
    /// The channel's id.
    pub channel: String,
    /// The address there.
    pub to: String,
    /// IANA name of the recipient's zone.
    pub timezone: String,
    /// When it was handed out.
    pub at: Micros,
    /// How grave.
    pub severity: Severity,
    /// What kind of trouble: the rule's name.
    pub issue: String,
    /// Of which machines.
    pub machines: Vec<MachineId>,
    /// When it happened.
    pub since: Micros,
    /// What, in words.
    pub facts: String,
    /// Known too late for its path.
    pub is_late: bool,
    /// What is in it, for a digest, a group or a summary.
    pub items: Vec<Item>,
}

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Of one alert.
    Alert(Why),
    /// Of many machines at once.
    Group(Why),
    /// The digest of the hour.
    HourlyDigest,
    /// The digest of the day.
    DailyDigest,
    /// What came too late to be an alert.
    LateEntries,
}

/// A line of a digest, a group or a summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The alert, where there is one.
    pub alert: Option<u64>,
    /// The machine.
    pub machine: MachineId,
    /// What kind of trouble.
    pub issue: String,
    /// When it happened.
    pub since: Micros,
    /// What, in words.
    pub facts: String,
    /// Signs of it.
    pub count: u64,
    /// Whether it is over.
    pub is_over: bool,
}
