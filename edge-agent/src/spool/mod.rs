//! The spool: an append-only log of numbered entries, in segments, synced before anyone sees them.
//!
//! One writer (the pipeline) owns a [`Spool`]; any number of [`SpoolReader`]s follow it up to the
//! synced position. Every record carries where it came from, so a restart resumes from the last
//! whole one; the checkpoint keeps that position when the records are gone.

pub mod checkpoint;
pub mod frame;
mod reader;
mod recover;
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
pub use reader::{SpoolReader, Stored};
pub use recover::{Recovered, recover};
pub use shared::{Shared, Synced};

use crate::durable;
use crate::input::Origin;
use frame::Frame;
use segment::{HEADER, SegmentName};

/// A segment is closed at this size: small enough that delivered ones are soon removed, large
/// enough that a day of logs is a few dozen files.
pub const SEGMENT_BYTES: u64 = 1024 * 1024;

/// The writing end. Appended entries are offered to readers only by [`Spool::sync`].
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    checkpoint_path: PathBuf,
    max_bytes: u64,
    epoch: u64,
    last_seq: u64,
    positions: BTreeMap<String, Position>,
    /// The last seq that the checkpoint on disk knows of.
    checkpointed_seq: u64,
    /// Closed segments and their sizes, oldest first.
    closed: VecDeque<(SegmentName, u64)>,
    active: Option<Active>,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
}

/// How far an input was read, and the record that says so.
#[derive(Debug, Clone)]
pub struct Position {
    /// The record's seq; 0 when only the checkpoint says it.
    pub seq: u64,
    /// The position.
    pub origin: Origin,
}

#[derive(Debug)]
struct Active {
    name: SegmentName,
    file: File,
    len: u64,
    unsynced: bool,
}

impl Spool {
    /// Opens the spool in `dir`, or begins one with a new epoch. A torn tail is cut; damaged
    /// records are counted and passed over. `acknowledged` is the highest seq that a server is
    /// known to have: should damage have taken it from the spool, it is not given out again.
    ///
    /// # Errors
    /// The directory cannot be made, read or synced.
    pub fn open(
        dir: &Path,
        checkpoint_path: &Path,
        max_bytes: u64,
        acknowledged: impl Fn(u64) -> u64,
        now: Micros,
    ) -> io::Result<Spool> {
        fs::create_dir_all(dir)?;
        durable::sync_dir_of(dir)?;
        let found = recover(dir, checkpoint_path)?;
        let epoch = match found.epoch {
            Some(epoch) => epoch,
            None => new_epoch(now)?,
        };
        if found.torn_bytes > 0 || found.damaged > 0 {
            tracing::warn!(
                torn_bytes = found.torn_bytes,
                damaged_records = found.damaged,
                "the spool was damaged; what is whole is kept"
            );
        }
        let mut spool = Spool {
            dir: dir.to_owned(),
            checkpoint_path: checkpoint_path.to_owned(),
            max_bytes,
            epoch,
            last_seq: found.last_seq.max(acknowledged(epoch)),
            positions: found.positions,
            checkpointed_seq: 0,
            closed: found.segments.into(),
            active: None,
            shared: Arc::new(Shared::new(epoch, found.damaged)),
            buffer: Vec::new(),
        };
        spool.reopen_last()?;
        match spool.save_checkpoint() {
            // The first segment's name will tell the epoch: a full disk is no reason not to start.
            Err(error) if durable::is_no_room(&error) => {}
            saved => saved?,
        }
        spool.publish();
        Ok(spool)
    }

    /// The segment that was written last goes on, cut behind its last whole record and synced:
    /// what a killed agent wrote may still be in the page cache only.
    fn reopen_last(&mut self) -> io::Result<()> {
        let Some((name, sound)) = self.closed.pop_back() else {
            return Ok(());
        };
        // One that a full disk had no room to begin; its header would not fit now either.
        let is_empty = fs::metadata(name.path(&self.dir))?.len() == 0;
        if is_empty && !self.closed.is_empty() {
            fs::remove_file(name.path(&self.dir))?;
            return self.reopen_last();
        }
        let file = durable::private().write(true).open(name.path(&self.dir))?;
        file.write_all_at(&HEADER, 0)?;
        file.set_len(sound)?;
        file.sync_all()?;
        self.active = Some(Active {
            name,
            file,
            len: sound,
            unsynced: false,
        });
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

    /// Where to resume the input of this name.
    pub fn origin(&self, input: &str) -> Option<&Origin> {
        self.positions.get(input).map(|position| &position.origin)
    }

    /// What readers see of it.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A reader whose first record is the one after `after`.
    pub fn reader(&self, after: u64) -> SpoolReader {
        SpoolReader::new(self.dir.clone(), self.shared.clone(), after)
    }

    /// Whether inputs must pause.
    pub fn is_full(&self) -> bool {
        self.bytes() >= self.max_bytes
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        let closed: u64 = self.closed.iter().map(|(_, bytes)| bytes).sum();
        closed + self.active.as_ref().map_or(0, |active| active.len)
    }

    /// Whether something was appended since the last sync.
    pub fn is_unsynced(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.unsynced)
    }

