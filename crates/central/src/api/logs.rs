//! `GET /api/logs`: pages of entries.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::{EntryPage, Order, PageRequest};
use utoipa::{IntoParams, ToSchema};

use super::entry::Entry;
use super::query::{FilterParams, Pairs};
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// Entries of a page when nothing is said.
const LIMIT_DEFAULT: usize = 100;
/// The most entries of a page.
pub const LIMIT_MAX: usize = 1000;
/// How long a search that no index serves may take before a short page is answered.
pub const SEARCH_BUDGET: Duration = Duration::from_millis(1500);
/// A page is cut to fewer entries above so many bytes of JSON: the window takes 8 MB at once.
const PAGE_MAX_BYTES: usize = 6 * 1024 * 1024;

/// A page of entries.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// In the order asked for: by (filed_at, epoch, seq).
    pub entries: Vec<Entry>,
    /// The cursor of the next page; null at the end.
    #[schema(required = true)]
    pub next: Option<String>,
    /// When the search ran out of time: how far back it came. The page may then be short or empty
    /// although there is more; go on with `next`.
    #[schema(required = true)]
    pub searched_to: Option<String>,
}

/// How the page is cut.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct PageParams {
    /// `desc` (newest first, the default) or `asc`.
    pub order: Option<String>,
    /// 1 to 1,000; more is clamped; 100 when absent.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl From<EntryPage> for LogPage {
    fn from(page: EntryPage) -> LogPage {
        LogPage {
            entries: page.entries.into_iter().map(Entry::from).collect(),
            next: page.next,
            searched_to: page.searched_to.map(|at| at.to_rfc3339()),
        }
    }
}

/// A page of entries, by machines, time, level, components and words.
#[utoipa::path(get, path = "/api/logs", tag = "logs", params(FilterParams, PageParams), responses(
    (status = 200, body = LogPage),
    (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_logs(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let query = pairs.entry_query()?;
    let mut request = PageRequest {
        order: pairs.order(Order::Desc)?,
        limit: pairs.number("limit", LIMIT_DEFAULT, 1..=LIMIT_MAX)?,
        cursor: pairs.one("cursor")?,
        budget: SEARCH_BUDGET,
    };
    pairs.finish()?;
    loop {
        let (query, wanted) = (query.clone(), request.clone());
        let page = app
            .with_store(move |store| store.page(&query, &wanted))
            .await?;
        let json = serde_json::to_vec(&LogPage::from(page))
            .map_err(|error| ApiError::internal(&format!("a page is no JSON: {error}")))?;
        if json.len() <= PAGE_MAX_BYTES || request.limit == 1 {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            return Ok((StatusCode::OK, kind, json).into_response());
        }
        request.limit = request.limit.div_ceil(2);
    }
}
