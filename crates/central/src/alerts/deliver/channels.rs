//! The channels that there are, how each does, and how many messages each is sending now. The catalog
//! keeps the configuration as one JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use store::{Store, StoreError};
use wire::Micros;

use super::channel::Channel;
use super::status::Status;

/// The most channels of a server.
pub const CHANNELS_MAX: usize = 30;
/// Channels that were removed and can be put back with their secrets.
const REMOVED_MAX: usize = 20;
/// Messages that a channel sends at a time: Twilio and mail servers take as many without complaint,
/// and a server that hangs holds no more.
const AT_ONCE: usize = 4;
/// Where they are kept.
const SETTING: &str = "alerts.channels";
/// So many of the newest messages say after a start how channels do.
const LOOKED_BACK: usize = 200;

/// The channels.
#[derive(Default)]
pub struct Channels {
    inner: Mutex<Inner>,
    /// Held while the configuration is changed: read, kept, and used from then on.
    pub changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    live: BTreeMap<String, Live>,
    removed: VecDeque<Arc<Channel>>,
    /// What cannot be read, because a newer version wrote it: kept as it is.
    unread: Vec<Value>,
    /// The messages that are being sent, by their number, with the channel.
    in_flight: HashMap<u64, String>,
    /// Those of them whose call has ended: the catalog is about to count them.
    settled: BTreeSet<u64>,
}

/// A channel and how it does.
#[derive(Debug, Clone)]
pub struct Live {
    /// As it is configured.
    pub channel: Arc<Channel>,
    /// How it does.
    pub status: Status,
}

impl Channels {
    /// Takes them over from the catalog. One that cannot be read is told in the log and left alone.
    ///
    /// # Errors
    /// The store failed.
    pub fn open(&self, store: &Store) -> Result<(), StoreError> {
        let kept = store.setting(SETTING)?.unwrap_or_default();
        let kept: Vec<Value> = serde_json::from_slice(&kept).unwrap_or_default();
        let mut statuses = seen(store)?;
        let mut inner = self.inner();
        for value in kept {
            match Channel::from_stored(&value) {
                Ok(channel) => {
                    let live = Live {
                        status: statuses.remove(&channel.id).unwrap_or_default(),
                        channel: Arc::new(channel),
                    };
                    inner.live.insert(live.channel.id.clone(), live);
                }
                Err(error) => {
                    // The words may hold a part of the configuration; where it is wrong is enough.
                    let (line, column) = (error.line(), error.column());
                    tracing::error!(line, column, "a channel of alerts cannot be read");
                    inner.unread.push(value);
                }
            }
        }
        Ok(())
    }

    /// Every channel, by id.
    pub fn all(&self) -> Vec<Live> {
        self.inner().live.values().cloned().collect()
    }

    /// One channel.
    pub fn get(&self, id: &str) -> Option<Live> {
        self.inner().live.get(id).cloned()
    }

    /// A channel that was removed not long ago.
    pub fn removed(&self, id: &str) -> Option<Arc<Channel>> {
        let inner = self.inner();
        inner.removed.iter().rev().find(|c| c.id == id).cloned()
    }

    /// Keeps these channels durably instead of those before. To be called where it may block.
    ///
    /// # Errors
    /// The store failed; those before stay.
    pub fn keep(&self, store: &Store, channels: &[Arc<Channel>]) -> Result<(), StoreError> {
        let unread = self.inner().unread.clone();
        let stored = channels.iter().map(|channel| channel.to_stored());
        let json = Value::from_iter(stored.chain(unread)).to_string();
        store.set_setting(SETTING, json.as_bytes())
    }

    /// Uses these channels from now on. What failed with one that changed is forgotten, because the
    /// change may have mended it; those that are gone are remembered for a while, in memory, so that
    /// they can be put back.
    pub fn set(&self, channels: Vec<Arc<Channel>>) {
        let mut inner = self.inner();
        let mut before = std::mem::take(&mut inner.live);
        for channel in channels {
            let status = match before.remove(&channel.id) {
                Some(live) if live.channel == channel => live.status,
                Some(live) => Status {
                    last_sent_at: live.status.last_sent_at,
                    ..Status::default()
                },
                None => Status::default(),
            };
            inner.removed.retain(|removed| removed.id != channel.id);
            inner
                .live
                .insert(channel.id.clone(), Live { channel, status });
        }
        let gone = before.into_values().map(|live| live.channel);
        inner.removed.extend(gone);
        while inner.removed.len() > REMOVED_MAX {
            inner.removed.pop_front();
        }
    }

    /// Changes how a channel does.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Status)) {
        if let Some(live) = self.inner().live.get_mut(id) {
            change(&mut live.status);
        }
    }

    /// Takes a place of a channel for a message; `false` when it is being sent already, or the channel
    /// has no place.
    pub fn enter(&self, message: u64, channel: &str) -> bool {
        let mut inner = self.inner();
        let taken = inner.in_flight.values().filter(|c| *c == channel).count();
        if taken >= AT_ONCE || inner.in_flight.contains_key(&message) {
            return false;
        }
        inner.in_flight.insert(message, channel.to_owned());
        true
    }

    /// Gives the place back.
    pub fn leave(&self, message: u64) {
        let mut inner = self.inner();
        inner.in_flight.remove(&message);
        inner.settled.remove(&message);
    }

    /// The call of a message has ended; its place is held until that is kept.
    pub fn settled(&self, message: u64) {
        self.inner().settled.insert(message);
    }

    /// Channels without a place.
    pub fn full(&self) -> Vec<String> {
        let inner = self.inner();
        let channels: BTreeSet<&String> = inner.in_flight.values().collect();
        let is_full = |channel: &&&String| {
            inner.in_flight.values().filter(|c| c == *channel).count() >= AT_ONCE
        };
        channels
            .iter()
            .filter(is_full)
            .map(|c| (*c).clone())
            .collect()
    }

    /// The numbers of the messages that are being sent.
    pub fn busy(&self) -> BTreeSet<u64> {
        self.inner().in_flight.keys().copied().collect()
    }

    /// How many messages are being sent.
    pub fn in_flight(&self) -> usize {
        self.inner().in_flight.len()
    }

    /// How many messages a channel is sending, without those that the catalog is about to count: a limit
    /// may let one too many through, but holds none too early.
    pub fn in_flight_of(&self, channel: &str) -> usize {
        let inner = self.inner();
        let sending = inner.in_flight.iter();
        sending
            .filter(|(id, of)| *of == channel && !inner.settled.contains(*id))
            .count()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When each channel last sent, of the newest messages.
fn seen(store: &Store) -> Result<HashMap<String, Status>, StoreError> {
    let mut statuses: HashMap<String, Status> = HashMap::new();
    for message in store.alerts().deliveries(None, LOOKED_BACK)? {
        let status = statuses.entry(message.outgoing.channel).or_default();
        let newest: Option<Micros> = message.sent_at;
        status.last_sent_at = status.last_sent_at.max(newest);
    }
    Ok(statuses)
}
