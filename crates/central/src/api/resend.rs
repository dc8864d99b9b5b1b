//! Requests to a machine to send entries once more: made here, answered with its next heartbeat.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Resend;
use utoipa::ToSchema;
use wire::care::RESEND_MAX_ENTRIES;
use wire::{MachineId, Micros};

use super::json_body::JsonBody;
use super::machines::machine_id;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Requests that wait for one machine; it works on them one after the other.
const WAITING_MAX: usize = 20;

/// A range to send once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewResend {
    /// The spool's epoch.
    pub epoch: u64,
    /// The first seq.
    pub from: u64,
    /// The last seq; at most 10,000 entries in all.
    pub to: u64,
}

/// A request, and what came of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ResendView {
    /// Its number.
    pub id: u64,
    /// The spool's epoch.
    pub epoch: u64,
    /// The first seq.
    pub from: u64,
    /// The last seq.
    pub to: u64,
    /// When it was asked for.
    pub asked_at: String,
    /// When the machine reported; null while it waits.
    #[schema(required = true)]
    pub done_at: Option<String>,
    /// Entries that the machine had and this server has now.
    #[schema(required = true)]
    pub found: Option<u64>,
    /// Entries that the machine does not have any more: they stay a gap.
    #[schema(required = true)]
    pub missing: Option<u64>,
}

/// The requests to one machine.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Resends {
    /// The oldest first; the last hundred.
    pub resends: Vec<ResendView>,
}

/// Asks a machine to send entries once more, with its next heartbeat.
#[utoipa::path(post, path = "/api/machines/{id}/resend", tag = "machines",
    request_body = NewResend,
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 202, body = ResendView),
        (status = 400, body = ErrorBody, description = "no range that can be asked for"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
        (status = 409, body = ErrorBody, description = "too many requests wait for the machine"),
    ))]
pub async fn ask_resend(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewResend>,
) -> Result<(StatusCode, Json<ResendView>), ApiError> {
    let id = machine_id(&id)?;
    if body.from == 0 || body.to < body.from || body.to - body.from >= RESEND_MAX_ENTRIES {
        return Err(ApiError::bad_request(
            "bad_range",
            format!(
                "from must be 1 or more, and to at least from and less than from + \
                 {RESEND_MAX_ENTRIES}"
            ),
        ));
    }
    let now = clock::now();
    let range = (body.epoch, body.from, body.to);
    let wanted = id.clone();
    let waiting = app.with_store(move |store| store.care(&wanted)).await?;
    if waiting.resends.len() >= WAITING_MAX {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "too_many_waiting",
            format!("{WAITING_MAX} requests wait for machine {id}; let it answer them first"),
        ));
    }
    let request = app
        .with_store(move |store| store.ask_resend(&id, range, now))
        .await?;
    let view = view(Resend {
        request,
        asked_at: now,
        done: None,
    });
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// The requests to a machine to send entries once more, with what came of them.
#[utoipa::path(get, path = "/api/machines/{id}/resend", tag = "machines",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = Resends),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn get_resends(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Resends>, ApiError> {
    let id = machine_id(&id)?;
    let resends = app.with_store(move |store| store.resends(&id)).await?;
    let resends = resends.into_iter().map(view).collect();
    Ok(Json(Resends { resends }))
}

fn view(resend: Resend) -> ResendView {
    let (at, resent) = resend.done.unzip();
    ResendView {
        id: resend.request.id,
        epoch: resend.request.epoch,
        from: resend.request.from,
        to: resend.request.to,
        asked_at: resend.asked_at.to_rfc3339(),
        done_at: at.map(Micros::to_rfc3339),
        found: resent.map(|resent| resent.found),
        missing: resent.map(|resent| resent.missing),
    }
}
