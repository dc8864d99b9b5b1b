//! Dictionaries of drops: list, bring a file, train one from what is stored, choose the one that
//! agents are given.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::{DictionaryInfo, DictionaryOrigin, Store, StoreError};
use utoipa::{IntoParams, ToSchema};
use wire::drops::{Dictionary, DictionaryId};

use super::json_body::JsonBody;
use super::query::Pairs;
use crate::app::Shared;
use crate::clock;
use crate::drops::quarantine::{Reason, retry_waiting_soon};
use crate::drops::train;
use crate::error::{ApiError, ErrorBody};
use crate::ingest::body::read_small;

/// Days of stored entries that training looks at when nothing is said.
const DAYS_DEFAULT: u32 = 30;
/// The most days.
const DAYS_MAX: u32 = 400;

/// Every dictionary.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DictionaryList {
    /// The newest first.
    pub dictionaries: Vec<DictionaryView>,
    /// The one that agents are given; null: each uses the one that came with it.
    #[schema(required = true, value_type = Option<String>)]
    pub current: Option<DictionaryId>,
}

/// A dictionary. It is kept for ever: a drop that was packed with it may still come.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DictionaryView {
    /// Its id: 8 hex digits.
    #[schema(value_type = String, example = "1a2b3c4d")]
    pub id: DictionaryId,
    /// How it came about.
    pub origin: Origin,
    /// When it came here.
    pub created_at: String,
    /// Entries that it was trained from; 0 when that is not known.
    pub entries: u64,
    /// Its bytes.
    pub size_bytes: u64,
    /// Whether agents are given this one.
    pub is_current: bool,
    /// Machines whose last heartbeat said that they pack with it. One that is heard by cell only
    /// says nothing of it and is not counted.
    pub machines: u64,
}

/// How a dictionary came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It came with the program.
    Shipped,
    /// It was trained from the fleet's own logs.
    Trained,
    /// Somebody brought a file.
    Uploaded,
}

/// What to train from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainRequest {
    /// Days of stored entries, 1 to 400; 30 when absent.
    #[serde(default)]
    pub days: Option<u32>,
    /// Whether agents are given it; yes when absent.
    #[serde(default)]
    pub make_current: Option<bool>,
}

/// What to do with a file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct AddParams {
    /// `true`: agents are given it from now on. Otherwise drops are only read with it.
    pub current: Option<bool>,
}

/// Every dictionary, the newest first.
#[utoipa::path(get, path = "/api/dictionaries", tag = "drops", responses(
    (status = 200, body = DictionaryList),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_dictionaries(State(app): State<Shared>) -> Result<Json<DictionaryList>, ApiError> {
    let dictionaries = app.with_store(views).await?;
    let current = dictionaries.iter().find(|view| view.is_current);
    let current = current.map(|view| view.id);
    Ok(Json(DictionaryList {
        dictionaries,
        current,
    }))
}

/// The file of a dictionary, as an agent's `dictionary_file` takes it.
#[utoipa::path(get, path = "/api/dictionaries/{id}", tag = "drops",
    params(("id" = String, Path, description = "its id")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such dictionary"),
    ))]
pub async fn get_dictionary(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = dictionary_id(&id)?;
    let bytes = app
        .with_store(move |store| store.cell().dictionary(id))
        .await?
        .ok_or_else(no_such_dictionary)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}.vdict\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// Brings a dictionary as a file. Drops that wait for it are read by themselves.
#[utoipa::path(post, path = "/api/dictionaries", tag = "drops", params(AddParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, body = DictionaryView),
        (status = 400, body = ErrorBody, description = "this is no dictionary"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 413, body = ErrorBody, description = "no dictionary is so large"),
    ))]
pub async fn add_dictionary(
    State(app): State<Shared>,
    uri: Uri,
    body: Body,
) -> Result<(StatusCode, Json<DictionaryView>), ApiError> {
    let mut pairs = Pairs::of(&uri);
    let is_current = match pairs.one("current")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(ApiError::bad_request(
                "bad_parameter",
                "parameter \"current\" must be true or false",
            ));
        }
    };
    pairs.finish()?;
    let bytes = read_small(body, store::DICTIONARY_MAX_BYTES).await?;
    let read = tokio::task::spawn_blocking(move || Dictionary::from_bytes(&bytes)).await;
    let dictionary = read
        .map_err(|failure| ApiError::internal(&format!("reading a dictionary ended: {failure}")))?
        .map_err(|error| ApiError::bad_request("bad_dictionary", error.to_string()))?;
    let view = keep(&app, &dictionary, DictionaryOrigin::Uploaded, 0, is_current).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Trains a dictionary from what is stored. It takes a while; the fleet's drops get smaller with it.
