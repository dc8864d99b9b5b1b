//! Where drops are fetched: the sources as they are configured and how each does. The catalog keeps
//! both; what is here is what runs. Fetching is the crate `drops`, the background duty is `duty`.

pub mod backoff;
pub mod duty;
pub mod held;
pub mod inbox;
pub mod source;
pub mod status;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use wire::Micros;

use held::HeldBack;
pub use source::Source;
pub use status::Status;

use crate::access::basic::Sent;

/// Sources that were removed and can be put back with their secrets.
const REMOVED_MAX: usize = 20;
/// The most sources of a server: each has a task and, while it is asked, a connection.
pub const SOURCES_MAX: usize = 50;

/// The name of the setting that says when the service's "Test Transport" called a source.
pub fn tested_setting(id: &str) -> String {
    format!("source.{id}.tested_at")
}

/// The sources that run.
pub struct Sources {
    inner: Mutex<Inner>,
    /// Counts changes of the configuration; the duty waits for it.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    live: BTreeMap<String, Live>,
    removed: VecDeque<Arc<Source>>,
}

/// A source and how it does.
#[derive(Clone)]
pub struct Live {
    /// As it is configured.
    pub source: Arc<Source>,
    /// How it does.
    pub status: Status,
    /// Wakes its task to poll now.
    pub wake: Arc<Notify>,
    /// Its files that had to wait there.
    pub held: Arc<HeldBack>,
}

impl Default for Sources {
    fn default() -> Sources {
        Sources {
            inner: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Sources {
    /// Takes the sources over from the catalog. One that cannot be read is told in the log and left
    /// alone: a newer version may have written it.
    ///
    /// # Errors
    /// The store failed.
    pub fn open(&self, store: &Store) -> Result<(), StoreError> {
        for stored in store.cell().sources()? {
            let source = match Source::from_stored(stored.id.clone(), &stored.config) {
                Ok(source) => source,
                Err(error) => {
                    // The words may hold a part of the configuration; where it is wrong is enough.
                    let (line, column) = (error.line(), error.column());
                    tracing::error!(source = stored.id, line, column, "a source cannot be read");
                    continue;
                }
            };
            let tested = store.setting(&tested_setting(&source.id))?;
            let tested = tested.and_then(|bytes| bytes.try_into().ok());
            let status = Status {
                kept: stored.status,
                tested_at: tested.map(|bytes| Micros(i64::from_be_bytes(bytes))),
                ..Status::default()
            };
            self.put(Arc::new(source), Some(status));
        }
        Ok(())
    }

    /// Every source, by id.
    pub fn all(&self) -> Vec<Live> {
        self.inner().live.values().cloned().collect()
    }

    /// One source.
    pub fn get(&self, id: &str) -> Option<Live> {
        self.inner().live.get(id).cloned()
    }

    /// Puts a source in, or instead of the one with its id; what runs is told. The counts of what
    /// it brought stay; what failed is forgotten, because the change may have mended it.
    pub fn put(&self, source: Arc<Source>, status: Option<Status>) {
        let mut inner = self.inner();
        inner.removed.retain(|removed| removed.id != source.id);
        let before = inner.live.remove(&source.id);
        let status = status
            .or_else(|| before.map(|live| live.status.begun_anew()))
            .unwrap_or_default();
        let live = Live {
            source: Arc::clone(&source),
            status,
            wake: Arc::default(),
            held: Arc::default(),
        };
        inner.live.insert(source.id.clone(), live);
        drop(inner);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Takes a source out; its secrets are remembered for a while, in memory, so that it can be put
    /// back.
    pub fn remove(&self, id: &str) -> Option<Live> {
        let mut inner = self.inner();
        let live = inner.live.remove(id)?;
        inner.removed.push_back(Arc::clone(&live.source));
        while inner.removed.len() > REMOVED_MAX {
            inner.removed.pop_front();
        }
        drop(inner);
        self.changes.send_modify(|changes| *changes += 1);
        Some(live)
    }

    /// A source that was removed not long ago: the one with this id, else the last with this name.
    pub fn removed(&self, id: Option<&str>, name: &str) -> Option<Arc<Source>> {
        let inner = self.inner();
        let mut removed = inner.removed.iter().rev();
        let found = match id {
            Some(id) => removed.find(|source| source.id == id),
            None => removed.find(|source| source.name == name),
        };
        found.cloned()
    }

    /// The source of kind `http` that this user and password let in.
    pub fn opened_by(&self, sent: &Sent) -> Option<String> {
        let inner = self.inner();
        let mut live = inner.live.values();
        live.find(|live| live.source.is_opened_by(sent))
            .map(|live| live.source.id.clone())
    }

    /// The source that the bearer of a token of this name posts for: the one of kind `http` with the
    /// name, else the only one.
    pub fn of_token(&self, name: &str) -> Option<String> {
        let inner = self.inner();
        let posted = || inner.live.values().map(|live| &live.source);
        let mut posted_to = posted().filter(|source| source.http_user().is_some());
        let named = posted().find(|source| source.http_user().is_some() && source.name == name);
        named
            .or_else(|| posted_to.next().filter(|_| posted_to.next().is_none()))
            .map(|source| source.id.clone())
    }

    /// Changes how a source does; answers what it is then.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Status)) -> Option<Status> {
        let mut inner = self.inner();
        let live = inner.live.get_mut(id)?;
        change(&mut live.status);
        Some(live.status.clone())
    }

    /// There may be room in quarantine again for what waits at its source.
    pub fn release_held(&self) {
        for live in self.inner().live.values() {
            live.held.release();
        }
    }

    /// Told of every change of the configuration.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn http(id: &str, name: &str) -> Arc<Source> {
        let config = json!({ "kind": "http", "user": name, "password": "correct horse battery" });
        let config = serde_json::from_value(config).unwrap();
        Arc::new(Source::new(id.into(), name.into(), true, config, None).unwrap())
    }

    #[test]
    fn a_token_posts_for_the_source_of_its_name_or_for_the_only_one() {
        let sources = Sources::default();
        assert_eq!(sources.of_token("usalive"), None);
        sources.put(http("s1", "usalive"), None);
        assert_eq!(sources.of_token("anything").as_deref(), Some("s1"));
        sources.put(http("s2", "seed"), None);
        assert_eq!(sources.of_token("seed").as_deref(), Some("s2"));
        assert_eq!(sources.of_token("anything"), None, "it could be either");
    }

    #[test]
    fn a_source_that_was_removed_is_remembered_until_it_is_back() {
        let sources = Sources::default();
        sources.put(http("s1", "usalive"), None);
        assert!(sources.remove("s1").is_some());
        assert!(sources.removed(Some("s1"), "").is_some());
        assert!(sources.removed(None, "usalive").is_some());
        sources.put(http("s1", "usalive"), None);
        assert!(sources.removed(Some("s1"), "").is_none());
        for n in 0..100 {
            sources.put(http(&format!("s{n}"), "usalive"), None);
            sources.remove(&format!("s{n}"));
        }
        assert!(sources.inner().removed.len() <= REMOVED_MAX);
    }
}
