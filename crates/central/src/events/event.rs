//! Every kind of event, in one list.

use alerts::Alert;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::{Level, MachineId};

use crate::api::entry::Entry;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Entries of a machine were stored.
    Entries(EntriesEvent),
    /// A machine was heard, or its status changed.
    Machine(MachineId),
    /// A machine was added, changed or removed.
    Machines,
    /// A CRITICAL entry was stored.
    Critical(Box<Entry>),
    /// A source of drops was changed, or its state did: it fails, or works again, or brought files.
    Source(String),
    /// Something came into quarantine or left it.
    Quarantine,
    /// An alert began or changed.
    Alert(AlertEvent),
}

/// `entries`: entries of a machine were stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntriesEvent {
    /// Whose.
    pub machine_id: MachineId,
    /// How many.
    pub count: u64,
    /// The earliest `filed_at` of them.
    pub from: String,
    /// The latest `filed_at` of them.
    pub to: String,
    /// The gravest level among them.
    pub worst: Level,
}

/// `machine`: a machine was heard, or its status changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactEvent {
    /// Which.
    pub machine_id: MachineId,
}

/// `alert`: an alert began or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// Which.
    pub alert_id: u64,
    /// `waiting`, `firing`, `acknowledged` or `resolved`.
    pub phase: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// Of which machine; null when it is of many.
    #[schema(required = true)]
    pub machine_id: Option<MachineId>,
    /// What kind of trouble.
    pub alert_type: String,
}

impl From<&Alert> for AlertEvent {
    fn from(alert: &Alert) -> AlertEvent {
        AlertEvent {
            alert_id: alert.id,
            phase: alert.phase.as_str().to_owned(),
            severity: alert.severity.as_str().to_owned(),
            machine_id: alert.only_machine().cloned(),
            alert_type: alert.issue.clone(),
        }
    }
}

/// `source`: a source of drops was changed, or its state did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceEvent {
    /// Which.
    pub source_id: String,
}

/// `tick`: the stream is alive; every 10 s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TickEvent {
    /// The server's clock.
    pub server_time: String,
}

impl Event {
    /// The event's name on the stream.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Entries(_) => "entries",
            Event::Machine(_) => "machine",
            Event::Machines => "machines",
            Event::Critical(_) => "critical",
            Event::Source(_) => "source",
            Event::Quarantine => "quarantine",
            Event::Alert(_) => "alert",
        }
    }

    /// The event's data, a JSON object.
    pub fn data(&self) -> String {
        match self {
            Event::Entries(entries) => json(entries),
            Event::Machine(machine_id) => json(&ContactEvent {
                machine_id: machine_id.clone(),
            }),
            Event::Alert(alert) => json(alert),
            Event::Source(source_id) => json(&SourceEvent {
                source_id: source_id.clone(),
            }),
            Event::Machines | Event::Quarantine => "{}".to_owned(),
            Event::Critical(entry) => json(entry),
        }
    }
}

/// The JSON of our own plain structs, which always have one.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}
