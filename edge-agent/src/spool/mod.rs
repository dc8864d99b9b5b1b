//! The spool: an append-only log of numbered entries, in segments, synced before anyone sees them.
//!
//! One writer (the pipeline) owns a [`Spool`]; any number of [`SpoolReader`]s follow it up to the
//! synced position. What is appended is gathered in memory; [`Spool::sync`] packs it into blocks,
//! writes them at once and syncs. Every block carries where its entries came from, so a restart
//! resumes from the last whole one; the checkpoint keeps that position when the blocks are gone.

mod aside;
pub mod block;
pub mod checkpoint;
mod gather;
pub mod inspect;
mod levels;
mod ranges;
mod reader;
mod recover;
mod room;
mod segment;
mod shared;

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wire::{LogEntry, Micros};

pub use checkpoint::{Checkpoint, Sourced};
pub use levels::Levels;
pub use ranges::{SeqRange, SeqRanges};
pub use reader::{SpoolReader, Stored};
pub use recover::{Recovered, recover};
pub use room::{Bounds, RESERVE_BYTES, RESERVE_PART, Room};
pub use shared::{Shared, Synced};

use crate::clock::Basis;
use crate::durable;
use crate::input::Origin;
use gather::Gather;
use segment::{HEADER_BYTES, SegmentName};

/// A segment is closed at this size: small enough that delivered ones are soon removed, large
/// enough that a full spool is a few hundred files.
pub const SEGMENT_BYTES: u64 = 1024 * 1024;

/// The writing end. Appended entries are offered to readers only by [`Spool::sync`].
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    checkpoint_path: PathBuf,
    room: Room,
    epoch: u64,
    /// The last seq given out, and the last one that is synced.
    last_seq: u64,
    synced_seq: u64,
    /// How far each input is synced.
    positions: BTreeMap<String, Position>,
    /// Damaged seqs that somebody was told of.
    reported: SeqRanges,
    /// The last seq that the checkpoint on disk knows of.
    checkpointed_seq: u64,
    /// Closed segments and their sizes, oldest first.
    closed: VecDeque<(SegmentName, u64)>,
    active: Option<Active>,
    gather: Gather,
    shared: Arc<Shared>,
}

/// How far an input was read, and the entry that says so.
#[derive(Debug, Clone)]
pub struct Position {
    /// The seq of the entry, or of a later one in its block; 0 when only the checkpoint says it.
    pub seq: u64,
    /// The position.
    pub origin: Origin,
}

#[derive(Debug)]
struct Active {
    name: SegmentName,
    file: File,
    len: u64,
}

impl Spool {
    /// Opens the spool in `dir`, or begins one with a new epoch. A torn tail is cut; damaged
    /// blocks are counted and passed over. `acknowledged` is the highest seq that a server is
    /// known to have: should damage have taken it from the spool, it is not given out again.
    ///
    /// # Errors
    /// The directory cannot be made, read or synced.
    pub fn open(
        dir: &Path,
        checkpoint_path: &Path,
        bounds: Bounds,
        acknowledged: impl Fn(u64) -> u64,
        now: Micros,
    ) -> io::Result<Spool> {
        fs::create_dir_all(dir)?;
        durable::sync_dir_of(dir)?;
        let aside = aside::set_aside(dir)?;
        let mut found = match aside.last {
            true => Recovered::default(),
            false => recover(dir, checkpoint_path)?,
        };
        let epoch = match found.epoch {
            Some(epoch) => epoch,
            None => new_epoch(now)?,
        };
        let last_seq = found.last_seq.max(acknowledged(epoch));
        if let Some(missing) = SeqRange::new(found.last_seq + 1, last_seq) {
            found.damaged.add(missing);
        }
        if found.torn_bytes > 0 || found.damaged.count() > 0 {
            tracing::warn!(
                torn_bytes = found.torn_bytes,
                damaged_entries = found.damaged.count(),
                "the spool was damaged; what is whole is kept"
            );
        }
        let shared = Arc::new(Shared::new(epoch, found.damaged, aside.count));
        let mut spool = Spool {
            dir: dir.to_owned(),
            checkpoint_path: checkpoint_path.to_owned(),
            room: Room::new(dir, bounds),
            epoch,
            last_seq,
            synced_seq: last_seq,
            positions: found.positions,
            reported: found.reported,
            checkpointed_seq: found.checkpointed_seq,
            closed: found.segments.into(),
            active: None,
            gather: Gather::new(epoch),
            shared,
        };
        spool.reopen_last()?;
        // It is there already when the agent ended in order.
        if found.epoch.is_none() || spool.checkpointed_seq != last_seq {
            match spool.save_checkpoint() {
                // The first segment's name will tell the epoch: a full disk is no reason not to
                // start.
                Err(error) if durable::is_no_room(&error) => {}
                saved => saved?,
            }
        }
        spool.publish();
        Ok(spool)
    }

