//! What waits is read again: by itself when its machine or its dictionary comes and after an update,
//! and when a person says so.

use std::sync::Arc;

use store::Quarantined;
use wire::MachineId;
use wire::drops::DictionaryId;

use super::{Content, RawFile, intake};
use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;
use crate::events::Event;

/// Items looked through at once; as many as the store keeps.
const ITEMS_MAX: usize = store::QUARANTINE_MAX_ITEMS as usize;

/// Why waiting items are looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A machine was added; its readers' serial numbers may be in the items, so that all that wait
    /// for a machine are tried.
    Machine(MachineId),
    /// A dictionary came.
    Dictionary(DictionaryId),
    /// This program was started: it may be a newer one, or have been stopped in the middle.
    Start,
}

/// Tries again, in the background, what waits for this.
pub fn retry_waiting_soon(app: &Shared, reason: Reason) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        match retry_waiting(&app, &reason).await {
            Ok(0) => {}
            Ok(read) => tracing::info!(read, ?reason, "drops that waited were read"),
            Err(error) => tracing::warn!(
                error = error.message(),
                ?reason,
                "drops that wait were not tried again; they are at the next start"
            ),
        }
    });
}

/// Tries again what waits for this; answers how many items were read.
///
/// # Errors
/// The store failed; what was read until then stays read.
pub async fn retry_waiting(app: &Shared, reason: &Reason) -> Result<u64, ApiError> {
    let concerned = |item: &Quarantined| match reason {
        Reason::Machine(_) => item.code == "unknown_machine",
        Reason::Dictionary(id) => item.dictionary == Some(*id),
        Reason::Start => matches!(
            item.code.as_str(),
            "unknown_machine" | "unknown_dictionary" | "unknown_version" | "fault"
        ),
    };
    let items = app
        .with_store(move |store| store.cell().quarantined(false, ITEMS_MAX))
        .await?;
    let mut read = 0;
    // The oldest first: entries keep their order of arrival.
    for item in items.iter().rev().filter(|item| concerned(item)) {
        if retry(app, item.id).await?.is_read {
            read += 1;
        }
    }
    Ok(read)
}

/// What came of trying an item again.
#[derive(Debug, Clone)]
pub struct Retried {
    /// It was read, and is no longer in quarantine.
    pub is_read: bool,
    /// Drops that were stored now.
    pub drops: u64,
    /// Drops that had come before.
    pub repeats: u64,
    /// The item as it waits now, when it still cannot be read.
    pub item: Option<Quarantined>,
}

/// Tries an item again. What still cannot be read stays, with the reason of this try.
///
/// # Errors
/// There is no such item, only its beginning was kept, or the store failed.
pub async fn retry(app: &Shared, id: u64) -> Result<Retried, ApiError> {
    let item = get(app, id).await?;
    if item.size_bytes > store::QUARANTINE_ITEM_MAX_BYTES as u64 {
        return Err(ApiError::new(
            axum::http::StatusCode::CONFLICT,
            "not_whole",
            "only the beginning of it was kept, which cannot be read; let it be sent again",
        ));
    }
    let file = RawFile {
        source: item.source.clone(),
        is_mailbox: false,
        name: item.name.clone(),
        content: Content::Whole(item.bytes.clone()),
        at: item.arrived_at,
    };
    let outcome = intake::again(app, file).await?;
    let is_read = outcome.last_problem.is_none() && outcome.taken.drops + outcome.taken.repeats > 0;
    // Of several problems each would need an item of its own: the whole stays instead.
    let problem = outcome
        .last_problem
        .filter(|_| outcome.taken.quarantined == 1);
    let item = app
        .with_store(move |store| match problem {
            _ if is_read => store.cell().take_quarantined(id).map(|_| None),
            Some(problem) if problem.code != item.code => {
                let now = store.cell().quarantine(problem)?;
                if now != id {
                    // Redacting changed its bytes, so that it counts as another.
                    store.cell().take_quarantined(id)?;
                }
                store.cell().quarantine_item(now)
            }
            _ => Ok(Some(item)),
        })
        .await?;
    if is_read {
        app.sources.release_held();
    }
    app.events.publish(Event::Quarantine);
    Ok(Retried {
        is_read,
        drops: outcome.taken.drops,
        repeats: outcome.taken.repeats,
        item,
    })
}

/// An item with its bytes.
///
/// # Errors
/// There is none, or the store failed.
pub async fn get(app: &Shared, id: u64) -> Result<Quarantined, ApiError> {
    let found = app
        .with_store(move |store| store.cell().quarantine_item(id))
        .await?;
    found.ok_or_else(no_such_item)
}

/// Discards an item, or restores it.
///
/// # Errors
/// There is none, or the store failed.
pub async fn set_discarded(app: &Shared, id: u64, discards: bool) -> Result<(), ApiError> {
    let at = clock::now();
    let is_there = app
        .with_store(move |store| match discards {
            true => store.cell().discard_quarantined(id, at),
            false => store.cell().restore_quarantined(id),
        })
        .await?;
    if !is_there {
        return Err(no_such_item());
    }
    if discards {
        // Room for what waits at its source.
        app.sources.release_held();
    }
    app.events.publish(Event::Quarantine);
    Ok(())
}

fn no_such_item() -> ApiError {
    ApiError::not_found(
        "no_such_item",
        "there is no such item in quarantine; it was read meanwhile, or discarded a week ago",
    )
}
