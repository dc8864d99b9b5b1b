//! A small JSON body of the read-and-change routes, with refusals in our own words. Batches have
//! their own reader in `ingest`.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// Nothing that a person registers is larger.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// A JSON object of the type wanted; an empty body is read as `{}`.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<JsonBody<T>, ApiError> {
        let body = Limited::new(request.into_body(), BODY_MAX_BYTES)
            .collect()
            .await;
        let bytes = match body {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(ApiError::too_large("the body has more than 65536 bytes"));
            }
            Err(_) => {
                return Err(ApiError::bad_request(
                    "bad_body",
                    "the body ended before its end",
                ));
            }
        };
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(JsonBody).map_err(|error| {
            ApiError::bad_request("bad_json", format!("the body does not fit: {error}"))
        })
    }
}