#[utoipa::path(post, path = "/api/dictionaries/train", tag = "drops", request_body = TrainRequest,
    responses(
        (status = 201, body = DictionaryView),
        (status = 400, body = ErrorBody, description = "a field cannot be taken"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 409, body = ErrorBody, description = "one is being trained, or too little is stored"),
    ))]
pub async fn train_dictionary(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<TrainRequest>,
) -> Result<(StatusCode, Json<DictionaryView>), ApiError> {
    let days = body.days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::bad_request(
            "bad_field",
            format!("field \"days\" must be 1 to {DAYS_MAX}"),
        ));
    }
    let trained = train::from_store(&app, days, clock::now()).await?;
    let is_current = body.make_current.unwrap_or(true);
    let origin = DictionaryOrigin::Trained;
    let view = keep(
        &app,
        &trained.dictionary,
        origin,
        trained.entries,
        is_current,
    )
    .await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Gives agents this dictionary from now on, with the answers to their heartbeats.
#[utoipa::path(post, path = "/api/dictionaries/{id}/use", tag = "drops",
    params(("id" = String, Path, description = "its id")),
    responses(
        (status = 200, body = DictionaryView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such dictionary"),
    ))]
pub async fn use_dictionary(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<DictionaryView>, ApiError> {
    let id = dictionary_id(&id)?;
    let shared = app.clone();
    let found = app
        .with_store(move |store| {
            if !store.cell().set_current_dictionary(id)? {
                return Ok(None);
            }
            shared.dictionaries.choose(store)?;
            Ok(views(store)?.into_iter().find(|view| view.id == id))
        })
        .await?;
    let found = found.ok_or_else(no_such_dictionary)?;
    Ok(Json(found))
}

/// Keeps a dictionary, and has what waits for it read.
async fn keep(
    app: &Shared,
    dictionary: &Dictionary,
    origin: DictionaryOrigin,
    entries: u64,
    is_current: bool,
) -> Result<DictionaryView, ApiError> {
    let id = dictionary.id();
    let bytes = dictionary.to_bytes().to_vec();
    let info = DictionaryInfo {
        id,
        origin,
        created_at: clock::now(),
        entries,
        size_bytes: bytes.len() as u64,
        is_current,
    };
    let shared = app.clone();
    let kept = app
        .with_store(move |store| {
            store.cell().add_dictionary(&info, &bytes)?;
            shared.dictionaries.choose(store)?;
            // One that was there before stays as it was.
            let kept = views(store)?.into_iter().find(|view| view.id == info.id);
            Ok(kept.unwrap_or_else(|| DictionaryView::new(info, 0)))
        })
        .await?;
    retry_waiting_soon(app, Reason::Dictionary(id));
    Ok(kept)
}

/// Every dictionary, the newest first, with how many machines pack with it.
fn views(store: &Store) -> Result<Vec<DictionaryView>, StoreError> {
    let used: Vec<DictionaryId> = store
        .fleet_facts(clock::now())?
        .into_iter()
        .filter_map(|facts| facts.heartbeat?.1.dictionary)
        .collect();
    let view = |info: DictionaryInfo| {
        let machines = used.iter().filter(|id| **id == info.id).count();
        DictionaryView::new(info, machines as u64)
    };
    Ok(store.cell().dictionaries()?.into_iter().map(view).collect())
}

fn dictionary_id(text: &str) -> Result<DictionaryId, ApiError> {
    text.parse()
        .map_err(|error: wire::drops::DictionaryIdError| {
            ApiError::bad_request("bad_reference", error.to_string())
        })
}

fn no_such_dictionary() -> ApiError {
    ApiError::not_found(
        "no_such_dictionary",
        "there is no such dictionary; GET /api/dictionaries lists them all",
    )
}

impl DictionaryView {
    fn new(info: DictionaryInfo, machines: u64) -> DictionaryView {
        DictionaryView {
            id: info.id,
            origin: match info.origin {
                DictionaryOrigin::Shipped => Origin::Shipped,
                DictionaryOrigin::Trained => Origin::Trained,
                DictionaryOrigin::Uploaded => Origin::Uploaded,
            },
            created_at: info.created_at.to_rfc3339(),
            entries: info.entries,
            size_bytes: info.size_bytes,
            is_current: info.is_current,
            machines,
        }
    }
}
