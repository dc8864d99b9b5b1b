//! Liveness for anybody, readiness for who may read.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Where the readiness probe writes, to know that the disk takes writes.
const PROBE_SETTING: &str = "readyz.probed_at";

/// The process answers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
}

/// Reads and durable writes work.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// `ready`.
    pub status: String,
    /// `ok`: the store answers.
    pub store: String,
    /// `ok`: a write was synced to disk.
    pub disk: String,
    /// `ok`, or which sources of drops fail and why; a server is ready all the same.
    pub sources: String,
}

/// Whether the process answers at all; says nothing else, to anybody.
#[utoipa::path(get, path = "/healthz", tag = "server", security(()), responses(
    (status = 200, body = Health),
))]
pub async fn get_health() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
    })
}

/// Whether the store answers and takes a durable write.
#[utoipa::path(get, path = "/readyz", tag = "server", responses(
    (status = 200, body = Readiness),
    (status = 401, body = ErrorBody, description = "no valid credential"),
    (status = 503, body = ErrorBody, description = "the store failed"),
    (status = 507, body = ErrorBody, description = "the disk is full"),
))]
pub async fn get_readiness(State(app): State<Shared>) -> Result<Json<Readiness>, ApiError> {
    let now = clock::now().to_rfc3339();
    app.with_store(move |store| {
        store.total_entries()?;
        store.set_setting(PROBE_SETTING, now.as_bytes())
    })
    .await?;
    let ok = || "ok".to_owned();
    Ok(Json(Readiness {
        status: "ready".to_owned(),
        store: ok(),
        disk: ok(),
        sources: failing_sources(&app).unwrap_or_else(ok),
    }))
}

/// Which sources fail, in words; `None` when none does.
fn failing_sources(app: &App) -> Option<String> {
    let failing: Vec<String> = app
        .sources
        .all()
        .into_iter()
        .filter(|live| live.source.enabled)
        .filter_map(|live| {
            let (code, _) = live.status.kept.error?;
            Some(format!("{} ({}): {code}", live.source.id, live.source.name))
        })
        .collect();
    (!failing.is_empty()).then(|| format!("failing: {}", failing.join("; ")))
}
