//! What waits for its number. What came as a whole is prepared only when there is room for it: until
//! then it has changed nothing, and can be refused.

use std::time::Instant;

use wire::redact::Redactor;
use wire::{Level, LogEntry, Micros};

use super::replies::Replies;
use super::source::Source;
use crate::assemble::{AssemblyState, Kind, Record};
use crate::clock::{Basis, Wall};
use crate::input::socket::{Submission, Ticket};
use crate::input::{At, Gap, Origin};
use crate::own_log::Said;

/// The component of what the agent says itself.
pub const AGENT: &str = "agent";

/// Something on its way into the spool.
pub(super) struct Ready {
    pub source: usize,
    pub stage: Stage,
}

/// How far it has got.
pub(super) enum Stage {
    /// As it came, and the clock at that time.
    Record(Box<Record>, Box<Wall>),
    /// From the socket: it may be no entry at all, or one that is known already.
    Submission(Box<Submission>, Box<Wall>),
    /// A gap that is to be told of, and the position behind it.
    Gap(Box<Record>, Origin, Box<Wall>),
    /// No entry: what follows was written by an application that has started anew.
    Starts,
    /// It only needs its number.
    Entry(Box<Judged>, Option<Ticket>),
    /// Nothing is left to do.
    Done,
}

/// An entry, the position behind it, and what its time is repaired by later.
pub(super) struct Judged {
    pub entry: LogEntry,
    pub origin: Origin,
    pub basis: Option<Basis>,
}

impl Stage {
    /// Makes the entry, if it is not made yet and there is one to make: else it is done.
    pub fn settle(
        &mut self,
        source: &mut Source,
        redactor: &Redactor,
        replies: &mut Replies,
        now: Instant,
    ) {
        let stage = std::mem::replace(self, Stage::Done);
        *self = match stage {
            Stage::Record(mut record, wall) => {
                let entry = source.entry(&mut record, &wall, redactor);
                Stage::Entry(Box::new(entry), None)
            }
            Stage::Gap(mut record, origin, wall) => {
                let mut entry = source.gap_entry(&mut record, &wall, redactor);
                let basis = wall.judge(&mut entry);
                let judged = Judged {
                    entry,
                    origin,
                    basis,
                };
                Stage::Entry(Box::new(judged), None)
            }
            Stage::Submission(submission, wall) => {
                match source.submission(*submission, replies, now) {
                    Some((mut record, ticket)) => {
                        let entry = source.entry(&mut record, &wall, redactor);
                        Stage::Entry(Box::new(entry), Some(ticket))
                    }
                    None => Stage::Done,
                }
            }
            Stage::Starts => Stage::Done,
            settled @ (Stage::Entry(..) | Stage::Done) => settled,
        };
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

/// The record of something that the agent has said.
pub(super) fn said_record(said: Said) -> Record {
    let mut record = own_record(said.level, said.text, said.at);
    record.context.insert("event".into(), "trouble".into());
    for (key, count) in [("repeated", said.repeated), ("left_out", said.left_out)] {
        if count > 0 {
            record.context.insert(key.into(), count.into());
        }
    }
    record
}

/// Something that the agent says itself.
pub(crate) fn own_record(level: Level, message: String, now: Micros) -> Record {
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
