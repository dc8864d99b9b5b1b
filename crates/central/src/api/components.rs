//! `GET /api/logs/components`: what there is to filter by.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::Pairs;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// Every component seen.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Components {
    /// Sorted.
    pub components: Vec<String>,
}

/// Of which machines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct MachinesParams {
    /// Any of these machines; may repeat; all when absent.
    pub machine: Option<Vec<String>>,
}

/// Every component seen on these machines, sorted.
#[utoipa::path(get, path = "/api/logs/components", tag = "logs", params(MachinesParams),
    responses(
        (status = 200, body = Components),
        (status = 400, body = ErrorBody, description = "a machine id cannot be read"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
    ))]
pub async fn get_components(
    State(app): State<Shared>,
    uri: Uri,
) -> Result<Json<Components>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let machines = pairs.machines()?;
    pairs.finish()?;
    let components = app
        .with_store(move |store| store.components(&machines))
        .await?;
    Ok(Json(Components { components }))
}
