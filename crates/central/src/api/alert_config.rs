//! The configuration of alerts as one document: read, exported, imported.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::alert_document::{BadAlerts, Checked, Object, Refusal, change, document, read};
use super::json_body::JsonBody;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// As many rules and people as can be used fit well.
const DOCUMENT_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The whole configuration of alerts: `rules`, `people`, `groups`, `maintenance`, `group_at`,
/// `group_within_s`, `daily_digest_minute`.
#[derive(ToSchema)]
#[schema(value_type = Object, example = json!({
    "rules": [{"id": "hardware-failure", "name": "Hardware Failure", "severity": "critical",
        "when": {"kind": "entries", "filter": {"level": "CRITICAL"}, "count": 1,
            "split_by": "component"},
        "tell": [{"who": "group:ops", "by": ["sms", "email"]}]}],
    "people": [{"id": "ann", "name": "Ann",
        "addresses": [{"channel": "email", "to": "ann@example.com"}], "timezone": "Europe/Berlin"}],
    "groups": [{"id": "ops", "name": "Operations", "people": ["ann"]}],
    "maintenance": [], "group_at": 5, "group_within_s": 180, "daily_digest_minute": 480,
}))]
pub struct AlertDocument(#[allow(dead_code)] Object);

/// The whole configuration of alerts; that of a new installation where none was set.
#[utoipa::path(get, path = "/api/alerts/config", tag = "alerts", responses(
    (status = 200, body = AlertDocument),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_config(State(app): State<Shared>) -> Result<Json<Object>, ApiError> {
    let config = app.with_store(|store| store.alerts().config()).await?;
    Ok(Json(document(&config)?))
}

/// Uses a configuration from now on. Parts that are left out stay as they are; of what is wrong all is
/// said at once, and nothing is changed.
#[utoipa::path(post, path = "/api/alerts/configure", tag = "alerts", request_body = AlertDocument,
    responses(
        (status = 200, body = AlertDocument),
        (status = 400, body = ErrorBody, description = "this is no JSON object"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 422, body = BadAlerts, description = "everything that is wrong with it"),
    ))]
pub async fn set_config(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<Object, DOCUMENT_MAX_BYTES>,
) -> Result<Json<Object>, Refusal> {
    let edited = change(&app, Checked::Whole, move |config, _| {
        read(body, config)?;
        Ok(config.clone())
    });
    Ok(Json(document(&edited.await?)?))
}
