//! One reader's place in the stream.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::event::{TickEvent, json};
use super::{Events, Signal};
use crate::clock;

/// A sign of life this often: a reader that hears nothing for longer knows the link is dead.
const TICK_EVERY: Duration = Duration::from_secs(10);

/// An event on its way to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `<boot>-<n>`: where to resume after it.
    pub id: String,
    /// `entries`, `machine`, `machines`, `critical`, `source`, `quarantine`, `reset` or `tick`.
    pub event: &'static str,
    /// A JSON object.
    pub data: Arc<str>,
}

/// Reads the stream from a place; see [`Events::subscribe`].
pub struct Subscription {
    events: Events,
    signal: watch::Receiver<Signal>,
    /// The number of the last event handed out.
    last: u64,
    /// The place was lost: say so first.
    reset: bool,
    next_tick: Instant,
}

impl Subscription {
    pub(super) fn new(events: Events, after: Option<&str>) -> Subscription {
        let signal = events.0.signal.subscribe();
        let ring = events.ring();
        let newest = ring.newest();
        let resumed = after.map(|id| {
            events
                .number(id)
                .filter(|number| ring.after(*number).is_ok())
        });
        drop(ring);
        let (last, reset) = match resumed {
            None => (newest, false),
            Some(Some(number)) => (number, false),
            Some(None) => (newest, true),
        };
        Subscription {
            events,
            signal,
            last,
            reset,
            next_tick: Instant::now(),
        }
    }

    /// The next event; waits for it. A `tick` comes at once and then every 10 s, so that a reader has
    /// an id to resume from before anything happens. `None` when the server stops.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if self.signal.borrow_and_update().closed {
                return None;
            }
            if std::mem::take(&mut self.reset) {
                return Some(self.message("reset", "{}".into()));
            }
            let kept = self.events.ring().after(self.last);
            match kept {
                Ok(Some(kept)) => {
                    self.last = kept.number;
                    return Some(self.message(kept.name, kept.data));
                }
                Ok(None) => {}
                Err(()) => {
                    self.last = self.events.ring().newest();
                    self.reset = true;
                    continue;
                }
            }
            tokio::select! {
                changed = self.signal.changed() => changed.ok()?,
                () = sleep_until(self.next_tick) => {
                    self.next_tick = Instant::now() + TICK_EVERY;
                    let tick = TickEvent { server_time: clock::now().to_rfc3339() };
                    return Some(self.message("tick", json(&tick).into()));
                }
            }
        }
    }

    fn message(&self, event: &'static str, data: Arc<str>) -> Message {
        Message {
            id: self.events.id(self.last),
            event,
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    async fn names(subscription: &mut Subscription, count: usize) -> Vec<&'static str> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(subscription.next().await.unwrap().event);
        }
        names
    }

    fn contact() -> Event {
        Event::Machine("VM001".parse().unwrap())
    }

    #[tokio::test]
    async fn a_new_reader_gets_a_tick_and_then_what_happens() {
        let events = Events::new("b".into());
        events.publish(contact());
        let mut reader = events.subscribe(None);
        let tick = reader.next().await.unwrap();
        assert_eq!((tick.event, tick.id.as_str()), ("tick", "b-1"));
        events.publish(Event::Machines);
        let message = reader.next().await.unwrap();
        assert_eq!((message.event, message.id.as_str()), ("machines", "b-2"));
    }

    #[tokio::test]
    async fn a_reader_resumes_after_the_last_it_saw() {
        let events = Events::new("b".into());
        events.publish(contact());
        events.publish(Event::Machines);
        events.publish(contact());
        let mut reader = events.subscribe(Some("b-1"));
        assert_eq!(names(&mut reader, 2).await, ["machines", "machine"]);
    }

    #[tokio::test]
    async fn a_place_that_is_lost_is_a_reset() {
        let events = Events::new("b".into());
        events.publish(contact());
        for lost in ["other-1", "b-99", "b", "", "b-x"] {
            let mut reader = events.subscribe(Some(lost));
            assert_eq!(names(&mut reader, 2).await, ["reset", "tick"], "{lost:?}");
        }
        let mut slow = events.subscribe(Some("b-0"));
        for _ in 0..5000 {
            events.publish(contact());
        }
        let first = slow.next().await.unwrap();
        assert_eq!((first.event, first.id.as_str()), ("reset", "b-5001"));
    }

    #[tokio::test]
    async fn closing_ends_every_reader() {
        let events = Events::new("b".into());
        let mut reader = events.subscribe(None);
        reader.next().await.unwrap();
        let waiting = tokio::spawn(async move { reader.next().await });
        events.close();
        assert_eq!(waiting.await.unwrap(), None);
    }
}
