//! A dictionary from the fleet's own entries, as they are stored.

use store::{EntryQuery, Order, Store, StoreError};
use tokio::sync::Mutex;
use wire::drops::Dictionary;
use wire::drops::dictionary::{Sample, TrainLimits, train};
use wire::time::DAY_US;
use wire::{Level, LogEntry, Micros};

use crate::app::Shared;
use crate::error::ApiError;

/// Entries of the levels that go by cell that are looked at; each takes some 500 bytes meanwhile.
const GRAVE_MAX: usize = 120_000;
/// Entries of the levels below: a machine may be set to send them, and they hold the same words.
const OTHERS_MAX: usize = 40_000;
/// Entries that training looks at, altogether.
pub const SAMPLES_MAX: usize = GRAVE_MAX + OTHERS_MAX;
/// Fewer teach nothing that the shipped dictionary does not know.
const ENTRIES_MIN: usize = 200;

/// One training at a time: it holds the processor and some memory.
#[derive(Default)]
pub struct Training(Mutex<()>);

/// A dictionary that was trained.
pub struct Trained {
    /// The dictionary.
    pub dictionary: Dictionary,
    /// How many entries it was trained from.
    pub entries: u64,
}

/// Trains from the entries of the last days.
///
/// # Errors
/// Another training runs, too little is stored, or the store failed.
pub async fn from_store(app: &Shared, days: u32, now: Micros) -> Result<Trained, ApiError> {
    let conflict =
        |code, message: String| ApiError::new(axum::http::StatusCode::CONFLICT, code, message);
    let Ok(_one_at_a_time) = app.training.0.try_lock() else {
        return Err(conflict(
            "training",
            "a dictionary is being trained already; wait for it".to_owned(),
        ));
    };
    let from = now.plus_us(-i64::from(days) * DAY_US);
    let samples = app.with_store(move |store| samples(store, from)).await?;
    if samples.len() < ENTRIES_MIN {
        return Err(conflict(
            "too_little",
            format!(
                "only {} entries are stored of these days, and {ENTRIES_MIN} are needed; the \
                 dictionary that came with the agents serves until then",
                samples.len()
            ),
        ));
    }
    from_samples(samples).await
}

/// Trains from these samples, where it may take its time.
///
/// # Errors
/// Training came to a bad end.
pub async fn from_samples(samples: Vec<Sample>) -> Result<Trained, ApiError> {
    let entries = samples.len() as u64;
    let limits = TrainLimits {
        samples: SAMPLES_MAX,
        ..TrainLimits::default()
    };
    let training = tokio::task::spawn_blocking(move || train(samples, &limits)).await;
    let dictionary =
        training.map_err(|failure| ApiError::internal(&format!("training ended: {failure}")))?;
    Ok(Trained {
        dictionary,
        entries,
    })
}

/// What is stored, the grave entries first.
fn samples(store: &Store, from: Micros) -> Result<Vec<Sample>, StoreError> {
    let query = |min_level| EntryQuery {
        min_level,
        from: Some(from),
        ..EntryQuery::default()
    };
    let grave = store
        .entries(query(Some(Level::Warn)), Order::Asc)
        .take(GRAVE_MAX);
    let others = store
        .entries(query(None), Order::Asc)
        .filter(|entry| {
            entry
                .as_ref()
                .map_or(true, |entry| entry.level < Level::Warn)
        })
        .take(OTHERS_MAX);
    let sample = |entry: Result<store::StoredEntry, StoreError>| {
        entry.map(|entry| Sample {
            machine: entry.machine_id,
            entry: LogEntry {
                seq: entry.seq,
                timestamp: entry.timestamp,
                level: entry.level,
                component: entry.component,
                message: entry.message,
                context: entry.context,
                clock: entry.clock,
            },
        })
    };
    grave.chain(others).map(sample).collect()
}
