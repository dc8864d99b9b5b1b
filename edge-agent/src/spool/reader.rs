//! Follows the spool record by record, never past what is synced. Every shipper has its own.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use wire::{Level, Micros};

use super::Shared;
use super::segment::{SegmentName, SegmentScan};

/// One record as a shipper sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number in the spool's epoch.
    pub seq: u64,
    /// The entry's time.
    pub at: Micros,
    /// The entry's level.
    pub level: Level,
    /// The entry as wire JSON, with its seq.
    pub json: String,
}

/// A place in the spool.
#[derive(Debug)]
pub struct SpoolReader {
    dir: PathBuf,
    shared: Arc<Shared>,
    open: Option<(SegmentName, SegmentScan)>,
    after: u64,
}

impl SpoolReader {
    /// A reader whose first record is the one after `after` (0: the oldest there is).
    pub fn new(dir: PathBuf, shared: Arc<Shared>, after: u64) -> SpoolReader {
        SpoolReader {
            dir,
            shared,
            open: None,
            after,
        }
    }

    /// Goes to the record after `after`.
    pub fn seek(&mut self, after: u64) {
        self.open = None;
        self.after = after;
    }

    /// The seq of the record read last.
    pub fn position(&self) -> u64 {
        self.after
    }

    /// The next synced record; `None` when there is none yet.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn next_entry(&mut self) -> io::Result<Option<Stored>> {
        loop {
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
            let is_active = Some(name.first_seq) == synced.segment;
            let limit = if is_active { synced.offset } else { u64::MAX };
            let after = self.after;
            if let Some(frame) = scan.next(limit)? {
                if frame.seq <= after {
                    continue;
                }
                self.after = frame.seq;
                return Ok(Some(Stored {
                    seq: frame.seq,
                    at: frame.at,
                    level: frame.level,
                    json: frame.entry.to_owned(),
                }));
            }
            if is_active {
                return Ok(None);
            }
            let current = *name;
            match self.segments()?.into_iter().find(|other| *other > current) {
                Some(next) => self.open = Some((next, SegmentScan::open(&next.path(&self.dir))?)),
                None => return Ok(None),
            }
        }
    }

    fn segments(&self) -> io::Result<Vec<SegmentName>> {
        let mut names = SegmentName::list(&self.dir)?;
        names.retain(|name| name.epoch == self.shared.epoch());
        Ok(names)
    }

    /// Opens the segment that holds the next record: the last that begins at or before it.
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
        match SegmentScan::open(&name.path(&self.dir)) {
            Ok(scan) => {
                self.open = Some((name, scan));
                Ok(true)
            }
            // Removed since it was listed, so delivered: the next call finds the one after it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
