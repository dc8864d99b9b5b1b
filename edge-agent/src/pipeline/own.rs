//! What the agent says itself, on its way into the spool: entries of component `agent`, from no
//! input.

use std::collections::VecDeque;

use wire::redact::Redactor;
use wire::{Level, LogEntry};

use super::ready::{AGENT, own_record};
use crate::assemble::{AssemblyState, Record};
use crate::clock::{Basis, Wall};
use crate::health::Change;
use crate::input::{At, Origin};
use crate::pack::PackState;
use crate::prepare::prepare;
use crate::spool::SeqRange;

/// What the agent has to say while it cannot write is not much; beyond this the newest is dropped.
const WAITING_MAX: usize = 64;

/// Entries that wait for room.
#[derive(Default)]
pub(super) struct Own {
    waiting: VecDeque<(LogEntry, Option<Basis>)>,
}

impl Own {
    /// Tells that the application began or ceased to crash again and again.
    pub fn say_change(&mut self, change: &Change, wall: Wall, redactor: &Redactor) {
        let (level, message) = match change {
            Change::LoopBegan {
                starts,
                last_critical,
                ..
            } => {
                let after = last_critical.as_ref();
                let after = after.map_or_else(String::new, |words| format!(", after: {words}"));
                let words = "the application crashes and starts again and again";
                (
                    Level::Error,
                    format!("{words} ({starts} starts in the last hour{after})"),
                )
            }
            Change::LoopEnded { .. } => (
                Level::Info,
                "the application has run for ten minutes without starting again".to_owned(),
            ),
        };
        let mut record = own_record(level, message, wall.at);
        let context = &mut record.context;
        context.insert("event".into(), "crash_loop".into());
        match change {
            Change::LoopBegan { input, starts, .. } => {
                context.insert("state".into(), "began".into());
                context.insert("input".into(), input.as_str().into());
                context.insert("starts".into(), (*starts).into());
            }
            Change::LoopEnded { starts } => {
                context.insert("state".into(), "ended".into());
                context.insert("starts".into(), (*starts).into());
            }
        }
        self.say(&record, wall, redactor);
    }

    /// Tells of entries that damage took from the spool: nobody will get them from here.
    pub fn say_damage(&mut self, range: SeqRange, wall: Wall, redactor: &Redactor) {
        let message = format!(
            "{} entries in the spool were damaged on the disk: {} to {}",
            range.count(),
            range.from,
            range.to
        );
        let mut record = own_record(Level::Warn, message, wall.at);
        let context = &mut record.context;
        context.insert("event".into(), "gap".into());
        context.insert("input".into(), "spool".into());
        context.insert("why".into(), "damaged".into());
        context.insert("records".into(), range.count().into());
        context.insert("from".into(), range.from.into());
        context.insert("to".into(), range.to.into());
        self.say(&record, wall, redactor);
    }

    /// Adds a record, redacted as every other.
    pub fn say(&mut self, record: &Record, wall: Wall, redactor: &Redactor) {
        let mut state = PackState::default();
        let mut entry = prepare(record, redactor, None, &mut state, wall.state);
        let basis = wall.judge(&mut entry);
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back((entry, basis));
        }
    }

    /// The next one to be written, and what its time is repaired by.
    pub fn front_mut(&mut self) -> Option<&mut (LogEntry, Option<Basis>)> {
        self.waiting.front_mut()
    }

    /// It is written.
    pub fn pop(&mut self) {
        self.waiting.pop_front();
    }

    /// The name and the position of what comes from no input.
    pub fn origin() -> (&'static str, Origin) {
        let origin = Origin {
            at: At::Live,
            assembly: AssemblyState::default(),
            pack: PackState::default(),
        };
        (AGENT, origin)
    }
}
