//! What was appended and is not on the disk yet, already in the form in which it will be written.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use wire::LogEntry;

use super::Position;
use super::block::Draft;
use super::checkpoint::Sourced;
use crate::clock::Basis;
use crate::input::Origin;

/// When so much waits, it is written without waiting for more: it bounds the memory, and a block
/// more is nothing beside it.
pub const GATHER_MAX_BYTES: usize = 256 * 1024;

/// The entries of the next group.
#[derive(Debug)]
pub struct Gather {
    epoch: u64,
    drafts: Vec<Drafted>,
    raw_len: usize,
}

#[derive(Debug)]
struct Drafted {
    first_seq: u64,
    draft: Draft,
    /// Each input's last position in it.
    positions: BTreeMap<String, Position>,
}

impl Gather {
    /// For a spool of this epoch.
    pub fn new(epoch: u64) -> Gather {
        Gather {
            epoch,
            drafts: Vec::new(),
            raw_len: 0,
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Whether it must be written before it takes more.
    pub fn is_full(&self) -> bool {
        self.raw_len >= GATHER_MAX_BYTES
    }

    /// The first seq that waits.
    pub fn first_seq(&self) -> Option<u64> {
        self.drafts.first().map(|drafted| drafted.first_seq)
    }

    /// Adds an entry; its seq follows that of the one added before.
    ///
    /// # Errors
    /// It cannot be written as JSON; nothing was added.
    pub fn push(
        &mut self,
        seq: u64,
        entry: &LogEntry,
        (input, origin): (&str, &Origin),
        basis: Option<Basis>,
    ) -> io::Result<()> {
        if self.drafts.last().is_none_or(|last| last.draft.is_full()) {
            self.drafts.push(Drafted {
                first_seq: seq,
                draft: Draft::default(),
                positions: BTreeMap::new(),
            });
        }
        let Some(last) = self.drafts.last_mut() else {
            return Err(io::Error::other("a draft was pushed a moment ago"));
        };
        let before = last.draft.raw_len();
        last.draft
            .push(entry.timestamp, entry.level, basis, |out| {
                serde_json::to_writer(out, entry).map_err(io::Error::other)
            })?;
        self.raw_len += last.draft.raw_len() - before;
        let origin = origin.clone();
        last.positions
            .insert(input.to_owned(), Position { seq, origin });
        Ok(())
    }

    /// Every block's bytes, one after the other.
    ///
    /// # Errors
    /// An origin cannot be written as JSON, or zstd has no memory.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let group_seq = self.first_seq().unwrap_or_default();
        for (index, drafted) in self.drafts.iter().enumerate() {
            let ends_group = index + 1 == self.drafts.len();
            let origins = drafted.positions.iter().map(|(input, position)| {
                let origin = &position.origin;
                to_json(&Sourced {
                    input: input.clone(),
                    origin,
                })
            });
            let origins = origins.collect::<io::Result<Vec<String>>>()?;
            let place = (drafted.first_seq, group_seq, ends_group);
            drafted
                .draft
                .encode(place, &origins, self.epoch, &mut out)?;
        }
        Ok(out)
    }

    /// Forgets what waited, for it was written; gives each input's last position in it.
    pub fn take_positions(&mut self) -> BTreeMap<String, Position> {
        self.raw_len = 0;
        let drafts = std::mem::take(&mut self.drafts).into_iter();
        drafts.flat_map(|drafted| drafted.positions).collect()
    }
}

fn to_json(value: &impl Serialize) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::other)
}
