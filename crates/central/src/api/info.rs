//! `GET /api/info`: which server this is.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Which server this is and how it is reached.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Info {
    /// Version of the program.
    pub version: String,
    /// Where machines send to; null while nothing listens.
    #[schema(required = true)]
    pub url: Option<String>,
    /// Pin of the certificate's public key.
    #[schema(required = true)]
    pub pin: Option<String>,
    /// Why nothing listens although it should, with what to do.
    #[schema(required = true)]
    pub listen_error: Option<String>,
    /// The server's clock.
    pub server_time: String,
    /// Entries stored now.
    pub total_entries: u64,
}

/// Version, address, pin, clock and size of this server.
#[utoipa::path(get, path = "/api/info", tag = "server", responses(
    (status = 200, body = Info),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_info(State(app): State<Shared>) -> Result<Json<Info>, ApiError> {
    let total_entries = app.with_store(|store| store.total_entries()).await?;
    Ok(Json(Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: app.server.url.clone(),
        pin: app.server.pin.clone(),
        listen_error: app.server.listen_error.clone(),
        server_time: clock::now().to_rfc3339(),
        total_entries,
    }))
}
