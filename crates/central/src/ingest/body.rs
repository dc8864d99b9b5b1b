//! The body of a machine's request: bounded as sent, unpacked (gzip, zstd), bounded again, and within
//! a deadline.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_http::timeout::{DeadlineBody, TimeoutError};

use crate::error::ApiError;

/// The largest body as it is sent: a full batch of a talkative machine packs into a tenth of it.
pub const SENT_MAX_BYTES: usize = 8 * 1024 * 1024;
/// The largest body unpacked: bounds what one request can make us hold.
pub const UNPACKED_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Unpacked bytes of all requests together, until they are stored: a few kilobytes that unpack to the
/// largest body, on many connections at once, must not take the computer's memory. Two hundred ordinary
/// batches or eight of the largest.
const ROOM_BYTES: usize = 8 * UNPACKED_MAX_BYTES;
/// How long a body waits for room before its sender is told to come again.
const ROOM_WAIT: Duration = Duration::from_secs(2);
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
        return Err(too_large(UNPACKED_MAX_BYTES));
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

/// Room for the unpacked bodies of all machines together; see [`ROOM_BYTES`].
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(Semaphore::new(ROOM_BYTES)))
    }
}

/// An unpacked body and the room it takes, given back when this is dropped.
pub struct Unpacked {
    /// The body.
    pub bytes: Vec<u8>,
    /// To be kept as long as anything of the body waits in memory.
    pub room: Option<OwnedSemaphorePermit>,
}

/// Reads the unpacked body, as far as there is room.
///
/// # Errors
/// It has more than `max_bytes`, is too large as sent, too slow or broken; or too much of others waits.
pub async fn read(room: &Room, body: Body, max_bytes: usize) -> Result<Unpacked, ApiError> {
    let mut body = Limited::new(body, max_bytes);
    let mut unpacked = Unpacked {
        bytes: Vec::new(),
        room: None,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| refusal(&*error, max_bytes))?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers say nothing to us
        };
        let more = take_room(room, data.len()).await?;
        match &mut unpacked.room {
            Some(room) => room.merge(more),
            none => *none = Some(more),
        }
        unpacked.bytes.extend_from_slice(&data);
    }
    Ok(unpacked)
}

/// Waits a moment for room. Not for long: who waits holds room too.
async fn take_room(room: &Room, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let bytes = u32::try_from(bytes).map_err(|_| too_large(UNPACKED_MAX_BYTES))?;
    let waiting = Arc::clone(&room.0).acquire_many_owned(bytes);
    match timeout(ROOM_WAIT, waiting).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(ApiError::unavailable(
            "busy",
            "too much is waiting to be stored; nothing was stored; send it again",
        )),
    }
}

fn refusal(error: &(dyn Error + 'static), max_bytes: usize) -> ApiError {
    if caused_by::<LengthLimitError>(error) {
        too_large(max_bytes)
    } else if caused_by::<TimeoutError>(error) {
        ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "the body did not arrive within 25 s; send fewer entries at once",
        )
    } else {
        ApiError::bad_request(
            "bad_body",
            "the body is cut off or does not unpack; send it again",
        )
    }
}

fn too_large(unpacked_max_bytes: usize) -> ApiError {
    ApiError::too_large(format!(
        "the body has more than {SENT_MAX_BYTES} bytes as sent or {unpacked_max_bytes} unpacked; \
         send less at once"
    ))
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(caused_by::<E>)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn spaces(room: &Room, bytes: usize) -> Result<Unpacked, ApiError> {
        let body = Body::from(vec![b' '; bytes]);
        read(room, body, UNPACKED_MAX_BYTES).await
    }

    #[tokio::test]
    async fn all_bodies_together_take_no_more_than_the_room_there_is() {
        let room = Room::default();
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(spaces(&room, UNPACKED_MAX_BYTES).await.ok());
        }
        assert!(held.iter().all(Option::is_some));
        let refused = spaces(&room, 1).await.err().unwrap();
        assert_eq!((refused.status().as_u16(), refused.code()), (503, "busy"));
        held.pop();
        let next = spaces(&room, UNPACKED_MAX_BYTES).await.ok().unwrap();
        assert_eq!(next.bytes.len(), UNPACKED_MAX_BYTES);
    }

    #[tokio::test]
    async fn a_refused_body_leaves_its_room() {
        let room = Room::default();
        for _ in 0..20 {
            let refused = spaces(&room, UNPACKED_MAX_BYTES + 1).await.err().unwrap();
            assert_eq!(refused.code(), "too_large");
        }
        assert_eq!(room.0.available_permits(), ROOM_BYTES);
    }
}