    /// The segment that was written last goes on, cut behind its last whole block and synced:
    /// what a killed agent wrote may still be in the page cache only.
    fn reopen_last(&mut self) -> io::Result<()> {
        let Some((name, sound)) = self.closed.pop_back() else {
            return Ok(());
        };
        let path = name.path(&self.dir);
        let len = fs::metadata(&path)?.len();
        // One that a full disk had no room to begin; its header would not fit now either.
        if len == 0 && !self.closed.is_empty() {
            fs::remove_file(path)?;
            return self.reopen_last();
        }
        let file = durable::private().read(true).write(true).open(&path)?;
        let mut header = [0; HEADER_BYTES];
        let is_sound = file.read_exact_at(&mut header, 0).is_ok() && header == name.header();
        if !is_sound {
            file.write_all_at(&name.header(), 0)?;
        }
        if len != sound {
            file.set_len(sound)?;
        }
        file.sync_all()?;
        let len = sound;
        self.active = Some(Active { name, file, len });
        Ok(())
    }

    /// This spool's epoch, below 2^53 so that JavaScript can hold it.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The last seq given out.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Where to resume the input of this name: how far it is synced.
    pub fn origin(&self, input: &str) -> Option<&Origin> {
        self.positions.get(input).map(|position| &position.origin)
    }

    /// What readers see of it.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A reader whose first entry is the one after `after`.
    pub fn reader(&self, after: u64) -> SpoolReader {
        SpoolReader::new(self.dir.clone(), self.shared.clone(), after)
    }

    /// Whether inputs must pause.
    pub fn is_full(&self) -> bool {
        self.room.is_full(self.bytes())
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        let closed: u64 = self.closed.iter().map(|(_, bytes)| bytes).sum();
        closed + self.active.as_ref().map_or(0, |active| active.len)
    }

    /// Whether something was appended since the last sync.
    pub fn is_unsynced(&self) -> bool {
        !self.gather.is_empty()
    }

    /// Damaged entries that nobody was told of yet, for a record of the gap; the next checkpoint
    /// remembers that they were given out here.
    pub fn take_damage(&mut self) -> Vec<SeqRange> {
        let damaged = self.shared.damaged();
        let ranges = damaged.as_slice().iter();
        let new: Vec<SeqRange> = ranges
            .flat_map(|range| self.reported.missing_of(*range))
            .collect();
        new.iter().for_each(|range| self.reported.add(*range));
        new
    }

    /// Numbers an entry and gathers it with its origin, to be written by [`Spool::sync`]; `basis`
    /// is given when the clock was not set. When too much has been gathered, that is synced first.
    ///
    /// # Errors
    /// One of [`durable::is_no_room`]: nothing was appended, and the same entry may be tried again.
    /// Any other error (a failed sync is never one of these) must end the agent.
    pub fn append(
        &mut self,
        entry: &mut LogEntry,
        input: &str,
        origin: &Origin,
        basis: Option<Basis>,
    ) -> io::Result<u64> {
        if self.gather.is_full() {
            self.sync()?;
        }
        let seq = self.last_seq + 1;
        entry.seq = Some(seq);
        self.gather.push(seq, entry, (input, origin), basis)?;
        self.last_seq = seq;
        Ok(seq)
    }

    /// Makes everything appended durable with one write and one sync, and offers it to the
    /// readers.
    ///
    /// # Errors
    /// One of [`durable::is_no_room`]: what was gathered is kept, and this may be called again.
    /// Any other error must end the agent, and the next start reads the inputs again: a sync that
    /// failed is never repeated, for the system may have dropped the pages.
    pub fn sync(&mut self) -> io::Result<()> {
        let Some(first_seq) = self.gather.first_seq() else {
            return Ok(());
        };
        let blocks = self.gather.encode()?;
        self.room.ask(blocks.len() as u64)?;
        let closes = match &mut self.active {
            Some(active) if active.len < SEGMENT_BYTES => {
                write_at(&active.file, &blocks, active.len)?;
                active.file.sync_data().map_err(sync_failed)?;
                active.len += blocks.len() as u64;
                false
            }
            // The full one stays the active one when this fails: readers go by it.
            _ => {
                let next = self.begin_segment(first_seq, &blocks)?;
                let full = self.active.replace(next);
                self.closed.extend(full.map(|full| (full.name, full.len)));
                true
            }
        };
        let positions = self.gather.take_positions();
        self.positions.extend(positions);
        self.synced_seq = self.last_seq;
        self.publish();
        if closes {
            // A start reads what the checkpoint does not know: never much more than a segment.
            match self.save_checkpoint() {
                Err(error) if durable::is_no_room(&error) => {}
                saved => saved.map_err(io::Error::other)?,
            }
        }
        Ok(())
    }

