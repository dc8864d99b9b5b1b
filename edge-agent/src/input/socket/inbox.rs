//! What the connections hand to the pipeline, and how they hear of it. Bounded by bytes: when it is
//! full, connections are not read on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::senders::SenderId;
use crate::assemble::Record;
use crate::input::InputEvent;
use crate::pipeline::Waker;

/// Bytes of lines that may wait for their answer, of all connections together: some thousand
/// ordinary entries, or eight of the largest.
const INBOX_MAX_BYTES: usize = 2 * 1024 * 1024;
/// A short entry counts as this many: it takes as much memory.
const ENTRY_MIN_BYTES: usize = 1024;

/// What a connection asks of the pipeline.
#[derive(Debug)]
pub enum Ask {
    /// To store an entry, which may be numbered by its sender.
    Store(Box<Record>, Option<(SenderId, u64)>),
    /// To use up the number of an entry that was refused for good.
    UseUp(SenderId, u64),
    /// What is known of a sender whose numbers below this are settled.
    Hello(SenderId, u64),
    /// To sync what came before.
    Sync,
}

/// Something asked, and how to answer it.
#[derive(Debug)]
pub struct Submission {
    /// What is asked.
    pub ask: Ask,
    /// The way back.
    pub ticket: Ticket,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The entry is durable under this seq.
    Stored(u64),
    /// It was durable before.
    Duplicate,
    /// Its number is not the next one; the last used up.
    OutOfOrder(Option<u64>),
    /// Answer to a hello: the last number used up, everything up to which is durable.
    Last(u64),
    /// What came before is durable.
    Synced,
}

const WAITS: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The pipeline's half of the way back.
#[derive(Debug)]
pub struct Ticket {
    state: Arc<AtomicU8>,
    outcome: oneshot::Sender<Outcome>,
    _room: OwnedSemaphorePermit,
}

impl Ticket {
    /// Takes what is asked; `false` when the connection has withdrawn it.
    pub fn take(&self) -> bool {
        turn(&self.state, TAKEN)
    }

    /// Says what became of it. Nobody may listen any more.
    pub fn answer(self, outcome: Outcome) {
        let _ = self.outcome.send(outcome);
    }
}

/// The connection's half.
#[derive(Debug)]
pub struct Receipt {
    state: Arc<AtomicU8>,
    /// Gets the outcome; closed without one when the pipeline has ended.
    pub outcome: oneshot::Receiver<Outcome>,
}

impl Receipt {
    /// Withdraws what was asked; `false` when it was taken already.
    pub fn withdraw(&self) -> bool {
        turn(&self.state, WITHDRAWN)
    }
}

fn turn(state: &AtomicU8, to: u8) -> bool {
    let (ok, other) = (Ordering::AcqRel, Ordering::Acquire);
    state.compare_exchange(WAITS, to, ok, other).is_ok()
}

/// Between the connections and the pipeline.
#[derive(Debug)]
pub struct Inbox {
    waiting: Mutex<VecDeque<Submission>>,
    room: Arc<Semaphore>,
    is_closed: AtomicBool,
    waker: Waker,
}

impl Inbox {
    /// An empty one; `waker` tells the pipeline of what comes.
    pub fn new(waker: Waker) -> Inbox {
        Inbox {
            waiting: Mutex::default(),
            room: Arc::new(Semaphore::new(INBOX_MAX_BYTES)),
            is_closed: AtomicBool::new(false),
            waker,
        }
    }

    /// Room for a line of so many bytes, as soon as there is some.
    pub async fn room(&self, bytes: usize) -> OwnedSemaphorePermit {
        let cost = bytes.clamp(ENTRY_MIN_BYTES, INBOX_MAX_BYTES) as u32;
        let room = self.room.clone().acquire_many_owned(cost).await;
        room.expect("the semaphore is never closed")
    }

    /// Hands something in; `None` when the inbox is closed.
    pub fn hand_in(&self, ask: Ask, room: OwnedSemaphorePermit) -> Option<Receipt> {
        let state = Arc::new(AtomicU8::new(WAITS));
        let (sender, outcome) = oneshot::channel();
        let ticket = Ticket {
            state: state.clone(),
            outcome: sender,
            _room: room,
        };
        let mut waiting = self.lock();
        if self.is_closed.load(Ordering::Acquire) {
            return None;
        }
        waiting.push_back(Submission { ask, ticket });
        drop(waiting);
        self.waker.wake();
        Some(Receipt { state, outcome })
    }

    /// Takes out up to `most`, in order; whether there are more.
    pub fn take_out(&self, most: usize, events: &mut Vec<InputEvent>) -> bool {
        let mut waiting = self.lock();
        let count = waiting.len().min(most);
        let taken = waiting.drain(..count).map(Box::new);
        events.extend(taken.map(InputEvent::Submission));
        !waiting.is_empty()
    }

    /// Takes nothing more, and gives up what nobody took out.
    pub fn close(&self) {
        let mut waiting = self.lock();
        self.is_closed.store(true, Ordering::Release);
        waiting.clear();
    }

    /// Bytes of lines that wait for their answer.
    pub fn bytes(&self) -> u64 {
        INBOX_MAX_BYTES.saturating_sub(self.room.available_permits()) as u64
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Submission>> {
        // Pushing and draining leave it whole wherever a panic may happen.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
