//! The body of a machine's request: bounded as sent, unpacked (gzip, zstd), bounded again, and within
//! a deadline.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
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
/// Bytes of all requests together as they are sent, until each is answered: sixteen of the largest.
const SENT_ROOM_BYTES: usize = 16 * SENT_MAX_BYTES;
/// Unpacked bytes of all batches together, until they are stored: a few kilobytes that unpack to the
/// largest body, on many connections at once, must not take the computer's memory.
const UNPACKED_ROOM_BYTES: usize = 8 * UNPACKED_MAX_BYTES;
/// How long a batch waits to be unpacked before its sender is told to come again.
const ROOM_WAIT: Duration = Duration::from_secs(10);
/// A body that is not there by then is given up: dribbling connections are closed within 30 s.
const BODY_DEADLINE: Duration = Duration::from_secs(25);

/// Takes the body as it is sent, within its bounds, and refuses encodings that cannot be unpacked.
/// Stands outside of the unpacking layer: what is unpacked is all there, so that unpacking waits for
/// nobody while it takes its room.
pub async fn bound(
    Extension(room): Extension<Arc<Room>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = match bounded(request) {
        Ok(request) => request.into_parts(),
        Err(error) => return error.into_response(),
    };
    match collect(body, SENT_MAX_BYTES, Some(&room.sent)).await {
        Ok(sent) => {
            let _room = sent.room; // until the answer
            let request = Request::from_parts(parts, Body::from(sent.bytes));
            next.run(request).await
        }
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
        return Err(too_large(SENT_MAX_BYTES));
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
    let body = DeadlineBody::new(BODY_DEADLINE, body);
    Ok(Request::from_parts(parts, Body::new(body)))
}

/// Room in memory for what machines send and is not stored yet.
pub struct Room {
    sent: Arc<Semaphore>,
    unpacked: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            sent: Arc::new(Semaphore::new(SENT_ROOM_BYTES)),
            unpacked: Arc::new(Semaphore::new(UNPACKED_ROOM_BYTES)),
        }
    }
}

/// A body and the room it takes, given back when this is dropped.
pub struct Held {
    /// The body.
    pub bytes: Vec<u8>,
    /// To be kept as long as anything of the body waits in memory.
    pub room: Option<OwnedSemaphorePermit>,
}

/// Reads the unpacked body of a batch, when there is room for the largest.
///
/// # Errors
/// It is too large or does not unpack; or too much of others waits.
pub async fn read(room: &Room, body: Body) -> Result<Held, ApiError> {
    // The whole at once: who waits for more while holding some would wait for others who do so too.
    let largest = Arc::clone(&room.unpacked).acquire_many_owned(UNPACKED_MAX_BYTES as u32);
    let mut room = match timeout(ROOM_WAIT, largest).await {
        Ok(Ok(room)) => room,
        _ => return Err(busy()),
    };
    let mut held = collect(body, UNPACKED_MAX_BYTES, None).await?;
    held.bytes.shrink_to_fit();
    held.room = room.split(held.bytes.len());
    Ok(held)
}

/// Reads a body of a few kilobytes at most, which needs no room.
///
/// # Errors
/// It has more than `max_bytes` or does not unpack.
pub async fn read_small(body: Body, max_bytes: usize) -> Result<Vec<u8>, ApiError> {
    Ok(collect(body, max_bytes, None).await?.bytes)
}

/// Collects a body; each part takes its room, or the body is refused.
async fn collect(
    body: Body,
    max_bytes: usize,
    room: Option<&Arc<Semaphore>>,
) -> Result<Held, ApiError> {
    let mut body = Limited::new(body, max_bytes);
    let mut held = Held {
        bytes: Vec::new(),
        room: None,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| refusal(&*error, max_bytes))?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers say nothing to us
        };
        if let Some(room) = room {
            let part = Arc::clone(room).try_acquire_many_owned(data.len() as u32);
            let part = part.map_err(|_| busy())?;
            match &mut held.room {
                Some(room) => room.merge(part),
                none => *none = Some(part),
            }
        }
        held.bytes.extend_from_slice(&data);
    }
    Ok(held)
}

fn busy() -> ApiError {
    ApiError::unavailable(
        "busy",
        "too much is waiting to be stored; nothing was stored; send it again",
    )
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

fn too_large(max_bytes: usize) -> ApiError {
    ApiError::too_large(format!(
        "the body has more than {max_bytes} bytes, as sent or unpacked; send less at once"
    ))
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(caused_by::<E>)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn spaces(room: &Room, bytes: usize) -> Result<Held, ApiError> {
        read(room, Body::from(vec![b' '; bytes])).await
    }

    #[tokio::test]
    async fn all_batches_together_take_no_more_than_the_room_there_is() {
        let room = Room::default();
        let mut held = Vec::new();
        for _ in 0..7 {
            held.push(spaces(&room, UNPACKED_MAX_BYTES).await.ok().unwrap());
        }
        held.push(spaces(&room, 5).await.ok().unwrap());
        let waits = timeout(Duration::from_millis(50), spaces(&room, 7)).await;
        assert!(waits.is_err(), "there is not room for the largest");
        held.pop();
        let next = spaces(&room, UNPACKED_MAX_BYTES).await.ok().unwrap();
        assert_eq!(next.bytes.len(), UNPACKED_MAX_BYTES);
    }

    #[tokio::test]
    async fn what_is_refused_leaves_its_room() {
        let room = Room::default();
        for _ in 0..20 {
            let refused = spaces(&room, UNPACKED_MAX_BYTES + 1).await.err().unwrap();
            assert_eq!(refused.code(), "too_large");
        }
        assert_eq!(room.unpacked.available_permits(), UNPACKED_ROOM_BYTES);
        let full = Arc::new(Semaphore::new(10));
        let refused = collect(Body::from("12345678901"), 100, Some(&full)).await;
        assert_eq!(refused.err().unwrap().code(), "busy");
        assert_eq!(full.available_permits(), 10);
    }
}
