//! The body of a machine's request: bounded as sent, unpacked (gzip, zstd), bounded again, and within
//! a deadline.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower_http::timeout::{DeadlineBody, TimeoutError};

use crate::error::ApiError;

/// The largest body as it is sent: a full batch of a talkative machine packs into a tenth of it.
pub const SENT_MAX_BYTES: usize = 8 * 1024 * 1024;
/// The largest body unpacked: bounds what one request can make us hold.
pub const UNPACKED_MAX_BYTES: usize = 16 * 1024 * 1024;
/// A body that is not there by then is given up: dribbling connections are closed within 30 s.
const BODY_DEADLINE: Duration = Duration::from_secs(25);

/// Bounds the body as it is sent and refuses encodings that cannot be unpacked. Stands outside of
/// the unpacking layer.
pub async fn bound(request: Request, next: Next) -> Response {
    match bounded(request) {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn bounded(request: Request) -> Result<Request, ApiError> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let length = header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > SENT_MAX_BYTES) {
        return Err(too_large());
    }
    let encodings = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .count();
    let encoding = header(header::CONTENT_ENCODING);
    if encodings > 1 || !matches!(encoding, None | Some("identity" | "gzip" | "zstd")) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "bad_encoding",
            "Content-Encoding must be gzip, zstd or absent",
        ));
    }
    let (parts, body) = request.into_parts();
    let body = DeadlineBody::new(BODY_DEADLINE, Limited::new(body, SENT_MAX_BYTES));
    Ok(Request::from_parts(parts, Body::new(body)))
}

/// Reads the unpacked body.
///
/// # Errors
/// It is too large as sent or unpacked, too slow, or broken.
pub async fn read(body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, UNPACKED_MAX_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if caused_by::<LengthLimitError>(&*error) => Err(too_large()),
        Err(error) if caused_by::<TimeoutError>(&*error) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "the body did not arrive within 25 s; send fewer entries at once",
        )),
        Err(_) => Err(ApiError::bad_request(
            "bad_body",
            "the body is cut off or does not unpack; send it again",
        )),
    }
}

fn too_large() -> ApiError {
    ApiError::too_large(format!(
        "the body has more than {SENT_MAX_BYTES} bytes as sent or {UNPACKED_MAX_BYTES} unpacked; \
         send fewer entries at once"
    ))
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(caused_by::<E>)
}
