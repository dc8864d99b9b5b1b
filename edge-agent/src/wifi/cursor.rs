//! How far the server has confirmed, kept durably, and what last went right and wrong.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use serde::{Deserialize, Serialize};
use wire::{Micros, Reachability};

use super::put_aside::PutAside;
use crate::durable;
use crate::pipeline::{Progress, Wake};
use crate::spool::Stored;

/// The most entries remembered as sent ahead of the bulk lane. Beyond it the oldest are forgotten
/// and sent a second time, which the server recognises.
const SENT_MAX: usize = 10_000;

/// The state file of the WiFi shipper.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WifiState {
    /// The spool it belongs to.
    pub epoch: u64,
    /// Every entry up to this seq is delivered, put aside, or of a level that is not sent.
    pub bulk: u64,
    /// The urgent lane has looked at every entry up to this seq.
    pub urgent: u64,
    /// Entries beyond `bulk` that the urgent lane has delivered.
    pub sent: BTreeSet<u64>,
    /// When the server last confirmed something, RFC 3339.
    pub last_delivery: Option<String>,
    /// What last went wrong; stays until the next delivery.
    pub last_error: Option<SeenError>,
    /// Entries that the server refused for good.
    pub put_aside: u64,
    /// Those of them that lie beyond `bulk`.
    #[serde(default)]
    pub aside: BTreeSet<u64>,
    /// How the way to the server looked when this was saved.
    #[serde(default)]
    pub reachability: Option<Reachability>,
    /// Since when, RFC 3339.
    #[serde(default)]
    pub reachability_since: Option<String>,
}

impl WifiState {
    /// Whether nothing is left to do for this entry beyond `bulk`.
    pub fn is_done(&self, seq: u64) -> bool {
        self.sent.contains(&seq) || self.aside.contains(&seq)
    }
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenError {
    /// When it first did, RFC 3339.
    pub at: String,
    /// What it was.
    pub text: String,
    /// What was being sent.
    pub sending: Sending,
}

/// What goes to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sending {
    /// Entries.
    Logs,
    /// A sign of life.
    Heartbeat,
}

/// The state and where it is kept.
#[derive(Debug)]
pub struct Delivery {
    path: PathBuf,
    state: WifiState,
    /// Entries in the urgent request that is under way.
    pub(super) claimed: BTreeSet<u64>,
    put_aside: PutAside,
    progress: Arc<Progress>,
    wakes: Sender<Wake>,
}

impl Delivery {
    /// Takes up `loaded` if it belongs to this spool.
    pub fn new(
        path: PathBuf,
        loaded: Option<WifiState>,
        epoch: u64,
        put_aside: PutAside,
        progress: Arc<Progress>,
        wakes: Sender<Wake>,
    ) -> Delivery {
        let loaded = loaded.unwrap_or_default();
        let state = if loaded.epoch == epoch {
            loaded
        } else {
            WifiState {
                epoch,
                put_aside: loaded.put_aside,
                ..WifiState::default()
            }
        };
        // A crash may have come between putting one aside and saving that it is.
        let mut state = state;
        for seq in put_aside.seqs(epoch, state.bulk) {
            if state.aside.insert(seq) {
                state.put_aside += 1;
            }
        }
        progress.wifi_delivered.store(state.bulk, Ordering::Relaxed);
        Delivery {
            path,
            state,
            claimed: BTreeSet::new(),
            put_aside,
            progress,
            wakes,
        }
    }

    /// The state as it is now.
    pub fn state(&self) -> &WifiState {
        &self.state
    }

    /// The urgent lane's entries were confirmed.
    ///
    /// # Errors
    /// The state cannot be saved.
    pub fn urgent_confirmed(&mut self, seqs: &[u64], now: Micros) -> io::Result<()> {
        let bulk = self.state.bulk;
        self.state
            .sent
            .extend(seqs.iter().filter(|seq| **seq > bulk));
        while self.state.sent.len() > SENT_MAX {
            self.state.sent.pop_first();
        }
        self.confirmed(now)
    }

    /// Everything up to `through` was confirmed or is not to be sent.
    ///
    /// # Errors
    /// The state cannot be saved.
    pub fn bulk_confirmed(&mut self, through: u64, now: Micros) -> io::Result<()> {
        self.bulk_passed(through);
        self.confirmed(now)
    }

    /// Nothing up to `through` has to be sent. Not saved: a restart passes it again.
    pub fn bulk_passed(&mut self, through: u64) {
        self.state.bulk = self.state.bulk.max(through);
        let next = self.state.bulk + 1;
        self.state.sent = self.state.sent.split_off(&next);
        self.state.aside = self.state.aside.split_off(&next);
        self.progress
            .wifi_delivered
            .store(self.state.bulk, Ordering::Relaxed);
        // The pipeline has gone when the agent ends: nothing is to be trimmed then.
        let _ = self.wakes.send(Wake::Delivered);
    }

    /// The urgent lane need not look at anything up to `through` again. Not saved.
    pub fn urgent_passed(&mut self, through: u64) {
        self.state.urgent = self.state.urgent.max(through);
    }

    fn confirmed(&mut self, now: Micros) -> io::Result<()> {
        if self.state.last_error.take().is_some() {
            tracing::info!("the server takes entries again");
        }
        self.state.last_delivery = Some(now.to_rfc3339());
        self.save()
    }

    /// Puts an entry aside that the server refused for good.
    ///
    /// # Errors
    /// It cannot be written; the entry must not be passed then.
    pub fn put_aside(
        &mut self,
        stored: &Stored,
        code: &str,
        why: &str,
        now: Micros,
    ) -> io::Result<()> {
        if self.state.aside.contains(&stored.seq) {
            return Ok(());
        }
        tracing::error!(
            seq = stored.seq,
            code,
            why,
            "the server refused an entry; it is put aside"
        );
        self.put_aside
            .write(stored, self.state.epoch, code, why, now)?;
        self.state.put_aside += 1;
        self.state.aside.insert(stored.seq);
        Ok(())
    }

    /// A heartbeat arrived: that heartbeats did not is over.
    pub fn heartbeat_arrived(&mut self) {
        self.state
            .last_error
            .take_if(|seen| seen.sending == Sending::Heartbeat);
    }

    /// Notes how the way to the server looks; it is saved with what happens next.
    pub fn reached(&mut self, state: Reachability, since: Micros) {
        self.state.reachability = Some(state);
        self.state.reachability_since = Some(since.to_rfc3339());
    }

    /// Notes what went wrong; says so once.
    pub fn failed(&mut self, sending: Sending, why: &str, now: Micros) {
        if self
            .state
            .last_error
            .as_ref()
            .is_some_and(|seen| seen.text == why)
        {
            return;
        }
        tracing::warn!(
            why,
            "the server cannot be reached or does not take entries; trying on"
        );
        self.state.last_error = Some(SeenError {
            at: now.to_rfc3339(),
            text: why.to_owned(),
            sending,
        });
        if let Err(error) = self.save() {
            tracing::warn!(%error, "the state of the shipper cannot be saved");
        }
    }

    fn save(&self) -> io::Result<()> {
        durable::save(&self.path, &self.state)
    }
}
