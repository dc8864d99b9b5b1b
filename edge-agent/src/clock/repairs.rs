//! Repairs the times of entries that were stamped while the clock was wrong, and remembers durably
//! with what time each of them was offered: a time never changes once a shipper has offered it,
//! whatever becomes known later, whoever reads it, and across restarts.
//!
//! The local file is no shipper here: it holds what was known when it was written; what is read back
//! from it to be sent again gets the time that was offered.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use wire::{ClockState, LogEntry};

use super::Watch;
use super::timeline::SAME_BASE_US;
use crate::durable;
use crate::spool::{SeqRange, SeqRanges, Stored};

/// The most repairs that are remembered, a few for each boot without a clock; the oldest go first,
/// long after their entries have left the spool.
const SHIFTS_MAX: usize = 32;
/// The most ranges of one set: urgent entries that went ahead lie scattered. The oldest go first.
const RANGES_MAX: usize = 1_000;

/// What the state directory keeps of the clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The spool whose entries are spoken of.
    epoch: u64,
    /// The boot in which it was written.
    boot: u64,
    /// Right time minus clock since boot in that boot.
    right_base_us: Option<i64>,
    /// Entries that were offered with a repaired time.
    shifts: Vec<Shift>,
    /// Entries of the unset clock that were offered with the time that they had.
    as_stamped: SeqRanges,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shift {
    boot: u64,
    offset_us: i64,
    seqs: SeqRanges,
}

impl Kept {
    /// What is kept at `path`, or nothing.
    pub fn load(path: &Path) -> Kept {
        durable::load(path).unwrap_or_default()
    }

    /// Right time minus clock since boot, when an earlier run of the agent in `boot` knew it.
    pub fn right_base_us(&self, boot: u64) -> Option<i64> {
        self.right_base_us.filter(|_| self.boot == boot)
    }

    /// By how much the time of this entry was repaired when it was offered.
    fn offset_us(&self, seq: u64) -> Option<i64> {
        let shift = self.shifts.iter().find(|shift| holds(&shift.seqs, seq));
        shift.map(|shift| shift.offset_us)
    }

    /// Notes that this entry is offered with a time repaired by about `offset_us`; answers by how
    /// much exactly. Two readings of the same clock differ a little, and make one repair.
    fn shift(&mut self, boot: u64, offset_us: i64, seq: u64) -> i64 {
        let is_same = |shift: &&mut Shift| {
            shift.boot == boot && (shift.offset_us - offset_us).abs() <= SAME_BASE_US
        };
        if let Some(shift) = self.shifts.iter_mut().find(is_same) {
            add(&mut shift.seqs, seq);
            return shift.offset_us;
        }
        let mut seqs = SeqRanges::default();
        add(&mut seqs, seq);
        if self.shifts.len() >= SHIFTS_MAX {
            self.shifts.remove(0);
        }
        self.shifts.push(Shift {
            boot,
            offset_us,
            seqs,
        });
        offset_us
    }
}

fn holds(seqs: &SeqRanges, seq: u64) -> bool {
    seqs.missing_of(SeqRange { from: seq, to: seq }).is_empty()
}

fn add(seqs: &mut SeqRanges, seq: u64) {
    seqs.add(SeqRange { from: seq, to: seq });
    while seqs.as_slice().len() > RANGES_MAX {
        let oldest = seqs.as_slice()[0].to;
        seqs.forget_through(oldest);
    }
}

/// Settles the times of entries on their way out. Every shipper asks it before it offers any.
#[derive(Debug)]
pub struct Repairs {
    path: PathBuf,
    watch: Arc<Watch>,
    kept: Mutex<Kept>,
    save_failed: AtomicBool,
}

impl Repairs {
    /// Goes on with what was `kept` at `path`, for the spool of this epoch.
    pub fn new(path: PathBuf, kept: Kept, epoch: u64, watch: Arc<Watch>) -> Repairs {
        let kept = match kept.epoch == epoch {
            true => kept,
            false => Kept {
                epoch,
                boot: kept.boot,
                right_base_us: kept.right_base_us,
                ..Kept::default()
            },
        };
        Repairs {
            path,
            watch,
            kept: Mutex::new(kept),
            save_failed: AtomicBool::new(false),
        }
    }

    /// The clock that it goes by.
    pub fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// Whether the time of this entry may still become known, so that it is worth waiting.
    pub fn may_wait(&self, stored: &Stored) -> bool {
        let is_of_this_boot = stored
            .basis
            .is_some_and(|basis| basis.boot == self.watch.boot());
        is_of_this_boot
            && self.watch.wall().right_base_us().is_none()
            && !holds(&self.lock().as_stamped, stored.seq)
    }

    /// Gives these entries the times that they are offered with, and makes it durable. When there
    /// is no room for that they are to be offered all the same: a grave entry does not wait for
    /// a full card, and at worst a crash lets its time be repaired after it was told.
    pub fn settle(&self, entries: &mut [Stored]) {
        let boot = self.watch.boot();
        let right = self.watch.wall().right_base_us();
        let mut kept = self.lock();
        let before = kept.clone();
        if kept.boot != boot || right.is_some() {
            kept.boot = boot;
            kept.right_base_us = kept.right_base_us.filter(|_| before.boot == boot).or(right);
        }
        for stored in entries {
            let Some(basis) = stored.basis else { continue };
            if holds(&kept.as_stamped, stored.seq) {
                continue;
            }
            let of_this_boot = basis.boot == boot;
            let known = kept.offset_us(stored.seq);
            let offset = match (known, right) {
                (Some(offset), _) => offset,
                (None, Some(right)) if of_this_boot => {
                    kept.shift(boot, right - basis.base_us, stored.seq)
                }
                (None, None) if of_this_boot => {
                    add(&mut kept.as_stamped, stored.seq);
                    continue;
                }
                // Nobody can know any more what its boot's clock was worth.
                (None, _) => continue,
            };
            repair_stored(stored, offset);
        }
        if *kept != before {
            let saved = durable::save(&self.path, &*kept);
            let failed = saved.is_err();
            if let (Err(error), false) = (saved, self.save_failed.load(Ordering::Relaxed)) {
                tracing::warn!(%error, "what is known of the clock cannot be saved");
            }
            self.save_failed.store(failed, Ordering::Relaxed);
        }
    }

    /// Gives an entry that is read back from the local file, as wire JSON, the time that it was
    /// offered with.
    pub fn as_offered(&self, epoch: u64, seq: u64, json: &mut String) {
        let kept = self.lock();
        if kept.epoch == epoch
            && let Some(offset) = kept.offset_us(seq)
            && let Some(Ok(mut entry)) = LogEntry::from_json_text(json)
            && entry.clock == ClockState::Unsynced
        {
            repair(&mut entry, offset);
            *json = serde_json::to_string(&entry).unwrap_or_else(|_| std::mem::take(json));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A panic in between leaves at worst a noted entry that was not offered.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn repair_stored(stored: &mut Stored, offset_us: i64) {
    // The spool holds what `LogEntry` wrote, so that it can be read.
    let Some(Ok(mut entry)) = LogEntry::from_json_text(&stored.json) else {
        return;
    };
    repair(&mut entry, offset_us);
    if let Ok(json) = serde_json::to_string(&entry) {
        stored.at = entry.timestamp;
        stored.json = json;
    }
}

fn repair(entry: &mut LogEntry, offset_us: i64) {
    entry.timestamp = entry.timestamp.plus_us(offset_us);
    entry.clock = ClockState::Repaired;
}

#[cfg(test)]
#[path = "repairs_tests.rs"]
mod tests;
