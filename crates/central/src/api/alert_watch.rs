//! The outside watch of Vendlog itself: the address that is pinged, and whether the computer is kept
//! awake. The address is a secret: who knows it can keep the watch quiet.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::Micros;

use super::json_body::JsonBody;
use crate::alerts::deliver::dead_man::Watch;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// Stands for the secret part of the address.
const MASK: &str = "***";

/// The outside watch and how it does.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WatchView {
    /// The address that is pinged every minute, masked; null: none.
    #[schema(required = true, example = "https://hc-ping.com/***")]
    pub dead_man_url: Option<String>,
    /// How it does.
    pub dead_man_status: DeadManStatus,
    /// Whether the computer is kept awake while machines are expected to report.
    pub inhibit_sleep: bool,
}

/// How the outside watch does.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeadManStatus {
    /// The word.
    pub state: DeadManState,
    /// When a ping was last heard.
    #[schema(required = true)]
    pub pinged_at: Option<String>,
    /// What is wrong.
    #[schema(required = true)]
    pub message: Option<String>,
}

/// How the outside watch does, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeadManState {
    /// No address is set.
    Off,
    /// It was not pinged yet.
    Never,
    /// The last ping was heard.
    Ok,
    /// The last ping was not heard, or told of trouble here.
    Failing,
}

/// What is to be changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchChange {
    /// The address; null removes it; absent, or as it was answered, keeps it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub dead_man_url: Option<Option<String>>,
    /// Whether the computer is kept awake; absent keeps it.
    #[serde(default)]
    pub inhibit_sleep: Option<bool>,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub dead_man_status: serde_json::Value,
}

/// A field that is there, be it null.
fn said<'de, D>(deserializer: D) -> Result<Option<Option<String>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The outside watch.
#[utoipa::path(get, path = "/api/alerts/watch", tag = "alerts", responses(
    (status = 200, body = WatchView),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_watch(State(app): State<Shared>) -> Json<WatchView> {
    Json(view(app.delivery.dead_man.now()))
}

/// Changes the outside watch.
#[utoipa::path(put, path = "/api/alerts/watch", tag = "alerts", request_body = WatchChange,
    responses(
        (status = 200, body = WatchView),
        (status = 400, body = ErrorBody, description = "it cannot work; the words say why"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
    ))]
pub async fn set_watch(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<WatchChange>,
) -> Result<Json<WatchView>, ApiError> {
    let before = app.delivery.dead_man.now();
    let mut kept = before.kept.clone();
    kept.inhibit_sleep = body.inhibit_sleep.unwrap_or(kept.inhibit_sleep);
    let masked = kept.url.as_deref().map(mask);
    match body.dead_man_url {
        Some(url) if url != masked => kept.url = url.filter(|url| !url.is_empty()),
        Some(_) | None => {}
    }
    if let Some(Err(words)) = kept.config().map(|config| config.validate()) {
        let words = format!("dead_man_url: {words}");
        return Err(ApiError::bad_request("bad_field", words));
    }
    let shared = app.clone();
    app.with_store(move |store| shared.delivery.dead_man.set(store, kept))
        .await?;
    Ok(Json(view(app.delivery.dead_man.now())))
}

fn view(watch: Watch) -> WatchView {
    let state = match (&watch.kept.url, &watch.trouble, watch.pinged_at) {
        (None, _, _) => DeadManState::Off,
        (Some(_), Some(_), _) => DeadManState::Failing,
        (Some(_), None, Some(_)) => DeadManState::Ok,
        (Some(_), None, None) => DeadManState::Never,
    };
    WatchView {
        dead_man_url: watch.kept.url.as_deref().map(mask),
        dead_man_status: DeadManStatus {
            state,
            pinged_at: watch.pinged_at.map(Micros::to_rfc3339),
            message: watch.trouble,
        },
        inhibit_sleep: watch.kept.inhibit_sleep,
    }
}

/// `https://hc-ping.com/***`: the host is known to all who use the service, the path to nobody.
fn mask(url: &str) -> String {
    let end = url.find("://").map_or(0, |at| at + "://".len());
    let host = url[end..].split(['/', '?', '#']).next().unwrap_or_default();
    format!("{}{host}/{MASK}", &url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_part_of_an_address_is_not_shown() {
        let masked = mask("https://hc-ping.com/5b9a-secret?x=1");
        assert_eq!(masked, "https://hc-ping.com/***");
        assert_eq!(mask("https://x.example?key=1"), "https://x.example/***");
    }
}
