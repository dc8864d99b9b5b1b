//! What the writer of the spool and its readers tell each other: how far it is synced, and what
//! was found damaged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::ranges::{SeqRange, SeqRanges};

/// How far the spool is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Synced {
    /// The last seq that may be read.
    pub last_seq: u64,
    /// The first seq of the segment being written; `None` before the first.
    pub segment: Option<u64>,
    /// Synced bytes of that segment.
    pub offset: u64,
    /// Bytes of the whole spool on disk.
    pub bytes: u64,
    /// Everything up to this seq was removed, because it was delivered.
    pub removed_through: u64,
}

/// Shared by the writer and every reader.
#[derive(Debug)]
pub struct Shared {
    epoch: u64,
    damaged: Mutex<SeqRanges>,
    set_aside: u64,
    closed: AtomicBool,
    synced: Mutex<Synced>,
    grown: Condvar,
    tasks: watch::Sender<u64>,
}

impl Shared {
    /// For a spool of this epoch, with what was found damaged and how many segments were set aside
    /// when it was opened.
    pub fn new(epoch: u64, damaged: SeqRanges, set_aside: u64) -> Shared {
        Shared {
            epoch,
            damaged: Mutex::new(damaged),
            set_aside,
            closed: AtomicBool::new(false),
            synced: Mutex::default(),
            grown: Condvar::new(),
            tasks: watch::Sender::new(0),
        }
    }

    /// The spool's epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The seqs that damage took from what is in the spool, as far as it is known: the start reads
    /// the newest segments, readers find the rest when they come to it.
    pub fn damaged(&self) -> SeqRanges {
        lock(&self.damaged).clone()
    }

    /// How many seqs that is.
    pub fn damaged_entries(&self) -> u64 {
        lock(&self.damaged).count()
    }

    /// Segments that the start set aside, because they are of a version it does not know.
    pub fn set_aside(&self) -> u64 {
        self.set_aside
    }

    /// A reader found that these are missing. What was removed is not.
    pub(super) fn found_missing(&self, from: u64, to: u64) {
        let from = from.max(self.synced().removed_through + 1);
        let Some(range) = SeqRange::new(from, to) else {
            return;
        };
        let mut damaged = lock(&self.damaged);
        let new = damaged.missing_of(range);
        for range in &new {
            tracing::warn!(
                from = range.from,
                to = range.to,
                "entries in the spool are damaged"
            );
        }
        damaged.add(range);
    }

    /// How far it is durable now.
    pub fn synced(&self) -> Synced {
        *lock(&self.synced)
    }

    /// Told by the writer after each sync.
    pub fn publish(&self, synced: Synced) {
        *lock(&self.synced) = synced;
        self.grown.notify_all();
        self.tasks
            .send_if_modified(|last| std::mem::replace(last, synced.last_seq) != synced.last_seq);
    }

    /// For tasks: the last synced seq, with a wake-up when it grows.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.tasks.subscribe()
    }

    /// For threads: waits until a seq beyond `last_seq` is synced, the spool is closed, or the
    /// time is over (`None`: no end).
    pub fn wait_beyond(&self, last_seq: u64, timeout: Option<Duration>) {
        let synced = lock(&self.synced);
        if synced.last_seq > last_seq || self.is_closed() {
            return;
        }
        match timeout {
            Some(timeout) => drop(self.grown.wait_timeout(synced, timeout)),
            None => drop(self.grown.wait(synced)),
        }
    }

    /// Says that nothing will be appended any more, and wakes the threads that wait.
    pub fn close(&self) {
        // Under the lock, so that no thread is between its look and its wait.
        let _synced = lock(&self.synced);
        self.closed.store(true, Ordering::Relaxed);
        self.grown.notify_all();
    }

    /// Whether [`Shared::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one step: a panic elsewhere cannot have torn it.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
