//! Follows the spool entry by entry, never past what is synced. Every shipper has its own.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use wire::{Level, Micros};

use super::block::{Body, Head};
use super::levels::Levels;
use super::segment::{SegmentName, SegmentScan};
use super::shared::{Shared, Synced};
use crate::clock::Basis;

/// One entry as a shipper sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number in the spool's epoch.
    pub seq: u64,
    /// The entry's time.
    pub at: Micros,
    /// The entry's level.
    pub level: Level,
    /// What its time is repaired by; only of a clock that was not set.
    pub basis: Option<Basis>,
    /// The entry as wire JSON, with its seq.
    pub json: String,
}

/// A place in the spool.
#[derive(Debug)]
pub struct SpoolReader {
    dir: PathBuf,
    shared: Arc<Shared>,
    open: Option<(SegmentName, SegmentScan)>,
    block: Option<OpenBlock>,
    after: u64,
}

#[derive(Debug)]
struct OpenBlock {
    head: Head,
    body: Body,
    next: usize,
    next_seq: u64,
}

impl SpoolReader {
    /// A reader whose first entry is the one after `after` (0: the oldest there is).
    pub fn new(dir: PathBuf, shared: Arc<Shared>, after: u64) -> SpoolReader {
        SpoolReader {
            dir,
            shared,
            open: None,
            block: None,
            after,
        }
    }

    /// Goes to the entry after `after`.
    pub fn seek(&mut self, after: u64) {
        self.open = None;
        self.block = None;
        self.after = after;
    }

    /// The last seq that was read or passed over.
    pub fn position(&self) -> u64 {
        self.after
    }

    /// The next synced entry; `None` when there is none yet.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn next_entry(&mut self) -> io::Result<Option<Stored>> {
        self.next_of(Levels::ALL)
    }

    /// The next synced entry of one of these levels, passing over the others without unpacking
    /// the blocks that have none; `None` when there is none yet.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn next_of(&mut self, levels: Levels) -> io::Result<Option<Stored>> {
        loop {
            if let Some(stored) = self.next_in_block(levels) {
                return Ok(Some(stored));
            }
            let synced = self.shared.synced();
            if self.after >= synced.last_seq {
                return Ok(None);
            }
            if self.open.is_none() && !self.open_segment(synced.segment)? {
                return Ok(None);
            }
            let Some((name, scan)) = &mut self.open else {
                return Ok(None);
            };
            let name = *name;
            let is_active = Some(name.first_seq) == synced.segment;
            let limit = if is_active { synced.offset } else { u64::MAX };
            if let Some(head) = scan.next(limit)? {
                self.take_block(head, levels);
            } else if is_active {
                self.pass_missing(&synced);
            } else if !self.next_segment(name)? {
                return Ok(None);
            }
        }
    }

    fn next_in_block(&mut self, levels: Levels) -> Option<Stored> {
        let block = self.block.as_mut()?;
        while let Some((entry, next)) = block.body.entry_at(block.next) {
            let seq = block.next_seq;
            block.next = next;
            block.next_seq += 1;
            if seq <= self.after {
                continue;
            }
            self.after = seq;
            if levels.contains(entry.level) {
                return Some(Stored {
                    seq,
                    at: entry.at,
                    level: entry.level,
                    basis: entry.basis,
                    json: entry.json.to_owned(),
                });
            }
        }
        let last = block.head.last_seq();
        if self.after < last {
            self.shared.found_missing(self.after + 1, last);
            self.after = last;
        }
        self.block = None;
        None
    }

    fn take_block(&mut self, head: Head, levels: Levels) {
        if head.last_seq() <= self.after {
            return;
        }
        if head.first_seq > self.after + 1 {
            self.shared
                .found_missing(self.after + 1, head.first_seq - 1);
            self.after = head.first_seq - 1;
        }
        if !levels.meets(head.levels) {
            self.after = head.last_seq();
            return;
        }
        let body = self.open.as_ref().map(|(_, scan)| scan.body());
        match body.and_then(|body| Body::unpack(&head, body)) {
            Some(body) => {
                self.block = Some(OpenBlock {
                    head,
                    body,
                    next: 0,
                    next_seq: head.first_seq,
                });
            }
            None => {
                self.shared.found_missing(self.after + 1, head.last_seq());
                self.after = head.last_seq();
            }
        }
    }

    /// The segment being written has nothing more, though more was synced: that is damaged.
    fn pass_missing(&mut self, synced: &Synced) {
        self.shared.found_missing(self.after + 1, synced.last_seq);
        self.after = synced.last_seq;
    }

    fn next_segment(&mut self, current: SegmentName) -> io::Result<bool> {
        let next = self.segments()?.into_iter().find(|other| *other > current);
        let Some(next) = next else { return Ok(false) };
        self.open_named(next)
    }

    fn segments(&self) -> io::Result<Vec<SegmentName>> {
        let mut names = SegmentName::list(&self.dir)?;
        names.retain(|name| name.epoch == self.shared.epoch());
        Ok(names)
    }

    /// Opens the segment that holds the next entry: the last that begins at or before it.
    fn open_segment(&mut self, active: Option<u64>) -> io::Result<bool> {
        let names = self.segments()?;
        let wanted = self.after + 1;
        let held = names.iter().rev().find(|name| name.first_seq <= wanted);
        let Some(name) = held.or(names.first()).copied() else {
            return Ok(false);
        };
        if active.is_none_or(|active| name.first_seq > active) {
            return Ok(false);
        }
        self.open_named(name)
    }

    fn open_named(&mut self, name: SegmentName) -> io::Result<bool> {
        match SegmentScan::open(&name.path(&self.dir), name.epoch) {
            Ok(scan) => {
                self.open = Some((name, scan));
                Ok(true)
            }
            // Removed since it was listed, so delivered: the next call finds the one after it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.open = None;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
