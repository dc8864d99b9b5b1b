//! What waits for its number. What came as a whole is prepared only when there is room for it: until
//! then it has changed nothing, and can be refused.

use wire::redact::Redactor;
use wire::{ClockState, Level, LogEntry, Micros};

use super::source::Source;
use crate::assemble::{AssemblyState, Kind, Record};
use crate::input::{At, Gap, Origin};

/// The component of what the agent says itself.
pub const AGENT: &str = "agent";

/// Something on its way into the spool.
pub(super) struct Ready {
    pub source: usize,
    pub stage: Stage,
}

/// How far it has got.
pub(super) enum Stage {
    /// As it came.
    Record(Box<Record>, ClockState),
    /// A gap that is to be told of, and the position behind it.
    Gap(Box<Record>, Origin, ClockState),
    /// It only needs its number.
    Entry(Box<(LogEntry, Origin)>),
}

impl Stage {
    /// The entry, made now if need be.
    pub fn entry(&mut self, source: &mut Source, redactor: &Redactor) -> (&mut LogEntry, &Origin) {
        match self {
            Stage::Entry(_) => {}
            Stage::Record(record, clock) => {
                *self = Stage::Entry(Box::new(source.entry(record, *clock, redactor)));
            }
            Stage::Gap(record, origin, clock) => {
                let entry = source.gap_entry(record, *clock, redactor);
                *self = Stage::Entry(Box::new((entry, origin.clone())));
            }
        }
        match self {
            Stage::Entry(entry) => (&mut entry.0, &entry.1),
            Stage::Record(..) | Stage::Gap(..) => unreachable!("it was made an entry above"),
        }
    }
}

/// The record that tells of a gap in the input of this name.
pub(super) fn gap_record(gap: &Gap, input: &str, now: Micros) -> Record {
    let mut record = own_record(Level::Warn, gap.words.clone(), now);
    record.context.insert("event".into(), "gap".into());
    record.context.insert("input".into(), input.into());
    record.context.insert("why".into(), gap.why.into());
    for (key, count) in [("bytes", gap.bytes), ("records", gap.records)] {
        if let Some(count) = count {
            record.context.insert(key.into(), count.into());
        }
    }
    record
}

/// Something that the agent says itself.
pub(super) fn own_record(level: Level, message: String, now: Micros) -> Record {
    Record {
        at: now,
        level,
        component: AGENT.to_owned(),
        message,
        context: serde_json::Map::new(),
        // Packs are for the application's words.
        kind: Kind::Continued,
        place: At::Live,
        state: AssemblyState::default(),
    }
}
