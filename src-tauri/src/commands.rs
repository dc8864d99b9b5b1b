//! What the page may call. Every command only translates; the work is done in `desktop` and below.
//!
//! The page's side of it is `ui/src/lib/api/`:
//!
//! ```text
//! invoke("api", { method: "GET", path: "/api/machines?x=y", headers: {…}, body: null | "text",
//!                  bytes: null | [numbers], instead of body for what is no text })
//!     -> ArrayBuffer: head length (u32, big endian) | head (JSON, UTF-8) | body (raw bytes)
//!        head = {"status": 200, "headers": {"content-type": "application/json", …}}
//! invoke("subscribe", { channel, after: null | "<last id>" }) -> subscription id (number);
//!     the channel gets {"id": string | null, "event": string, "data": any}: the events of
//!     /api/live, and {"id": null, "event": "navigate", "data": {"path": "/machines/VM001"}}
//! invoke("unsubscribe", { id })
//! invoke("export", { query: "machine=VM001&level=WARN", format: "csv"|"ndjson"|"txt", onProgress })
//!     -> {"path", "entries", "bytes"}, or null when the person cancelled;
//!     the channel gets {"entries", "bytes"} a few times a second
//! invoke("cancel_export") -> true when an export was running
//! ```
//!
//! A rejected promise carries `{"code", "message"}`, as HTTP errors do.

use std::sync::Arc;

use tauri::ipc::{Channel, Response};
use tauri::{AppHandle, State};

use crate::api::Call;
use crate::desktop::Desktop;
use crate::export::{Format, Progress, Saved};
use crate::live::Message;
use crate::problem::Problem;

/// One request to central's router.
#[tauri::command(rename_all = "camelCase")]
pub async fn api(
    desktop: State<'_, Arc<Desktop>>,
    method: String,
    path: String,
    headers: Option<std::collections::HashMap<String, String>>,
    body: Option<String>,
    bytes: Option<Vec<u8>>,
) -> Result<Response, Problem> {
    let call = Call {
        method,
        path,
        headers: headers.unwrap_or_default(),
        body: bytes.or(body.map(String::into_bytes)),
    };
    Ok(Response::new(call.answer(desktop.router()).await?))
}

/// Begins sending live events to `channel`, from after the event `after` when it is still known.
#[tauri::command]
pub async fn subscribe(
    desktop: State<'_, Arc<Desktop>>,
    channel: Channel<Message>,
    after: Option<String>,
) -> Result<u32, Problem> {
    desktop.subscribe(channel, after)
}

/// Ends one subscription. An unknown id is no error: the page may have been replaced meanwhile.
#[tauri::command]
pub fn unsubscribe(desktop: State<'_, Arc<Desktop>>, id: u32) {
    desktop.live().end(id);
}

/// Asks for a file name and writes the found entries there.
#[tauri::command(rename_all = "camelCase")]
pub async fn export(
    app: AppHandle,
    desktop: State<'_, Arc<Desktop>>,
    query: String,
    format: Format,
    on_progress: Channel<Progress>,
) -> Result<Option<Saved>, Problem> {
    desktop.export(&app, &query, format, on_progress).await
}

/// Stops the running export and removes what it had written.
#[tauri::command]
pub fn cancel_export(desktop: State<'_, Arc<Desktop>>) -> bool {
    desktop.cancel_export()
}
