//! What could not be read: list, look, retry, discard, restore.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use store::Quarantined;
use utoipa::{IntoParams, ToSchema};
use wire::Micros;
use wire::drops::DictionaryId;

use super::query::Pairs;
use crate::app::Shared;
use crate::drops::quarantine;
use crate::error::{ApiError, ErrorBody};

/// Items of a list when nothing is said.
const LIMIT_DEFAULT: usize = 200;
/// Characters of a preview.
const PREVIEW_CHARS: usize = 300;

/// What is in quarantine.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Quarantine {
    /// The newest first.
    pub items: Vec<QuarantineItem>,
    /// How many wait; discarded ones are not counted.
    pub waiting: u64,
}

/// Something that could not be read. Card numbers were taken out before it was kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantineItem {
    /// Its number; never given twice.
    pub id: u64,
    /// The id of the source that it came by, such as `s1`; `api` for none.
    pub source: String,
    /// Name of its file or mail.
    pub name: String,
    /// First arrival, by the server's clock.
    pub arrived_at: String,
    /// How many bytes it had.
    pub size_bytes: u64,
    /// Why it waits, for a program: `unknown_machine`, `unknown_dictionary`, `unknown_version`,
    /// `damaged`, `not_a_drop`, `too_large`, `encrypted`, `nested`, `too_much`, `nothing_inside`,
    /// `not_unpacked` or `fault`.
    #[schema(example = "unknown_machine")]
    pub code: String,
    /// Why it waits and what to do, for a person.
    pub reason: String,
    /// Whose it may be.
    #[schema(required = true)]
    pub machine_id: Option<String>,
    /// The dictionary that it waits for.
    #[schema(required = true, value_type = Option<String>)]
    pub dictionary: Option<DictionaryId>,
    /// How often the same came again.
    pub repeats: u64,
    /// When it was discarded; it can be restored for seven days.
    #[schema(required = true)]
    pub discarded_at: Option<String>,
    /// How it begins, up to 300 characters.
    pub preview: String,
}

/// An item with its bytes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantineContent {
    /// The item.
    #[serde(flatten)]
    pub item: QuarantineItem,
    /// What was kept of it (1 MiB at most) as text; what is no UTF-8 is shown as `\u{fffd}`.
    pub text: String,
    /// The same bytes in base64.
    pub base64: String,
}

/// What came of a retry.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RetryAnswer {
    /// It was read and has left quarantine.
    pub is_read: bool,
    /// Drops that were stored now.
    pub drops: u64,
    /// Drops that had come before.
    pub repeats: u64,
    /// The item, when it still cannot be read.
    #[schema(required = true)]
    pub item: Option<QuarantineItem>,
}

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct QuarantineParams {
    /// `true` shows what was discarded too.
    pub discarded: Option<bool>,
    /// 1 to 1,000; 200 when absent.
    pub limit: Option<u32>,
}

/// What is in quarantine, the newest first.
#[utoipa::path(get, path = "/api/quarantine", tag = "drops", params(QuarantineParams), responses(
    (status = 200, body = Quarantine),
    (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_quarantine(
    State(app): State<Shared>,
    uri: Uri,
) -> Result<Json<Quarantine>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let with_discarded = match pairs.one("discarded")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(ApiError::bad_request(
                "bad_parameter",
                "parameter \"discarded\" must be true or false",
            ));
        }
    };
    let most = store::QUARANTINE_MAX_ITEMS as usize;
    let limit = pairs.number("limit", LIMIT_DEFAULT, 1..=most)?;
    pairs.finish()?;
    let (items, waiting) = app
        .with_store(move |store| {
            let items = store.cell().quarantined(with_discarded, limit)?;
            Ok((items, store.cell().quarantine_waiting()?))
        })
        .await?;
    let items = items.into_iter().map(QuarantineItem::from).collect();
    Ok(Json(Quarantine { items, waiting }))
}

/// One item with what was kept of its bytes.
#[utoipa::path(get, path = "/api/quarantine/{id}", tag = "drops",
    params(("id" = u64, Path, description = "the item's number")),
    responses(
        (status = 200, body = QuarantineContent),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such item"),
    ))]
pub async fn get_quarantine_item(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<QuarantineContent>, ApiError> {
    let item = quarantine::get(&app, item_id(&id)?).await?;
    let text = String::from_utf8_lossy(&item.bytes).into_owned();
    let base64 = STANDARD.encode(&item.bytes);
    Ok(Json(QuarantineContent {
        item: item.into(),
        text,
        base64,
    }))
}

/// Tries to read an item again. What waits for a machine or a dictionary is tried by itself when
/// that comes.
#[utoipa::path(post, path = "/api/quarantine/{id}/retry", tag = "drops",
    params(("id" = u64, Path, description = "the item's number")),
    responses(
        (status = 200, body = RetryAnswer),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such item"),
        (status = 409, body = ErrorBody, description = "only its beginning was kept"),
    ))]
pub async fn retry_quarantined(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<RetryAnswer>, ApiError> {
    let retried = quarantine::retry(&app, item_id(&id)?).await?;
    Ok(Json(RetryAnswer {
        is_read: retried.is_read,
        drops: retried.drops,
        repeats: retried.repeats,
        item: retried.item.map(QuarantineItem::from),
    }))
}

/// Discards an item; it can be restored for seven days.
#[utoipa::path(post, path = "/api/quarantine/{id}/discard", tag = "drops",
    params(("id" = u64, Path, description = "the item's number")),
    responses(
        (status = 200, body = QuarantineItem),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such item"),
    ))]
pub async fn discard_quarantined(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<QuarantineItem>, ApiError> {
    let id = item_id(&id)?;
    quarantine::set_discarded(&app, id, true).await?;
    Ok(Json(quarantine::get(&app, id).await?.into()))
}

/// Takes a discarded item back.
#[utoipa::path(post, path = "/api/quarantine/{id}/restore", tag = "drops",
    params(("id" = u64, Path, description = "the item's number")),
    responses(
        (status = 200, body = QuarantineItem),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such item"),
    ))]
pub async fn restore_quarantined(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<QuarantineItem>, ApiError> {
    let id = item_id(&id)?;
    quarantine::set_discarded(&app, id, false).await?;
    Ok(Json(quarantine::get(&app, id).await?.into()))
}

fn item_id(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::bad_request(
            "bad_reference",
            "the number of an item in quarantine is a number",
        )
    })
}

impl From<Quarantined> for QuarantineItem {
    fn from(item: Quarantined) -> QuarantineItem {
        let preview = String::from_utf8_lossy(&item.bytes);
        QuarantineItem {
            id: item.id,
            source: item.source,
            name: item.name,
            arrived_at: item.arrived_at.to_rfc3339(),
            size_bytes: item.size_bytes,
            code: item.code,
            reason: item.reason,
            machine_id: item.machine,
            dictionary: item.dictionary,
            repeats: item.repeats,
            discarded_at: item.discarded_at.map(Micros::to_rfc3339),
            preview: preview.chars().take(PREVIEW_CHARS).collect(),
        }
    }
}
