//! The watcher's watcher: an outside address is pinged every minute while alerts are judged and the
//! outbox is worked off; who runs it tells people when the pings end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::{Store, StoreError};
use vendlog_notify::Secret;
use vendlog_notify::dead_man::{Config, Signal, ping};
use wire::Micros;
use wire::time::{MINUTE_US, SECOND_US};

use crate::app::Shared;
use crate::clock;

/// How often it is pinged: services of this kind count in minutes.
const PING_EVERY: Duration = Duration::from_secs(60);
/// The outbox is looked at every 2 s; a disk that is slow for a while is no failure.
const OUTBOX_US: i64 = 60 * SECOND_US;
/// The engine's memory is kept every minute.
const TICK_US: i64 = 3 * MINUTE_US;
/// One ping may take so long; the next is due then.
const TIMEOUT_S: u32 = 20;
/// Where the address is kept.
const SETTING: &str = "alerts.watch";
/// Where the store keeps the engine's memory.
const MEMORY: &str = "alerts.memory";

/// The outside watch.
#[derive(Default)]
pub struct DeadMan {
    inner: Mutex<Watch>,
}

/// The outside watch and how it does.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// As it is kept.
    pub kept: Kept,
    /// When a ping was last heard.
    pub pinged_at: Option<Micros>,
    /// Why the last was not heard, or what we told it.
    pub trouble: Option<String>,
}

/// What is kept, encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The address, in clear: it is stored encrypted and shown masked.
    pub url: Option<String>,
    /// Whether the computer is kept awake while machines are expected to report.
    pub inhibit_sleep: bool,
}

impl DeadMan {
    /// Takes it over from the catalog.
    ///
    /// # Errors
    /// The store failed.
    pub fn open(&self, store: &Store) -> Result<(), StoreError> {
        let kept = store.setting(SETTING)?.unwrap_or_default();
        self.inner().kept = serde_json::from_slice(&kept).unwrap_or_default();
        Ok(())
    }

    /// What is set, and how it does.
    pub fn now(&self) -> Watch {
        self.inner().clone()
    }

    /// Keeps it durably and uses it from now on. To be called where it may block.
    ///
    /// # Errors
    /// The store failed; the one before stays in use.
    pub fn set(&self, store: &Store, kept: Kept) -> Result<(), StoreError> {
        let json = serde_json::to_vec(&kept).unwrap_or_default();
        store.set_setting(SETTING, &json)?;
        let mut inner = self.inner();
        let before = std::mem::take(&mut *inner);
        *inner = match before.kept.url == kept.url {
            true => Watch { kept, ..before },
            false => Watch {
                kept,
                ..Watch::default()
            },
        };
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Watch> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// How it is pinged; `None` when no address is set.
    pub fn config(&self) -> Option<Config> {
        self.url.as_deref().map(|url| Config {
            url: Secret::from(url),
            timeout_s: TIMEOUT_S,
        })
    }
}

/// Pings once, if an address is set; answers whether it was heard.
pub async fn one_step(app: &Shared, now: Micros) -> bool {
    let Some(config) = app.delivery.dead_man.now().kept.config() else {
        return false;
    };
    let trouble = trouble(app, now).await;
    let signal = match &trouble {
        None => Signal::Success,
        Some(_) => Signal::Fail,
    };
    let heard = ping(&config, signal).await;
    let mut watch = app.delivery.dead_man.inner();
    if watch.kept.config().as_ref() != Some(&config) {
        return false;
    }
    let was_well = watch.trouble.is_none();
    match &heard {
        Ok(()) => {
            watch.pinged_at = Some(now);
            watch.trouble = trouble;
        }
        Err(error) => watch.trouble = Some(error.to_string()),
    }
    if let (true, Some(words)) = (was_well, &watch.trouble) {
        tracing::warn!(words, "the dead man's switch is in trouble");
    }
    heard.is_ok()
}

/// Why we do not do our work, if we do not.
async fn trouble(app: &Shared, now: Micros) -> Option<String> {
    if now.since_us(app.delivery.worked_at()).abs() > OUTBOX_US {
        return Some("messages are not being sent".to_owned());
    }
    let memory = app.with_store(|store| store.setting(MEMORY)).await;
    let memory = match memory {
        Ok(memory) => memory.unwrap_or_default(),
        Err(error) => return Some(error.message().to_owned()),
    };
    let memory: alerts::Memory = serde_json::from_slice(&memory).unwrap_or_default();
    let is_judged = memory
        .last_tick
        .is_some_and(|tick| now.since_us(tick).abs() <= TICK_US);
    (!is_judged).then(|| "machines are not being judged".to_owned())
}

/// Pings for ever; ended by aborting its task.
pub async fn run(app: Shared) {
    loop {
        tokio::time::sleep(PING_EVERY).await;
        one_step(&app, clock::now()).await;
    }
}
