//! `GET /api/logs/export`: everything that a filter selects, streamed page by page, so that a million
//! entries need the memory of one page.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use store::{EntryQuery, Order, PageRequest};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::entry::Entry;
use super::query::{FilterParams, Pairs};
use super::text::Format;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Entries of one page; at 64 KiB each the most that is in memory at once stays below 20 MB.
const EXPORT_PAGE: usize = 250;
/// Pages that wait for a slow reader.
const PAGES_AHEAD: usize = 2;
/// A reader that takes nothing for so long is gone.
const READER_PATIENCE: Duration = Duration::from_secs(60);
/// How long one page may search; the export goes on with the next.
const PAGE_BUDGET: Duration = Duration::from_secs(5);

/// What to write.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct ExportParams {
    /// `csv`, `ndjson` or `txt`.
    pub format: String,
    /// `asc` (oldest first, the default) or `desc`.
    pub order: Option<String>,
}

/// Everything that the filters of `GET /api/logs` select, as a file.
#[utoipa::path(get, path = "/api/logs/export", tag = "logs", params(FilterParams, ExportParams),
    responses(
        (status = 200, description = "the file, streamed; it is whole when the stream ends well",
         content_type = "text/plain", body = String),
        (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
    ))]
pub async fn export(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let query = pairs.entry_query()?;
    let format = pairs.one("format")?;
    let order = pairs.order(Order::Asc)?;
    pairs.finish()?;
    let format = format.as_deref().and_then(Format::named).ok_or_else(|| {
        ApiError::bad_request(
            "bad_parameter",
            "parameter \"format\" must be csv, ndjson or txt",
        )
    })?;
    let mut pages = Pages {
        app,
        query,
        order,
        cursor: None,
    };
    // The first page is read before the answer starts, so that a failure still has a status.
    let (first, more) = pages.next(format).await?;
    let body = format.head().to_owned() + &first;
    let body = if more {
        pages.stream(body, format)
    } else {
        Body::from(body)
    };
    let stamp = clock::now()
        .to_timestamp()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string();
    let file = format!(
        "attachment; filename=\"vendlog-{stamp}.{}\"",
        format.extension()
    );
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, file),
    ];
    Ok((headers, body).into_response())
}

struct Pages {
    app: Shared,
    query: EntryQuery,
    order: Order,
    cursor: Option<String>,
}

impl Pages {
    /// The next page as text, and whether there are more.
    async fn next(&mut self, format: Format) -> Result<(String, bool), ApiError> {
        let request = PageRequest {
            order: self.order,
            limit: EXPORT_PAGE,
            cursor: self.cursor.take(),
            budget: PAGE_BUDGET,
        };
        let query = self.query.clone();
        let page = self
            .app
            .with_store(move |store| store.page(&query, &request))
            .await?;
        let mut text = String::new();
        for entry in page.entries {
            format.write(&Entry::from(entry), &mut text);
        }
        self.cursor = page.next;
        Ok((text, self.cursor.is_some()))
    }

    /// The first text and every further page, as a body that breaks off when a page fails: the
    /// reader then knows that its file is not whole.
    fn stream(mut self, first: String, format: Format) -> Body {
        let (pages, reader) = mpsc::channel::<Result<Bytes, io::Error>>(PAGES_AHEAD);
        tokio::spawn(async move {
            let mut text = first;
            loop {
                let sent = pages
                    .send_timeout(Ok(Bytes::from(text)), READER_PATIENCE)
                    .await;
                if sent.is_err() {
                    return;
                }
                if self.cursor.is_none() {
                    return;
                }
                text = match self.next(format).await {
                    Ok((text, _)) => text,
                    Err(error) => {
                        let broken = io::Error::other(error.message().to_owned());
                        let _ = pages.send_timeout(Err(broken), READER_PATIENCE).await;
                        return;
                    }
                };
            }
        });
        Body::from_stream(ReceiverStream::new(reader))
    }
}
