//! `POST /api/logs`: a batch of a machine's entries.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Deserialize;
use store::{EntryQuery, NewEntries, Order, PageRequest, PathKind, Receipt};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use utoipa::ToSchema;
use wire::{BatchAnswer, ClockState, Level, MachineId, Micros};

use super::body::Held;
use super::numbering::{IDEMPOTENCY_KEY_MAX_BYTES, Numbering, Sorted};
use super::{batch, body, machine_gone, numbering, redact, sender};
use crate::access::Caller;
use crate::api::entry::Entry;
use crate::api::logs::SEARCH_BUDGET;
use crate::app::{App, Shared};
use crate::clock;
use crate::error::{ApiError, ErrorBody};
use crate::events::{EntriesEvent, Event};

/// CRITICAL entries of one batch that are told one by one; a flood is seen in `entries`.
const CRITICALS_TOLD_MAX: usize = 20;

/// A batch as it is sent; at most 10,000 entries, 8 MiB as sent and 16 MiB unpacked.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code)] // it describes what the handler reads
pub struct NewBatch {
    /// Whose entries they are; must be the key's machine.
    machine_id: MachineId,
    /// The spool that numbered them; absent for senders that do not number.
    epoch: Option<u64>,
    /// The entries, in order of `seq`.
    logs: Vec<NewEntry>,
}

/// An entry as it is sent; fields that are not known are ignored.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code)] // it describes what the handler reads
pub struct NewEntry {
    /// 1, 2, 3 ... within the epoch; needed when there is one.
    seq: Option<u64>,
    /// Event time, RFC 3339.
    timestamp: String,
    /// How grave; WARNING and FATAL are read as WARN and CRITICAL.
    level: Level,
    /// The part of the machine it speaks of, 1 to 50 characters.
    component: String,
    /// What happened. With component and context at most 65,536 bytes.
    message: String,
    /// Details.
    #[schema(value_type = Option<Object>)]
    context: Option<serde_json::Value>,
    /// How far the timestamp can be trusted.
    clock: Option<ClockState>,
}

/// Stores a batch of a machine's entries. Answered only after everything accepted is durable.
///
/// Each bad entry is rejected alone, with its place and reason. Entries are recognised again by
/// machine, epoch and seq; without an epoch by the header `Idempotency-Key` and their place.
#[utoipa::path(post, path = "/api/logs", tag = "machines' own",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "recognises a batch without epoch again; at most 255 bytes")),
    request_body(content = NewBatch, description = "may be gzip or zstd"),
    responses(
        (status = 200, body = BatchAnswer),
        (status = 400, body = ErrorBody, description = "the batch cannot be read"),
        (status = 401, body = ErrorBody, description = "no valid key"),
        (status = 403, body = ErrorBody, description = "another machine's key"),
        (status = 413, body = ErrorBody, description = "too many bytes or entries"),
        (status = 503, body = ErrorBody, description = "not now; nothing was stored"),
        (status = 507, body = ErrorBody, description = "the disk is full; nothing was stored"),
    ))]
pub async fn post_logs(
    State(app): State<Shared>,
    caller: Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<BatchAnswer>, ApiError> {
    let idempotency_key = idempotency_key(&headers)?;
    let Held { bytes, room } = body::read(&app.room, body).await?;
    let reading = tokio::task::spawn_blocking(move || {
        let frame = batch::read_frame(&bytes)?;
        let machine = sender(&caller, &frame.machine_id)?;
        let numbering = Numbering::of(frame.epoch, idempotency_key.as_deref());
        let texts = frame.logs.texts.iter().enumerate();
        let entries = texts
            .map(|(index, text)| batch::read_entry(index, text))
            .collect();
        let mut sorted = numbering::sort_out(numbering, entries);
        sorted.entries.iter_mut().for_each(redact::redact);
        Ok::<_, ApiError>((machine, numbering, sorted, room))
    });
    let (machine, numbering, sorted, room) = reading
        .await
        .map_err(|failure| ApiError::internal(&format!("reading a batch ended: {failure}")))??;
    let now = clock::now();
    let (receipt, answer) = store_batch(&app, &machine, numbering, sorted, room, now).await?;
    tell(app, machine, receipt, now);
    Ok(Json(answer))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=IDEMPOTENCY_KEY_MAX_BYTES).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::bad_request(
            "bad_header",
            "Idempotency-Key must be 1 to 255 printable ASCII characters",
        )),
    }
}

