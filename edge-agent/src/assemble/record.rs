//! A record, and what must be remembered between two of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::{Level, Micros};

use super::traceback::Phase;
use super::{APP, STDOUT};
use crate::input::{At, Line};

/// One record, before redaction and packs.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When it was logged.
    pub at: Micros,
    /// As logged.
    pub level: Level,
    /// Derived from the logger's name.
    pub component: String,
    /// The text, lines joined by LF.
    pub message: String,
    /// What the line itself carried, and marks such as `piece`.
    pub context: Map<String, Value>,
    /// How packs should look at it.
    pub kind: Kind,
    /// The position behind it.
    pub place: At,
    /// The state behind it, for a restart.
    pub state: AssemblyState,
}

/// Where a record's level and component come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its own stamp: packs may refine them.
    Logged,
    /// Printed past the logger.
    Printed,
    /// The rest of a record that was given out before: as that one.
    Continued,
}

/// What assembly must remember between two entries; kept in every spooled record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AssemblyState {
    /// The time of the last stamped record of this file.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Micros>,
    /// The time of the last stamped record of the file before, until this one has its own: it
    /// tells which of two equal hours is meant.
    #[serde(rename = "old", default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Micros>,
    /// The record that was given out before its end.
    #[serde(rename = "rest", default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
}

impl AssemblyState {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == AssemblyState::default()
    }

    /// Whether the next bytes are inside a line that was cut.
    pub fn is_inside_line(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.is_line)
    }
}

/// How a record that was given out in parts goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    /// The time of the whole.
    pub at: Micros,
    /// The level of the whole, packs included.
    pub level: Level,
    /// The component of the whole, packs included.
    pub component: String,
    /// Parts given out so far.
    pub parts: u32,
    /// Whether it is a cut line; else a traceback in this phase.
    pub is_line: bool,
    pub(super) phase: Phase,
}

pub(super) fn printed(at: Micros, message: String, place: At) -> Record {
    Record {
        at,
        level: Level::Info,
        component: STDOUT.to_owned(),
        message,
        context: Map::new(),
        kind: Kind::Printed,
        place,
        state: AssemblyState::default(),
    }
}

pub(super) fn mark_escaped(record: &mut Record, line: &Line) {
    if line.escaped {
        record.context.insert("escaped_bytes".into(), true.into());
    }
}

/// The component of a logger's name: `__main__` is `app`, else its last dotted part.
pub(crate) fn component_of(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name).trim();
    let last = if matches!(last, "" | "__main__") {
        APP
    } else {
        last
    };
    last.to_owned()
}
