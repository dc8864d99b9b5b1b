//! What an alert is. It is kept as JSON, so that fields can be added; all times are arrival times by our
//! own clock but [`Alert::since`], which is when it happened.

use serde::{Deserialize, Serialize};
use wire::{MachineId, Micros};

use crate::config::condition::Way;
use crate::config::rule::Severity;

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number, by which people name it ("ACK 12").
    pub id: u64,
    /// The rule's id.
    pub rule: String,
    /// The rule's name when it began: the issue type.
    pub issue: String,
    /// How grave.
    pub severity: Severity,
    /// Of one machine, or of many.
    pub kind: AlertKind,
    /// The machines; one, but for a group and a path.
    pub machines: Vec<MachineId>,
    /// What of the machine: a component, a sentence, a product; or nothing.
    pub part: String,
    /// The entry that began it, where one did.
    #[serde(default)]
    pub log_id: Option<String>,
    /// Where it is in its life.
    pub phase: Phase,
    /// When it happened, by the machine's time.
    pub since: Micros,
    /// When we found it.
    pub raised_at: Micros,
    /// When it began to fire.
    #[serde(default)]
    pub fired_at: Option<Micros>,
    /// The last sign of it.
    pub last_at: Micros,
    /// Signs of it.
    pub count: u64,
    /// What, in words with its numbers.
    pub facts: String,
    /// It was known too late for its path.
    #[serde(default)]
    pub is_late: bool,
    /// It began in the cooldown of the one before and does not fire until then.
    #[serde(default)]
    pub cools_until: Option<Micros>,
    /// Who took it.
    #[serde(default)]
    pub acknowledged: Option<Acknowledged>,
    /// Nobody is told until then.
    #[serde(default)]
    pub silenced_until: Option<Micros>,
    /// How it ended.
    #[serde(default)]
    pub resolved: Option<Resolved>,
    /// The group or path alert that speaks for it.
    #[serde(default)]
    pub group: Option<u64>,
    /// Messages that are due later.
    #[serde(default)]
    pub planned: Vec<Planned>,
    /// Counts the messages' causes: each message of one change is sent once.
    pub change: u32,
    /// Messages handed out so far.
    pub told: u32,
}

/// Of one machine, or of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// One.
    Machine,
    /// Many that fail the same rule.
    Group,
    /// All that are heard by a path.
    Path(Way),
}

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The condition holds, but not yet for long enough.
    Waiting,
    /// Somebody has to look.
    Firing,
    /// Somebody does.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// Who took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// What they said.
    pub note: String,
    /// When.
    pub at: Micros,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// What ended it.
    pub by: By,
    /// A name, where somebody did.
    pub who: String,
    /// What they said, or why it ended.
    pub note: String,
    /// When.
    pub at: Micros,
}

/// What ended an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The condition cleared.
    Itself,
    /// Somebody said so.
    Hand,
    /// A technician's visit note.
    Visit,
    /// The rule was changed, turned off or removed, or the machine was.
    Configuration,
}

/// A message that is due later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When.
    pub due: Micros,
    /// Why.
    pub why: Why,
    /// Whom: a person's id.
    pub person: String,
    /// By which channel.
    pub channel: String,
    /// Where.
    pub to: String,
}

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It began.
    First,
    /// The n-th time, because nobody acknowledged.
    Repeat(u32),
    /// Nobody acknowledged: the n-th step, from 1.
    Escalation(u32),
    /// It ended.
    Resolved,
    /// In the digest of the hour.
    Hourly,
    /// In the digest of the day.
    Daily,
}

/// A line of an alert's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Which alert.
    pub alert: u64,
    /// When.
    pub at: Micros,
    /// What happened.
    pub what: What,
    /// Who, where somebody did.
    #[serde(default)]
    pub who: String,
    /// What they said, or more of it.
    #[serde(default)]
    pub note: String,
}

/// What happens to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The condition began.
    Began,
    /// It held for long enough.
    Fired,
    /// Another alert speaks for it now.
    Grouped,
    /// Somebody took it.
    Acknowledged,
    /// Nobody is told for a while.
    Silenced,
    /// Somebody said something.
    Noted,
    /// Somebody is told.
    Told,
    /// It is over.
    Resolved,
}

impl Phase {
    /// As it stands in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Waiting => "waiting",
            Phase::Firing => "firing",
            Phase::Acknowledged => "acknowledged",
            Phase::Resolved => "resolved",
        }
    }
}

impl Alert {
    /// The machine, when it is of one only.
    pub fn only_machine(&self) -> Option<&MachineId> {
        match (self.kind, self.machines.as_slice()) {
            (AlertKind::Machine, [machine]) => Some(machine),
            _ => None,
        }
    }

    /// Whether it is not over.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Resolved
    }

    /// Whether somebody has to look.
    pub fn is_firing(&self) -> bool {
        self.phase == Phase::Firing
    }
}
