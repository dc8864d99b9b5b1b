//! `GET /api/logs/context`: the lines around an entry.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::entry::Entry;
use super::query::Pairs;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// Lines before and after when nothing is said: about half a screen each.
const LINES_DEFAULT: usize = 20;
/// The most lines on either side.
const LINES_MAX: usize = 200;

/// An entry among its neighbours of the same machine.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AroundView {
    /// Lines before, the entry, lines after; oldest first.
    pub entries: Vec<Entry>,
    /// Place of the entry in `entries`.
    pub index: usize,
    /// How often the entry's template was seen on its day, over all machines.
    pub template_count_on_day: u64,
}

/// Which entry, and how many lines around it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct AroundParams {
    /// `id` of an entry.
    pub id: String,
    /// Lines before it, up to 200; 20 when absent.
    pub before: Option<u32>,
    /// Lines after it, up to 200; 20 when absent.
    pub after: Option<u32>,
}

/// The lines around an entry, of the same machine, oldest first.
#[utoipa::path(get, path = "/api/logs/context", tag = "logs", params(AroundParams), responses(
    (status = 200, body = AroundView),
    (status = 400, body = ErrorBody, description = "the id cannot be read"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
    (status = 404, body = ErrorBody, description = "there is no such entry (any more)"),
))]
pub async fn get_context(
    State(app): State<Shared>,
    uri: Uri,
) -> Result<Json<AroundView>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let id = pairs.one("id")?;
    let before = pairs.number("before", LINES_DEFAULT, 0..=LINES_MAX)?;
    let after = pairs.number("after", LINES_DEFAULT, 0..=LINES_MAX)?;
    pairs.finish()?;
    let id = id.ok_or_else(|| {
        ApiError::bad_request(
            "bad_parameter",
            "parameter \"id\" is missing; give an entry's id",
        )
    })?;
    let around = app
        .with_store(move |store| store.around(&id, before, after))
        .await?;
    Ok(Json(AroundView {
        entries: around.entries.into_iter().map(Entry::from).collect(),
        index: around.index,
        template_count_on_day: around.template_count_on_day,
    }))
}
