//! What people do with alerts. Who does it is who calls, never a word of the body.

use alerts::{Act, ActError, Phase};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use wire::Micros;
use wire::time::SECOND_US;

use super::alert_view::{AlertView, views};
use super::alerts::{alert_id, no_such_alert};
use super::json_body::JsonBody;
use crate::access::Caller;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// A note; may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoteBody {
    /// At most 2,000 characters are kept.
    pub note: String,
}

/// Until when nobody is told: one of the two.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SilenceBody {
    /// RFC 3339.
    pub until: Option<String>,
    /// Seconds from now; 0 ends the silence.
    pub for_s: Option<u32>,
}

/// How it ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResolveBody {
    /// At most 2,000 characters are kept.
    pub note: String,
    /// It was repaired at the machine, not from the desk.
    pub visit: bool,
}

/// Takes an alert: no repeats, no escalation. Of a group, all of its members.
#[utoipa::path(post, path = "/api/alerts/{id}/acknowledge", tag = "alerts", request_body = NoteBody,
    params(("id" = u64, Path, description = "the alert")),
    responses(
        (status = 200, body = AlertView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such alert"),
        (status = 409, body = ErrorBody, description = "it is over, or does not fire yet"),
    ))]
pub async fn acknowledge(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NoteBody>,
) -> Result<Json<AlertView>, ApiError> {
    act(&app, &caller, &id, Act::Acknowledge, body.note).await
}

/// Gives an alert back: it fires again.
#[utoipa::path(post, path = "/api/alerts/{id}/unacknowledge", tag = "alerts",
    request_body = NoteBody,
    params(("id" = u64, Path, description = "the alert")),
    responses(
        (status = 200, body = AlertView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such alert"),
        (status = 409, body = ErrorBody, description = "it is over, or does not fire yet"),
    ))]
pub async fn unacknowledge(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NoteBody>,
) -> Result<Json<AlertView>, ApiError> {
    act(&app, &caller, &id, Act::Unacknowledge, body.note).await
}

/// Has nobody told of an alert for a while, 30 days at most.
#[utoipa::path(post, path = "/api/alerts/{id}/silence", tag = "alerts", request_body = SilenceBody,
    params(("id" = u64, Path, description = "the alert")),
    responses(
        (status = 200, body = AlertView),
        (status = 400, body = ErrorBody, description = "neither until nor for_s, or no time"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such alert"),
        (status = 409, body = ErrorBody, description = "it is over, or does not fire yet"),
        (status = 422, body = ErrorBody, description = "longer than 30 days"),
    ))]
pub async fn silence(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<SilenceBody>,
) -> Result<Json<AlertView>, ApiError> {
    let bad = |words| ApiError::bad_request("bad_field", words);
    let until = match (&body.until, body.for_s) {
        (Some(until), None) => Micros::parse_rfc3339(until)
            .map_err(|_| bad("\"until\" is no time; write it as 2026-01-22T14:30:15Z"))?,
        (None, Some(for_s)) => clock::now().plus_us(i64::from(for_s) * SECOND_US),
        _ => return Err(bad("give either \"until\" or \"for_s\"")),
    };
    act(&app, &caller, &id, Act::Silence { until }, String::new()).await
}

/// Says something about an alert.
#[utoipa::path(post, path = "/api/alerts/{id}/note", tag = "alerts", request_body = NoteBody,
    params(("id" = u64, Path, description = "the alert")),
    responses(
        (status = 200, body = AlertView),
        (status = 400, body = ErrorBody, description = "the note is empty"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such alert"),
    ))]
pub async fn note(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NoteBody>,
) -> Result<Json<AlertView>, ApiError> {
    if body.note.trim().is_empty() {
        return Err(ApiError::bad_request("bad_field", "the note is empty"));
    }
    act(&app, &caller, &id, Act::Note, body.note).await
}

/// Ends an alert by hand; a new one begins when it happens again.
#[utoipa::path(post, path = "/api/alerts/{id}/resolve", tag = "alerts", request_body = ResolveBody,
    params(("id" = u64, Path, description = "the alert")),
    responses(
        (status = 200, body = AlertView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such alert"),
        (status = 409, body = ErrorBody, description = "it does not fire yet"),
    ))]
pub async fn resolve(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Result<Json<AlertView>, ApiError> {
    let what = Act::Resolve { visit: body.visit };
    act(&app, &caller, &id, what, body.note).await
}

async fn act(
    app: &Shared,
    caller: &Caller,
    id: &str,
    what: Act,
    note: String,
) -> Result<Json<AlertView>, ApiError> {
    let id = alert_id(id)?;
    let (who, now) = (caller.name(), clock::now());
    let done = app
        .with_store(move |store| {
            let outcome = store.alerts().act(id, what, &who, note.trim(), now)?;
            let alert = match outcome {
                Ok(alert) => alert,
                Err(error) => {
                    let known = store.alerts().get(id)?;
                    return Ok(Err((error, known.map(|whole| whole.alert.phase))));
                }
            };
            let view = views(store, vec![alert], now)?.pop();
            Ok(view.ok_or((ActError::NoSuchAlert(id), None)))
        })
        .await?;
    let view = done.map_err(|(error, phase)| refusal(&error, phase))?;
    // The colours of its machines are others now.
    app.events.publish(match &view.machine_id {
        Some(machine) => Event::Machine(machine.clone()),
        None => Event::Machines,
    });
    Ok(Json(view))
}

fn refusal(error: &ActError, phase: Option<Phase>) -> ApiError {
    let conflict = |code, words| ApiError::new(StatusCode::CONFLICT, code, words);
    match (error, phase) {
        (ActError::NoSuchAlert(_), Some(Phase::Waiting)) => conflict(
            "alert_waiting",
            "the alert does not fire yet, and may end by itself".to_owned(),
        ),
        (ActError::NoSuchAlert(_), None) => no_such_alert(),
        (ActError::NoSuchAlert(_) | ActError::Over(_), _) => {
            conflict("alert_over", error.to_string())
        }
        (ActError::SilenceTooLong, _) => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "silence_too_long",
            error.to_string(),
        ),
    }
}
