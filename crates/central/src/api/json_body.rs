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
pub struct JsonBody<T, const MAX_BYTES: usize = BODY_MAX_BYTES>(pub T);

impl<T, S, const MAX_BYTES: usize> FromRequest<S> for JsonBody<T, MAX_BYTES>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(
        request: Request<Body>,
        _state: &S,
    ) -> Result<JsonBody<T, MAX_BYTES>, ApiError> {
        let body = Limited::new(request.into_body(), MAX_BYTES).collect().await;
        let bytes = match body {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(ApiError::too_large(format!(
                    "the body has more than {MAX_BYTES} bytes"
                )));
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
