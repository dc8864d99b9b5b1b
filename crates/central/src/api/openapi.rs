//! The description of the API: its frame here, each route beside its handler.

use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::error::ErrorBody;
use crate::events::{AlertEvent, ContactEvent, EntriesEvent, SourceEvent, TickEvent};

/// Title, ways to sign in, and the types that no route names: the events of the live stream.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vendlog",
        description = "Logs, status and live events of a fleet of vending machines. \
                       Times are RFC 3339 UTC; refusals are {code, message}.",
    ),
    components(schemas(ErrorBody, AlertEvent, EntriesEvent, ContactEvent, SourceEvent, TickEvent)),
    security(("key" = []), ("session" = [])),
    modifiers(&Credentials),
)]
pub struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("key", bearer);
        let basic = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        components.add_security_scheme("source", basic);
        let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-vendlog_session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "server", responses(
    (status = 200, description = "OpenAPI 3.1"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::router::description())
}
