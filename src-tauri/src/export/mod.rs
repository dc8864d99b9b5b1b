//! Writing found entries to a file a person chose: the router's own export, streamed to a temporary
//! file beside the target and renamed when it is whole. Cancelled or failed, nothing is left.

mod count;
mod file;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use tauri::ipc::Channel;
use tokio::sync::{Notify, oneshot};
use tower::ServiceExt;

use crate::api::from_window;
use crate::problem::Problem;
use count::Counter;
use file::Writer;

/// How often the page hears of progress: often enough to look alive, seldom enough to cost nothing.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// How often to look whether a cancelled export has cleaned up.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// An error answer is one sentence; more than this is not ours.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// What the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated with a header line.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// As a log file reads.
    Txt,
}

impl Format {
    /// The format's name in the API, which is also the file's extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Txt => "txt",
        }
    }

    /// The format's name for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Csv => "Table (CSV)",
            Self::Ndjson => "JSON lines (NDJSON)",
            Self::Txt => "Plain text",
        }
    }
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Entries written so far.
    pub entries: u64,
    /// Bytes written so far.
    pub bytes: u64,
}

/// A finished export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// Where the file is.
    pub path: String,
    /// Entries in it.
    pub entries: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The one export that may run at a time, and the handle that stops it.
#[derive(Default)]
pub struct Exports {
    running: Mutex<Option<Arc<Notify>>>,
}

/// The right to export, given back when dropped.
pub struct Turn<'a> {
    exports: &'a Exports,
    cancelled: Arc<Notify>,
}

impl Exports {
    /// Takes the turn.
    ///
    /// # Errors
    /// `export_running` while another one has it.
    pub fn begin(&self) -> Result<Turn<'_>, Problem> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            let words = "An export is running already. Wait for it or cancel it.";
            return Err(Problem::new("export_running", words));
        }
        let cancelled = Arc::new(Notify::new());
        *running = Some(Arc::clone(&cancelled));
        Ok(Turn {
            exports: self,
            cancelled,
        })
    }

    /// Stops the running export; false when there is none.
    pub fn cancel(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .as_ref()
            .inspect(|cancelled| cancelled.notify_one())
            .is_some()
    }

    /// Waits until no export runs, and so none has a temporary file; not longer than `within`.
    pub async fn ended(&self, within: Duration) {
        let is_running = || {
            self.running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some()
        };
        let began = Instant::now();
        while is_running() && began.elapsed() < within {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Turn<'_> {
    /// Runs `work` until it is done or cancelled (None). What is dropped half-done must clean up
    /// after itself.
    pub async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.cancelled.notified() => None,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self
            .exports
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// An export that the router has agreed to.
pub struct Offer {
    router: Router,
    uri: String,
    /// The name that the router suggests for the file.
    pub file_name: String,
}

/// Asks the router whether it would export `query`, and under which name. A wrong filter is told
/// before the person is asked for a file name. The answer itself is not kept: a reader must not stay
/// open while somebody looks for a folder.
pub async fn offer(router: Router, query: &str, format: Format) -> Result<Offer, Problem> {
    let joint = if query.is_empty() { "" } else { "&" };
    let uri = format!("/api/logs/export?format={}{joint}{query}", format.name());
    let response = ask(&router, &uri).await?;
    let suggested = response
        .headers()
        .get(header::CONTENT_DISPOSITION)
        .and_then(|value| suggested_name(value.to_str().ok()?));
    let file_name = suggested.unwrap_or_else(|| format!("vendlog-logs.{}", format.name()));
    Ok(Offer {
        router,
        uri,
        file_name,
    })
}

impl Offer {
    /// Streams the export to `target`. The file appears whole or not at all; dropping the future
    /// removes what was written.
    pub async fn save(
        self,
        target: &Path,
        format: Format,
        progress: Channel<Progress>,
    ) -> Result<Saved, Problem> {
        let failed = |error: std::io::Error| {
            let words = format!("{} could not be written: {error}.", target.display());
            Problem::new("export_not_written", words)
        };
        let mut writer = Writer::beside(target).await.map_err(failed)?;
        let mut body = ask(&self.router, &self.uri).await?.into_body();
        let mut counter = Counter::new(format);
        let mut bytes = 0;
        let mut told = Instant::now();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                Problem::new(
                    "export_broken_off",
                    format!("The export broke off: {error}."),
                )
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            counter.take(&data);
            bytes += data.len() as u64;
            writer.write(data).await.map_err(failed)?;
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                // A page that no longer listens ends the export elsewhere.
                let _ = progress.send(Progress {
                    entries: counter.entries(),
                    bytes,
                });
            }
        }
        writer.finish().await.map_err(failed)?;
        let entries = counter.entries();
        let _ = progress.send(Progress { entries, bytes });
        Ok(Saved {
            path: target.display().to_string(),
            entries,
            bytes,
        })
    }
}

/// The router's answer to an export request, or its own words why not.
async fn ask(router: &Router, uri: &str) -> Result<Response<Body>, Problem> {
    let request = Request::get(uri).body(Body::empty()).map_err(|_| {
        Problem::new(
            "malformed_request",
            "The filters cannot be written as an address.",
        )
    })?;
    let response = match router.clone().oneshot(from_window(request)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let told = Limited::new(response.into_body(), MAX_ERROR_BYTES)
        .collect()
        .await
        .ok();
    let told = told.and_then(|body| serde_json::from_slice::<Told>(&body.to_bytes()).ok());
    Err(match told {
        Some(Told { code, message }) => Problem { code, message },
        None => Problem::new(
            "export_refused",
            format!("The export was refused ({status})."),
        ),
    })
}

/// An error answer of the router.
#[derive(Deserialize)]
struct Told {
    code: String,
    message: String,
}

/// The plain `filename` of a Content-Disposition; never a path.
fn suggested_name(disposition: &str) -> Option<String> {
    let (_, rest) = disposition.split_once("filename=")?;
    let name = rest.split(';').next()?.trim().trim_matches('"');
    let name = Path::new(name).file_name()?.to_str()?;
    (!name.is_empty() && !name.contains('\\')).then(|| name.to_owned())
}

/// Turns the dialog's callback into something to wait for: the path, or None when dismissed.
pub async fn chosen(ask: impl FnOnce(oneshot::Sender<Option<PathBuf>>)) -> Option<PathBuf> {
    let (answer, asked) = oneshot::channel();
    ask(answer);
    asked.await.ok().flatten()
}

#[cfg(test)]
mod tests;
