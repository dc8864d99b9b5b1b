//! Telling people: the channels, the outbox that is worked off, replies by SMS, and the outside watch
//! over all of it. Who is told what and when was decided before; it stands in the store's outbox.

pub mod backoff;
pub mod budget;
pub mod call;
pub mod channel;
pub mod channels;
pub mod dead_man;
pub mod duty;
#[cfg(test)]
mod duty_tests;
pub mod message;
pub mod replies;
pub mod status;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use store::{Store, StoreError};
use tokio::sync::Notify;
use wire::Micros;

pub use channel::Channel;
pub use channels::Channels;

/// How long a stop waits for calls that are being made: one that is cut off is made once more.
const STOP_WAITS: Duration = Duration::from_secs(10);
/// How often a stop looks whether they have ended.
const STOP_LOOKS: Duration = Duration::from_millis(20);

/// What delivering shares with the rest of the server.
#[derive(Default)]
pub struct Delivery {
    /// The channels and how each does.
    pub channels: Channels,
    /// The outside watch.
    pub dead_man: dead_man::DeadMan,
    /// Wakes the duty: there is something new.
    wake: Notify,
    /// Nothing new is begun.
    is_closing: AtomicBool,
    /// When the outbox was last looked at in vain or not, but without a failure.
    worked_at: AtomicI64,
}

impl Delivery {
    /// Takes the channels over from the catalog, and listens to the store's outbox.
    ///
    /// # Errors
    /// The store failed.
    pub fn open(&self, store: &Store) -> Result<(), StoreError> {
        self.channels.open(store)?;
        self.dead_man.open(store)
    }

    /// Has the outbox looked at now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Begins nothing new, and waits a while for what is being sent.
    pub async fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        let ended = async {
            while self.channels.in_flight() > 0 {
                tokio::time::sleep(STOP_LOOKS).await;
            }
        };
        if tokio::time::timeout(STOP_WAITS, ended).await.is_err() {
            tracing::warn!("a message was being sent at the stop; it is sent once more");
        }
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    fn worked(&self, now: Micros) {
        self.worked_at.store(now.0, Ordering::Relaxed);
    }

    /// When the outbox was last looked at without a failure.
    pub fn worked_at(&self) -> Micros {
        Micros(self.worked_at.load(Ordering::Relaxed))
    }
}
