//! What the writer of the spool tells its readers: how far it is synced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

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
}

/// Shared by the writer and every reader.
#[derive(Debug)]
pub struct Shared {
    epoch: u64,
    damaged: u64,
    closed: AtomicBool,
    synced: Mutex<Synced>,
    grown: Condvar,
    tasks: watch::Sender<u64>,
}

impl Shared {
    /// For a spool of this epoch in which so many records were found damaged.
    pub fn new(epoch: u64, damaged: u64) -> Shared {
        Shared {
            epoch,
            damaged,
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

    /// Records found damaged when the spool was opened.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// How far it is durable now.
    pub fn synced(&self) -> Synced {
        *self.lock()
    }

    /// Told by the writer after each sync.
    pub fn publish(&self, synced: Synced) {
        *self.lock() = synced;
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
        let synced = self.lock();
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
        let _synced = self.lock();
        self.closed.store(true, Ordering::Relaxed);
        self.grown.notify_all();
    }

    /// Whether [`Shared::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Synced> {
        // The value is plain numbers written in one step: a panic elsewhere cannot have torn it.
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