    fn begin_segment(&self, first_seq: u64, blocks: &[u8]) -> io::Result<Active> {
        let name = SegmentName {
            epoch: self.epoch,
            first_seq,
        };
        let path = name.path(&self.dir);
        let file = durable::private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        let bytes = [&name.header(), blocks].concat();
        write_at(&file, &bytes, 0)?;
        file.sync_all().map_err(sync_failed)?;
        durable::sync_dir_of(&path).map_err(sync_failed)?;
        let len = bytes.len() as u64;
        Ok(Active { name, file, len })
    }

    fn publish(&self) {
        let oldest = self.closed.front().map(|(name, _)| *name);
        let oldest = oldest.or(self.active.as_ref().map(|active| active.name));
        self.shared.publish(Synced {
            last_seq: self.synced_seq,
            segment: self.active.as_ref().map(|active| active.name.first_seq),
            offset: self.active.as_ref().map_or(0, |active| active.len),
            bytes: self.bytes(),
            removed_through: oldest
                .map_or(self.synced_seq, |name| name.first_seq.saturating_sub(1)),
        });
    }

    /// Removes closed segments whose every entry has a seq up to `delivered`, once the checkpoint
    /// has the positions in them.
    ///
    /// # Errors
    /// The checkpoint cannot be written, or a segment not removed.
    pub fn trim(&mut self, delivered: u64) -> io::Result<()> {
        let mut removable = 0;
        while removable < self.closed.len() && self.last_seq_of(removable) <= delivered {
            removable += 1;
        }
        if removable == 0 {
            return Ok(());
        }
        if !self.can_go_unsaved(self.last_seq_of(removable - 1)) {
            match self.save_checkpoint() {
                // A full disk has no room for the checkpoint: removing makes it, and loses nothing
                // when later blocks say what the removed ones did.
                Err(error) if durable::is_no_room(&error) => {
                    while removable > 0 && !self.can_go_unsaved(self.last_seq_of(removable - 1)) {
                        removable -= 1;
                    }
                }
                saved => saved?,
            }
        }
        let removed: Vec<(SegmentName, u64)> = self.closed.drain(..removable).collect();
        // Before they go: a reader that does not find one must know that nothing was damaged.
        self.publish();
        for (name, _) in removed {
            fs::remove_file(name.path(&self.dir))?;
        }
        Ok(())
    }

    /// The last seq of a closed segment.
    fn last_seq_of(&self, index: usize) -> u64 {
        let next = self.closed.get(index + 1).map(|(name, _)| *name);
        let next = next.or(self.active.as_ref().map(|active| active.name));
        next.map_or(self.synced_seq, |next| next.first_seq - 1)
    }

    /// Whether no position would be lost with every entry up to `seq`.
    fn can_go_unsaved(&self, seq: u64) -> bool {
        let is_kept = |p: &Position| p.seq > seq || p.seq <= self.checkpointed_seq;
        self.active.is_some() && self.positions.values().all(is_kept)
    }

    /// Writes the synced positions beside the segments.
    ///
    /// # Errors
    /// A step of the durable replacement failed.
    pub fn save_checkpoint(&mut self) -> io::Result<()> {
        let origins = self.positions.iter();
        let origins = origins.map(|(input, position)| (input.clone(), position.origin.clone()));
        let checkpoint = Checkpoint {
            epoch: self.epoch,
            last_seq: self.synced_seq,
            origins: origins.collect(),
            reported: self.reported.clone(),
        };
        durable::save(&self.checkpoint_path, &checkpoint)?;
        self.checkpointed_seq = self.synced_seq;
        Ok(())
    }
}

/// Half a block must not stay behind when there is no room: the next one is written in its place.
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    if let Err(error) = file.write_all_at(bytes, at) {
        file.set_len(at).map_err(sync_failed)?;
        return Err(error);
    }
    Ok(())
}

/// No retry, whatever the system calls it: a full disk too may have cost the pages.
fn sync_failed(error: io::Error) -> io::Error {
    io::Error::other(format!("the spool cannot be synced: {error}"))
}

/// Unix seconds and 20 random bits: below 2^53 until the year 2242, and two spools begun in the
/// same second (a machine without a clock starts in 1970 every time) still differ.
fn new_epoch(now: Micros) -> io::Result<u64> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let seconds = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
    Ok((seconds << 20 | u64::from(u32::from_le_bytes(random) >> 12)) & ((1 << 53) - 1))
}

#[cfg(test)]
mod tests;
