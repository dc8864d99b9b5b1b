//! `POST /api/drops/{name}`: files as USALive's HTTP transport posts them. That service tries a file
//! once and takes a 500 for a broken transport, so that a file which cannot be read is kept and
//! answered with 200 as well: only what is not durable is an error.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::{Extension, Json};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::app::{App, Shared};
use crate::clock;
use crate::drops::sources::{Status, tested_setting};
use crate::drops::{Content, RawFile, Taken, intake, redact};
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// What is larger is not looked at; it is read to its end all the same, so that its sender hears an
/// answer and not a broken connection.
const FILE_MAX_BYTES: usize = ::drops::limits::FILE_BYTES as usize;
/// Nobody reads on for longer than this: a mistake of 40 MB gets its answer.
const READ_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Of a file that is too large, what quarantine shows.
const HEAD_BYTES: usize = 4096;
/// A file that is not there by then is given up.
const BODY_DEADLINE: Duration = Duration::from_secs(60);
/// The source of a file whose sender has none.
const NO_SOURCE: &str = "api";

/// What became of a posted file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Posted {
    /// Drops that were stored now.
    pub drops: u64,
    /// Drops that had come before.
    pub repeats: u64,
    /// Parts that cannot be read and wait in quarantine.
    pub quarantined: u64,
    /// Whether this was the service's "Test Transport".
    pub is_test: bool,
}

/// Takes a file of drops, as USALive's HTTP transport posts it.
///
/// The body is the file, with any Content-Type or none; the name is a hint only. Sign in with the
/// user and password of a source of kind `http` (Basic), or with a token of the role `source`
/// (Bearer). 200 says that everything in the file is durable: stored, known already, or in
/// quarantine. "Test Transport" (`reason=TEST`) is answered with 200 and shown with the source.
#[utoipa::path(post, path = "/api/drops/{name}", tag = "drops",
    params(
        ("name" = String, Path, description = "the file's name", example = "VM001-1764000000-17.txt"),
        ("reason" = Option<String>, Query, description = "`TEST`: a test call, nothing is stored"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "a drop, several in a zip, or a mail; up to 1 MiB"),
    security(("source" = []), ("key" = []), ("session" = [])),
    responses(
        (status = 200, body = Posted),
        (status = 400, body = ErrorBody, description = "the body broke off"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 408, body = ErrorBody, description = "the body did not come in time"),
        (status = 413, body = ErrorBody, description = "64 MiB and more are not even read"),
        (status = 429, body = ErrorBody, description = "too many wrong passwords"),
        (status = 503, body = ErrorBody, description = "not now; send it again"),
        (status = 507, body = ErrorBody, description = "the disk is full; send it again"),
    ))]
pub async fn post_drop(
    State(app): State<Shared>,
    caller: Extension<Caller>,
    uri: Uri,
    body: Body,
) -> Result<Json<Posted>, ApiError> {
    let source = source_of(&app, &caller);
    let name = ::drops::http_post::file_name(uri.path()).unwrap_or_else(|| "unnamed".to_owned());
    let content = read(&uri, body).await?;
    let now = clock::now();
    if ::drops::http_post::is_test_call(&name, uri.query()) {
        tested(&app, source.as_deref()).await?;
        return Ok(Json(posted(Taken::default(), true)));
    }
    let file = RawFile {
        source: source.clone().unwrap_or_else(|| NO_SOURCE.to_owned()),
        is_mailbox: false,
        name,
        content,
        at: now,
    };
    let taken = intake::take(&app, file).await?;
    if let Some(source) = source {
        let change = |status: &mut Status| {
            status.took(&taken, now);
            status.posted(now);
        };
        keep(&app, &source, change).await;
    }
    Ok(Json(posted(taken, false)))
}

fn posted(taken: Taken, is_test: bool) -> Posted {
    Posted {
        drops: taken.drops,
        repeats: taken.repeats,
        quarantined: taken.quarantined,
        is_test,
    }
}

/// The source that the caller posts for.
fn source_of(app: &App, caller: &Caller) -> Option<String> {
    match caller {
        Caller::Source(id) => Some(id.clone()),
        Caller::Person { name, .. } => app.sources.of_token(name),
        _ => None,
    }
}

/// Notes the test call with the source; a store that could not take a file says so now.
async fn tested(app: &Shared, source: Option<&str>) -> Result<(), ApiError> {
    let at = clock::now();
    let name = tested_setting(source.unwrap_or(NO_SOURCE));
    app.with_store(move |store| store.set_setting(&name, &at.0.to_be_bytes()))
        .await?;
    tracing::info!(source, "the transport was tested");
    if let Some(source) = source {
        keep(app, source, |status| status.tested_at = Some(at)).await;
    }
    Ok(())
}

/// Keeps how a source does; what it brought is durable whether or not this is.
async fn keep(app: &Shared, source: &str, change: impl FnOnce(&mut Status)) {
    let Some(status) = app.sources.update(source, change) else {
        return; // it was removed meanwhile
    };
    let id = source.to_owned();
    let done = app
        .with_store(move |store| store.cell().set_source_status(&id, &status.kept))
        .await;
    if let Err(error) = done {
        tracing::warn!(error = error.message(), "how a source does was not kept");
    }
    app.events.publish(Event::Source(source.to_owned()));
}

/// The file, or how it begins when it is too large.
async fn read(uri: &Uri, body: Body) -> Result<Content, ApiError> {
    let read = timeout(BODY_DEADLINE, collect(body)).await;
    read.map_err(|_| {
        let name = ::drops::http_post::file_name(uri.path()).unwrap_or_default();
        tracing::warn!(name = redact::name(&name), "a file did not come in time");
        ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "the file did not arrive within 60 s; send it again",
        )
    })?
}

async fn collect(mut body: Body) -> Result<Content, ApiError> {
    let mut bytes = Vec::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| ApiError::bad_request("bad_body", "the file broke off; send it again"))?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers say nothing to us
        };
        size += data.len();
        if size > READ_MAX_BYTES {
            return Err(ApiError::too_large(
                "a file of drops has at most 1 MiB; this one was not read to its end",
            ));
        }
        if size <= FILE_MAX_BYTES {
            bytes.extend_from_slice(&data);
        } else {
            let rest = HEAD_BYTES.saturating_sub(bytes.len()).min(data.len());
            bytes.extend_from_slice(&data[..rest]);
            bytes.truncate(HEAD_BYTES);
        }
    }
    Ok(if size > FILE_MAX_BYTES {
        Content::TooLarge {
            size_bytes: size as u64,
            head: bytes,
        }
    } else {
        Content::Whole(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_too_large_is_read_to_its_end_and_not_held() {
        let Ok(Content::TooLarge { size_bytes, head }) =
            collect(Body::from(vec![b'x'; 40_000_000])).await
        else {
            panic!("40 MB are too large");
        };
        assert_eq!((size_bytes, head.len()), (40_000_000, HEAD_BYTES));
        let whole = collect(Body::from(vec![b'x'; FILE_MAX_BYTES])).await;
        assert!(matches!(whole, Ok(Content::Whole(bytes)) if bytes.len() == FILE_MAX_BYTES));
        let endless = collect(Body::from(vec![b'x'; READ_MAX_BYTES + 1])).await;
        assert_eq!(endless.unwrap_err().code(), "too_large");
    }
}
