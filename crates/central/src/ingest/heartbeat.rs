//! `POST /api/heartbeat`: a machine says how it is.

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use wire::{Heartbeat, HeartbeatAnswer};

use super::{body, care, machine_gone, sender};
use crate::access::Caller;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// A heartbeat is a few hundred bytes; what is larger is none.
const HEARTBEAT_MAX_BYTES: usize = 64 * 1024;

/// Takes a machine's heartbeat. The answer says the server's time, and what is asked of the machine:
/// to use another key or configuration, to send entries once more.
#[utoipa::path(post, path = "/api/heartbeat", tag = "machines' own", request_body = Heartbeat,
    responses(
        (status = 200, body = HeartbeatAnswer),
        (status = 400, body = ErrorBody, description = "the heartbeat cannot be read"),
        (status = 401, body = ErrorBody, description = "no valid key"),
        (status = 403, body = ErrorBody, description = "another machine's key"),
    ))]
pub async fn post_heartbeat(
    State(app): State<Shared>,
    caller: Extension<Caller>,
    body: Body,
) -> Result<Json<HeartbeatAnswer>, ApiError> {
    let bytes = body::read_small(body, HEARTBEAT_MAX_BYTES).await?;
    let beat: Heartbeat = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("the heartbeat cannot be read: {error}");
        ApiError::bad_request("malformed_json", message)
    })?;
    let machine = sender(&caller, beat.machine_id.as_str())?;
    let now = clock::now();
    let (beat, waiting) = app
        .with_store(move |store| {
            store.record_heartbeat(&beat, now)?;
            if !beat.resent.is_empty() {
                store.record_resent(&beat.machine_id, &beat.resent, now)?;
            }
            let waiting = store.care(&beat.machine_id)?;
            Ok((beat, waiting))
        })
        .await
        .map_err(machine_gone)?;
    app.events.publish(Event::Machine(machine));
    Ok(Json(care::answer(&app, &beat, waiting, now).await))
}
