//! How the application does whose logs are read, as far as they tell: when it last spoke, sold and
//! started, and whether it crashes again and again. Facts; what is bad of them is for others.
//!
//! The pipeline tells what it sees, the heartbeat asks, and a small file carries over a restart of
//! the agent what cannot be seen again.

mod app;
mod saved;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wire::{AppHealth, LogEntry, Micros};

pub use app::{AppWatch, Change};
use saved::Saved;

use crate::durable;

/// Sales come all day, and each write wears the card: what is only newer waits for this long. A
/// power cut makes "no sale for" longer by that at most.
const SAVE_EVERY: Duration = Duration::from_secs(15 * 60);

/// What is known of the application.
#[derive(Debug, Default)]
pub struct App {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    watch: AppWatch,
    now: Option<(Instant, Micros)>,
    path: Option<PathBuf>,
    saved: Saved,
    save_due: Option<Instant>,
}

impl App {
    /// Goes on with what the file at `path` has, and keeps it from now on.
    pub fn restore(&self, path: PathBuf, now: Instant, wall: Micros) {
        let mut inner = self.lock();
        if let Some(saved) = durable::load::<Saved>(&path) {
            saved.restore(&mut inner.watch, now, wall);
            inner.saved = saved;
        }
        inner.path = Some(path);
        inner.now = Some((now, wall));
    }

    /// The time goes on; answers what there is to tell of. To be called before what is seen at
    /// this time is told.
    pub fn tick(&self, now: Instant, wall: Micros) -> Option<Change> {
        let mut inner = self.lock();
        inner.now = Some((now, wall));
        let change = inner.watch.tick(now);
        if change.is_some() || inner.save_due.is_some_and(|due| now >= due) {
            inner.save();
        }
        change
    }

    /// The input of this number and name begins anew, as its application does when it starts.
    pub fn starts(&self, input: usize, name: &str) {
        let mut inner = self.lock();
        if let Some((now, _)) = inner.now {
            inner.watch.starts(input, name, now);
            inner.save_soon(now);
        }
    }

    /// An entry of the application was taken from the input of this number and name.
    pub fn entry(&self, input: usize, name: &str, entry: &LogEntry) {
        let mut inner = self.lock();
        if let Some((now, wall)) = inner.now
            && inner.watch.entry(input, name, entry, (now, wall))
        {
            inner.save_soon(now);
        }
    }

    /// What there is to say now.
    pub fn facts(&self, now: Instant) -> AppHealth {
        self.lock().watch.facts(now)
    }

    /// Writes what is newer than the file: the agent ends.
    pub fn save(&self) {
        let mut inner = self.lock();
        if inner.save_due.is_some() {
            inner.save();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is made in one step: a panic elsewhere cannot have torn it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn save_soon(&mut self, now: Instant) {
        self.save_due.get_or_insert(now + SAVE_EVERY);
    }

    fn save(&mut self) {
        self.save_due = None;
        let (Some(path), Some((now, wall))) = (&self.path, self.now) else {
            return;
        };
        let saved = Saved::of(&self.watch, now, wall);
        if saved == self.saved {
            return;
        }
        match durable::save(path, &saved) {
            Ok(()) => self.saved = saved,
            // They are facts for a heartbeat, no reason to stop; a full disk is told elsewhere.
            Err(error) => tracing::debug!(%error, "what is known of the application is not saved"),
        }
    }
}

#[cfg(test)]
mod tests;
