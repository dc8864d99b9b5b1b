//! What the agent has to say of itself: its own warnings and errors become entries of component
//! `agent`, so that they are seen where the application's are. Few of them: each text once an hour,
//! and a bounded number in any ten minutes, so that trouble never feeds on itself.

mod sieve;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use wire::{Level, Micros};

use crate::assemble::Record;
use crate::clock;
use crate::pipeline::Waker;
use sieve::{Admitted, Sieve};

/// Texts that may wait for the pipeline; the sieve lets few through.
const WAITING_MAX: usize = 64;
/// Records that may wait for the pipeline: one a day, at present.
const TOLD_MAX: usize = 8;
/// The longest text, in bytes. What we say ourselves is short; what we quote may not be.
const TEXT_MAX_BYTES: usize = 2_000;
/// Of other crates, only we know what matters to somebody.
const TARGETS: [&str; 2] = ["edge_agent", "vendlog_agent"];

/// Something that the agent has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Micros,
    /// WARN or ERROR.
    pub level: Level,
    /// The words, with the values that belong to them.
    pub text: String,
    /// How often the same was said since it last became an entry.
    pub repeated: u64,
    /// How much else was said and left out since the last entry.
    pub left_out: u64,
}

/// Takes what is logged, and gives it to the pipeline. Clones are one and the same.
#[derive(Debug, Clone, Default)]
pub struct OwnLog(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    sieve: Sieve,
    waiting: VecDeque<Said>,
    told: VecDeque<Record>,
    waker: Option<Waker>,
}

impl OwnLog {
    /// Wakes this pipeline from now on.
    pub fn set_waker(&self, waker: Waker) {
        self.lock().waker = Some(waker);
    }

    /// Takes out what was said, in order.
    pub fn take_out(&self) -> Vec<Said> {
        self.lock().waiting.drain(..).collect()
    }

    /// Has this record become an entry: no trouble, but news, of which there is little. Answers
    /// whether there was room for it.
    pub fn tell(&self, record: Record) -> bool {
        let mut inside = self.lock();
        let has_room = inside.told.len() < TOLD_MAX;
        if has_room {
            inside.told.push_back(record);
        }
        if let Some(waker) = &inside.waker {
            waker.wake();
        }
        has_room
    }

    /// Takes out what was told, in order.
    pub fn take_told(&self) -> Vec<Record> {
        self.lock().told.drain(..).collect()
    }

    /// Takes what was said at `now`, unless it was said before or there is too much of it.
    pub fn say(&self, level: Level, text: &str, at: Micros, now: Instant) {
        let mut inside = self.lock();
        if inside.waiting.len() >= WAITING_MAX {
            inside.sieve.leave_out();
            return;
        }
        let Some(Admitted { repeated, left_out }) = inside.sieve.admit(text, now) else {
            return;
        };
        let mut end = text.len().min(TEXT_MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        inside.waiting.push_back(Said {
            at,
            level,
            text: text[..end].to_owned(),
            repeated,
            left_out,
        });
        if let Some(waker) = &inside.waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Every change leaves it whole wherever a panic may happen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for OwnLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            _ => return,
        };
        let target = event.metadata().target();
        if !TARGETS.iter().any(|ours| target.starts_with(ours)) {
            return;
        }
        let mut words = Words::default();
        event.record(&mut words);
        self.say(level, &words.text(), clock::now(), Instant::now());
    }
}

/// The message of an event, and its other fields in brackets behind it.
#[derive(Default)]
struct Words {
    message: String,
    values: String,
}

impl Words {
    fn text(self) -> String {
        match self.values.is_empty() {
            true => self.message,
            false => format!("{} ({})", self.message, self.values),
        }
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write;
        if field.name() == "message" {
            self.message = format!("{value:?}");
            return;
        }
        let comma = if self.values.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(self.values, "{comma}{}: {value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::prelude::*;

    use super::*;

    #[test]
    fn warnings_of_our_own_are_taken_with_their_values_and_nothing_else() {
        let own = OwnLog::default();
        let subscriber = tracing_subscriber::registry().with(own.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("starts");
            tracing::warn!(target: "hyper", "not ours");
            tracing::warn!(input = %"/x", count = 3, why = "no", "cannot read");
            tracing::warn!(input = %"/x", count = 3, why = "no", "cannot read");
            tracing::error!("bad");
        });
        let said = own.take_out();
        let texts: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
        assert_eq!(texts, ["cannot read (input: /x, count: 3, why: no)", "bad"]);
        assert_eq!((said[0].level, said[1].level), (Level::Warn, Level::Error));
        assert!(own.take_out().is_empty());
    }

    #[test]
    fn what_nobody_takes_out_is_bounded() {
        let own = OwnLog::default();
        let mut now = Instant::now();
        for number in 0..1000 {
            now += std::time::Duration::from_secs(600);
            own.say(
                Level::Warn,
                &format!("{number} {}", "x".repeat(5000)),
                Micros(0),
                now,
            );
        }
        let said = own.take_out();
        assert_eq!(said.len(), WAITING_MAX);
        assert!(said.iter().all(|said| said.text.len() <= TEXT_MAX_BYTES));
        own.say(Level::Warn, "after", Micros(0), now);
        assert_eq!(own.take_out()[0].left_out, 1000 - WAITING_MAX as u64);
    }
}