    /// Numbers an entry and appends it with its origin. It is not durable before [`Spool::sync`].
    ///
    /// # Errors
    /// One of [`durable::is_no_room`]: nothing was appended, and the same entry may be tried again.
    /// Any other error (a failed sync is never one of these) must end the agent.
    pub fn append(
        &mut self,
        entry: &mut LogEntry,
        input: &str,
        origin: &Origin,
    ) -> io::Result<u64> {
        let seq = self.last_seq + 1;
        entry.seq = Some(seq);
        let json = serde_json::to_string(entry).map_err(io::Error::other)?;
        let sourced = Sourced {
            input: input.to_owned(),
            origin,
        };
        let origin_json = serde_json::to_string(&sourced).map_err(io::Error::other)?;
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        Frame {
            seq,
            at: entry.timestamp,
            level: entry.level,
            entry: &json,
            origin: &origin_json,
        }
        .encode(&mut bytes);
        let active = self.active_segment(seq)?;
        if let Err(error) = active.file.write_all_at(&bytes, active.len) {
            // Half a record must not stay behind: the next one is written in its place.
            active.file.set_len(active.len)?;
            return Err(error);
        }
        active.len += bytes.len() as u64;
        active.unsynced = true;
        bytes.shrink_to(SHRINK_TO_BYTES);
        self.buffer = bytes;
        self.last_seq = seq;
        let position = Position {
            seq,
            origin: origin.clone(),
        };
        self.positions.insert(sourced.input, position);
        Ok(seq)
    }

    fn active_segment(&mut self, seq: u64) -> io::Result<&mut Active> {
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.len >= SEGMENT_BYTES)
        {
            self.sync().map_err(io::Error::other)?;
            // The full one stays the active one when this fails: readers go by it.
            let next = self.new_segment(seq)?;
            let full = self.active.replace(next);
            self.closed.extend(full.map(|full| (full.name, full.len)));
        }
        let active = match self.active.take() {
            Some(active) => active,
            None => self.new_segment(seq)?,
        };
        Ok(self.active.insert(active))
    }

    fn new_segment(&self, seq: u64) -> io::Result<Active> {
        let name = SegmentName {
            epoch: self.epoch,
            first_seq: seq,
        };
        let path = name.path(&self.dir);
        let file = durable::private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        file.write_all_at(&HEADER, 0)?;
        file.sync_all().map_err(io::Error::other)?;
        durable::sync_dir_of(&path).map_err(io::Error::other)?;
        Ok(Active {
            name,
            file,
            len: HEADER.len() as u64,
            unsynced: false,
        })
    }

    /// Makes everything appended durable and offers it to the readers.
    ///
    /// # Errors
    /// The sync failed. It must not be tried again, for the system may have dropped the pages:
    /// the agent ends, and the next start reads the input again.
    pub fn sync(&mut self) -> io::Result<()> {
        if let Some(active) = self.active.as_mut().filter(|active| active.unsynced) {
            active.file.sync_data()?;
            active.unsynced = false;
        }
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        self.shared.publish(Synced {
            last_seq: self.last_seq,
            segment: self.active.as_ref().map(|active| active.name.first_seq),
            offset: self.active.as_ref().map_or(0, |active| active.len),
            bytes: self.bytes(),
        });
    }

    /// Removes closed segments whose every record has a seq up to `delivered`. The positions in
    /// them are made durable first.
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
        self.sync().map_err(io::Error::other)?;
        match self.save_checkpoint() {
            // A full disk has no room for the checkpoint: removing makes it, and loses nothing
            // when later records say what the removed ones did.
            Err(error) if durable::is_no_room(&error) => {
                while removable > 0 && !self.can_go_unsaved(self.last_seq_of(removable - 1)) {
                    removable -= 1;
                }
            }
            saved => saved?,
        }
        for (name, _) in self.closed.drain(..removable) {
            fs::remove_file(name.path(&self.dir))?;
        }
        self.publish();
        Ok(())
    }

    /// The last seq of a closed segment.
    fn last_seq_of(&self, index: usize) -> u64 {
        let next = self.closed.get(index + 1).map(|(name, _)| *name);
        let next = next.or(self.active.as_ref().map(|active| active.name));
        next.map_or(self.last_seq, |next| next.first_seq - 1)
    }

    /// Whether no position would be lost with every record up to `seq`.
    fn can_go_unsaved(&self, seq: u64) -> bool {
        let is_kept = |p: &Position| p.seq > seq || p.seq <= self.checkpointed_seq;
        self.active.is_some() && self.positions.values().all(is_kept)
    }

    /// Writes the positions beside the segments. Call it only with everything synced.
    ///
    /// # Errors
    /// A step of the durable replacement failed.
    pub fn save_checkpoint(&mut self) -> io::Result<()> {
        let origins = self.positions.iter();
        let origins = origins.map(|(input, position)| (input.clone(), position.origin.clone()));
        let (epoch, last_seq) = (self.epoch, self.last_seq);
        let checkpoint = Checkpoint {
            epoch,
            last_seq,
            origins: origins.collect(),
        };
        durable::save(&self.checkpoint_path, &checkpoint)?;
        self.checkpointed_seq = last_seq;
        Ok(())
    }
}

/// What the frame buffer keeps after a large record; ordinary ones have well below 2 KiB.
const SHRINK_TO_BYTES: usize = 8 * 1024;

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
