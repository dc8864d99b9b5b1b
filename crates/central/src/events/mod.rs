//! The live stream: everything that happened since the start, in a bounded ring with ids. A
//! subscription reads from its place in the ring, so a slow one costs nothing and one that fell out
//! is told to fetch anew (`reset`).

mod event;
mod ring;
mod subscription;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use event::{AlertEvent, ContactEvent, EntriesEvent, Event, SourceEvent, TickEvent};
pub use subscription::{Message, Subscription};
use tokio::sync::watch;

use ring::Ring;

/// The stream; cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    /// Names this run of the server in the ids: numbers of another run mean nothing.
    boot: String,
    ring: Mutex<Ring>,
    /// The newest number, or that the stream is closed.
    signal: watch::Sender<Signal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Signal {
    newest: u64,
    closed: bool,
}

impl Events {
    /// An empty stream of this run of the server; `boot` has no `-`.
    pub fn new(boot: String) -> Events {
        let signal = watch::Sender::new(Signal {
            newest: 0,
            closed: false,
        });
        Events(Arc::new(Inner {
            boot,
            ring: Mutex::new(Ring::default()),
            signal,
        }))
    }

    /// Adds an event; never waits for anybody.
    pub fn publish(&self, event: Event) {
        let mut ring = self.ring();
        let newest = ring.push(event.name(), event.data().into());
        self.0.signal.send_modify(|signal| signal.newest = newest);
    }

    /// What happens from now on, or from after the event with this id.
    pub fn subscribe(&self, after: Option<&str>) -> Subscription {
        Subscription::new(self.clone(), after)
    }

    /// Ends every subscription.
    pub fn close(&self) {
        self.0.signal.send_modify(|signal| signal.closed = true);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.0.boot)
    }

    /// The number in an id of this run.
    fn number(&self, id: &str) -> Option<u64> {
        let (boot, number) = id.split_once('-')?;
        (boot == self.0.boot).then(|| number.parse().ok())?
    }
}
