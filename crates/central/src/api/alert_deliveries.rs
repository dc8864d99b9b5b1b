//! Who was told: the messages of the outbox, sent or not.

use alerts::Subject;
use alerts::life::Why;
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::alert_view::DeliveryView;
use super::query::Pairs;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// Messages of one page at most.
const PAGE_MAX: usize = 500;
const PAGE: usize = 100;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct DeliveriesParams {
    /// At most so many, up to 500; 100 when absent.
    pub limit: Option<usize>,
    /// With a smaller number than this: `next` of the page before.
    pub before: Option<u64>,
}

/// Messages, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    /// The page.
    pub deliveries: Vec<DeliveryView>,
    /// `before` of the next page; null at the end.
    #[schema(required = true)]
    pub next: Option<u64>,
}

/// Who was told what by which channel, and what became of it, the newest first.
#[utoipa::path(get, path = "/api/alerts/deliveries", tag = "alerts", params(DeliveriesParams),
    responses(
        (status = 200, body = Deliveries),
        (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
    ))]
pub async fn get_deliveries(
    State(app): State<Shared>,
    uri: Uri,
) -> Result<Json<Deliveries>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let limit = pairs.number("limit", PAGE, 1..=PAGE_MAX)?;
    let before = before(&mut pairs)?;
    pairs.finish()?;
    let messages = app
        .with_store(move |store| store.alerts().deliveries(before, limit))
        .await?;
    let last = messages.last().map(|message| message.id);
    Ok(Json(Deliveries {
        next: last.filter(|_| messages.len() == limit),
        deliveries: messages.into_iter().map(DeliveryView::from).collect(),
    }))
}

/// `before`: a number of an alert or a message.
///
/// # Errors
/// It is no whole number.
pub fn before(pairs: &mut Pairs) -> Result<Option<u64>, ApiError> {
    let most = i64::MAX as usize;
    let number = pairs.number("before", most, 0..=most)?;
    Ok((number < most).then_some(number as u64))
}

/// Why somebody is told, as the API says it.
pub fn why(subject: Subject) -> &'static str {
    match subject {
        Subject::Alert(why) | Subject::Group(why) => match why {
            Why::First => "first",
            Why::Repeat(_) => "repeat",
            Why::Escalation(_) => "escalation",
            Why::Resolved => "resolved",
            Why::Hourly => "hourly_digest",
            Why::Daily => "daily_digest",
        },
        Subject::HourlyDigest => "hourly_digest",
        Subject::DailyDigest => "daily_digest",
        Subject::LateEntries => "late_entries",
    }
}