/// Hands the batch to the store and waits until it is durable.
async fn store_batch(
    app: &App,
    machine: &MachineId,
    numbering: Numbering,
    sorted: Sorted,
    room: Option<OwnedSemaphorePermit>,
    received_at: Micros,
) -> Result<(Receipt, BatchAnswer), ApiError> {
    let (done, durable) = oneshot::channel();
    let new = NewEntries {
        machine: machine.clone(),
        epoch: numbering.epoch(),
        entries: sorted.entries,
        refused_seqs: sorted.refused_seqs,
        path: PathKind::Wifi,
        received_at,
    };
    let store = app.store.clone();
    // The queue to the writer is bounded: handing over may wait.
    tokio::task::spawn_blocking(move || {
        store.append(new, move |result| {
            drop(room); // not before: who hangs up leaves a batch that still waits in memory
            let _ = done.send(result); // a sender that hung up does not read its answer
        });
    })
    .await
    .map_err(|failure| ApiError::internal(&format!("handing over a batch ended: {failure}")))?;
    let receipt = durable
        .await
        .map_err(|_| ApiError::unavailable("closing", "the server is stopping; send it again"))?
        .map_err(|error| machine_gone(error.into()))?;
    let answer = BatchAnswer {
        accepted: receipt.accepted,
        duplicates: receipt.duplicates.len() as u64 + sorted.repeated,
        rejected: sorted.rejected,
    };
    Ok((receipt, answer))
}

/// Tells the live stream what was stored.
pub fn tell(app: Shared, machine: MachineId, receipt: Receipt, received_at: Micros) {
    app.events.publish(Event::Machine(machine.clone()));
    let Some((from, to)) = receipt.filed else {
        return;
    };
    let worst = Level::ALL
        .into_iter()
        .rev()
        .find(|level| receipt.by_level[usize::from(level.as_u8())] > 0)
        .unwrap_or(Level::Debug);
    app.events.publish(Event::Entries(EntriesEvent {
        machine_id: machine.clone(),
        count: receipt.accepted,
        from: from.to_rfc3339(),
        to: to.to_rfc3339(),
        worst,
    }));
    if worst == Level::Critical {
        tokio::spawn(tell_criticals(app, machine, (from, to), received_at));
    }
}

/// Reads back the CRITICAL entries of this batch, with the ids they got, and tells each.
async fn tell_criticals(
    app: Shared,
    machine: MachineId,
    (from, to): (Micros, Micros),
    received_at: Micros,
) {
    let query = EntryQuery {
        machines: vec![machine],
        min_level: Some(Level::Critical),
        from: Some(from),
        to: Some(to.plus_us(1)),
        ..EntryQuery::default()
    };
    let request = PageRequest {
        order: Order::Desc,
        limit: CRITICALS_TOLD_MAX,
        cursor: None,
        budget: SEARCH_BUDGET,
    };
    match app
        .with_store(move |store| store.page(&query, &request))
        .await
    {
        Ok(page) => {
            let mine = page
                .entries
                .into_iter()
                .filter(|entry| entry.received_at == received_at);
            let oldest_first: Vec<_> = mine.collect();
            for entry in oldest_first.into_iter().rev() {
                app.events
                    .publish(Event::Critical(Box::new(Entry::from(entry))));
            }
        }
        Err(error) => tracing::warn!(error = error.message(), "a CRITICAL was not told live"),
    }
}
