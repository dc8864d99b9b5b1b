//! Answers that wait until what they confirm is durable.

use std::time::{Duration, Instant};

use crate::input::socket::{Outcome, Ticket};

/// An answer waits this long for others, so that entries which come one by one share a sync: each
/// wears the card.
const GROUP: Duration = Duration::from_millis(500);
/// So many answers do not wait: a client that sends at full speed waits for them.
const AT_ONCE: usize = 64;

/// Answers to be given after the next sync.
#[derive(Default)]
pub(super) struct Replies {
    waiting: Vec<(Ticket, Outcome)>,
    since: Option<Instant>,
    is_urgent: bool,
}

impl Replies {
    /// Answers after the next sync.
    pub fn wait(&mut self, ticket: Ticket, outcome: Outcome, now: Instant) {
        self.since.get_or_insert(now);
        self.waiting.push((ticket, outcome));
    }

    /// The next sync must not wait for more.
    pub fn hurry(&mut self) {
        self.is_urgent = true;
    }

    /// When the next sync is due for the sake of the answers; `None` when there are none.
    pub fn due(&self, group: Duration) -> Option<Instant> {
        let since = self.since?;
        let is_urgent = self.is_urgent || self.waiting.len() >= AT_ONCE;
        Some(if is_urgent {
            since
        } else {
            since + group.min(GROUP)
        })
    }

    /// Everything is durable: gives the answers.
    pub fn give(&mut self) {
        for (ticket, outcome) in self.waiting.drain(..) {
            ticket.answer(outcome);
        }
        self.since = None;
        self.is_urgent = false;
    }
}
