//! What waits for the writer: bounded, in order, closed once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use rusqlite::Connection;

use crate::catalog::cell::drops::Before;
use crate::cell::arrived::Arrival;
use crate::entry::Receipt;
use crate::error::StoreError;
use crate::shared::lock;

/// Entries that may wait; about 100 MB of ordinary ones at worst.
const QUEUE_MAX_ENTRIES: usize = 200_000;
/// Jobs that may wait.
const QUEUE_MAX_JOBS: usize = 4_096;
/// Entries that are committed together; beyond it a commit takes longer than senders like to wait.
const GROUP_MAX_ENTRIES: usize = 50_000;

/// Called once with the outcome, on the writer's thread.
pub(crate) type Done<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// What is done to the catalog, inside a transaction.
pub(crate) type Change = Box<dyn FnOnce(&Connection) -> Result<(), StoreError> + Send>;

/// Something for the writer to do.
pub(crate) enum Job {
    /// Store entries.
    Append(AppendJob),
    /// Change the catalog.
    Catalog(CatalogJob),
    /// Change alerts.
    Alerts(AlertsJob),
}

/// Entries to store.
pub(crate) struct AppendJob {
    pub(crate) arrival: Arrival,
    pub(crate) done: Done<Outcome>,
}

/// What became of an [`Arrival`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) receipt: Receipt,
    /// What was known of the drop before.
    pub(crate) drop: Option<Before>,
}

/// A change of the catalog, in a savepoint of its own.
pub(crate) struct CatalogJob {
    pub(crate) run: Change,
    pub(crate) done: Done<()>,
    /// Machines come or go: the registry is read anew.
    pub(crate) changes_machines: bool,
}

/// What is done to the engine of alerts, inside a transaction of the catalog.
pub(crate) type AlertsChange =
    Box<dyn FnOnce(&mut alerts::Engine, &Connection) -> Result<(), StoreError> + Send>;

/// A change of alerts.
pub(crate) struct AlertsJob {
    pub(crate) run: AlertsChange,
    pub(crate) done: Done<()>,
}

impl Job {
    fn weight(&self) -> usize {
        match self {
            Job::Append(job) => {
                let new = &job.arrival.new;
                new.entries.len() + new.refused_seqs.len() + 1
            }
            Job::Catalog(_) | Job::Alerts(_) => 1,
        }
    }

    /// Answers that the job was not done.
    pub(crate) fn refuse(self, error: StoreError) {
        match self {
            Job::Append(job) => (job.done)(Err(error)),
            Job::Catalog(job) => (job.done)(Err(error)),
            Job::Alerts(job) => (job.done)(Err(error)),
        }
    }
}

/// The queue between callers and the writer's thread.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    weight: usize,
    closed: bool,
}

impl State {
    fn has_room(&self, weight: usize) -> bool {
        self.jobs.is_empty()
            || (self.jobs.len() < QUEUE_MAX_JOBS && self.weight + weight <= QUEUE_MAX_ENTRIES)
    }
}

impl Queue {
    /// Hands a job over, or refuses it when there is no room or the store is closing.
    pub(crate) fn push(&self, job: Job) {
        let weight = job.weight();
        let state = lock(&self.state);
        if state.closed {
            drop(state);
            job.refuse(StoreError::Closing);
        } else if state.has_room(weight) {
            self.accept(state, job, weight);
        } else {
            drop(state);
            job.refuse(StoreError::Busy);
        }
    }

    /// Hands a job over as soon as there is room.
    pub(crate) fn push_waiting(&self, job: Job) {
        let weight = job.weight();
        let mut state = lock(&self.state);
        while !state.closed && !state.has_room(weight) {
            state = self
                .room
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if state.closed {
            drop(state);
            job.refuse(StoreError::Closing);
        } else {
            self.accept(state, job, weight);
        }
    }

    fn accept(&self, mut state: MutexGuard<'_, State>, job: Job, weight: usize) {
        state.jobs.push_back(job);
        state.weight += weight;
        drop(state);
        self.work.notify_one();
    }

    /// Waits for work and takes what is to be committed together. `None` when the queue is closed
    /// and empty.
    pub(crate) fn take(&self) -> Option<Vec<Job>> {
        let mut state = lock(&self.state);
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        let (mut taken, mut weight) = (Vec::new(), 0);
        while let Some(job) = state.jobs.pop_front() {
            let more = job.weight();
            if !taken.is_empty() && weight + more > GROUP_MAX_ENTRIES {
                state.jobs.push_front(job);
                break;
            }
            weight += more;
            taken.push(job);
        }
        state.weight = state.weight.saturating_sub(weight);
        drop(state);
        self.room.notify_all();
        Some(taken)
    }

    /// Takes no more; what waits is still done.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Closes and refuses what waits: the writer is gone.
    pub(crate) fn abandon(&self) {
        self.close();
        let jobs = std::mem::take(&mut lock(&self.state).jobs);
        for job in jobs {
            job.refuse(StoreError::Closing);
        }
    }
}
