//! `GET /api/live`: the stream of events as Server-Sent Events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::sse::{Event as SseEvent, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use utoipa::IntoParams;

use super::query::Pairs;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// A stream ends after an hour: the browser comes back by itself with its last id, and its
/// credential is looked at anew.
const STREAM_MAX: Duration = Duration::from_secs(60 * 60);

/// Where to resume.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct LiveParams {
    /// The id of the last event seen; the header `Last-Event-ID` goes before it.
    pub after: Option<String>,
}

/// What happens, as Server-Sent Events. Ids are `<boot>-<n>`. Events: `entries` (EntriesEvent),
/// `machine` (ContactEvent: heard, or its status changed), `machines` `{}` (the list changed),
/// `critical` (Entry), `source` (SourceEvent: it was changed, fails, works again or brought files),
/// `quarantine` `{}` (its list changed), `alert` (AlertEvent: it began or changed), `reset` `{}` (the resume point is lost: fetch anew), `tick` (TickEvent, at
/// once and every 10 s).
#[utoipa::path(get, path = "/api/live", tag = "live", params(LiveParams), responses(
    (status = 200, content_type = "text/event-stream", body = String),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_live(
    State(app): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let after = pairs.one("after")?;
    pairs.finish()?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let subscription = app.events.subscribe(last_id.or(after.as_deref()));
    let ends = Instant::now() + STREAM_MAX;
    let messages = stream::unfold(subscription, move |mut subscription| async move {
        let message = timeout_at(ends, subscription.next()).await.ok()??;
        let event = SseEvent::default()
            .id(message.id)
            .event(message.event)
            .data(message.data);
        Some((Ok::<_, Infallible>(event), subscription))
    });
    // Proxies that buffer would hold the events back.
    let headers = [
        (header::CACHE_CONTROL, "no-cache"),
        (X_ACCEL_BUFFERING, "no"),
    ];
    Ok((headers, Sse::new(messages)).into_response())
}

const X_ACCEL_BUFFERING: header::HeaderName = header::HeaderName::from_static("x-accel-buffering");
