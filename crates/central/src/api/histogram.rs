//! `GET /api/logs/histogram`: counts by level over time.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use wire::{Level, Micros};

use super::query::{FilterParams, Pairs};
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Bins when nothing is said: one a column of a panel.
const BINS_DEFAULT: usize = 60;
/// The most bins: more than a panel has pixels to show apart.
const BINS_MAX: usize = 500;
/// How long counting may take before it says `exact: false`.
const COUNT_BUDGET: Duration = Duration::from_millis(1000);

/// Counts by level over time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HistogramView {
    /// Start of the first bin.
    pub from: String,
    /// End of the last bin.
    pub to: String,
    /// Width of a bin in milliseconds.
    pub step_ms: i64,
    /// The order of the counts in a bin: DEBUG, INFO, WARN, ERROR, CRITICAL.
    pub levels: Vec<Level>,
    /// One array of five counts a bin.
    pub bins: Vec<Vec<u64>>,
    /// False when time ran out or bins were rounded to hours.
    pub exact: bool,
}

/// How fine.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct BinsParams {
    /// About so many bins, 1 to 500; 60 when absent.
    pub bins: Option<u32>,
}

/// Counts by level over time, of the entries that the same filters of `GET /api/logs` select.
#[utoipa::path(get, path = "/api/logs/histogram", tag = "logs", params(FilterParams, BinsParams),
    responses(
        (status = 200, body = HistogramView),
        (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
    ))]
pub async fn get_histogram(
    State(app): State<Shared>,
    uri: Uri,
) -> Result<Json<HistogramView>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let query = pairs.entry_query()?;
    let bins = pairs.number("bins", BINS_DEFAULT, 1..=BINS_MAX)?;
    pairs.finish()?;
    let now = clock::now();
    let counts = app
        .with_store(move |store| store.histogram(&query, bins, now, COUNT_BUDGET))
        .await?;
    let width = counts.step_us.saturating_mul(counts.bins.len() as i64);
    Ok(Json(HistogramView {
        from: counts.from.to_rfc3339(),
        to: Micros(counts.from.0.saturating_add(width)).to_rfc3339(),
        step_ms: counts.step_us / 1000,
        levels: Level::ALL.to_vec(),
        bins: counts.bins.into_iter().map(|bin| bin.to_vec()).collect(),
        exact: counts.exact,
    }))
}
