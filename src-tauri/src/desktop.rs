//! The one controller: central in this process, and what the page has going with it. Commands and
//! notifications go through here; what is shown where is `window`'s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use central::Running;
use central::events::Subscription;
use serde_json::Value;
use tauri::AppHandle;
use tauri::ipc::Channel;
use tauri_plugin_dialog::{DialogExt, FilePath};

use crate::api::{self, Call};
use crate::export::{self, Exports, Format, Progress, Saved};
use crate::live::{Live, Message};
use crate::problem::Problem;
use crate::window;

/// How long closing may take: requests in flight and the last group commit. After this the process
/// ends anyway; the store is made for it.
const DRAIN_WITHIN: Duration = Duration::from_secs(15);

/// How long a cancelled export may take to remove its temporary file, on a slow network drive.
const CLEAN_WITHIN: Duration = Duration::from_secs(5);

/// Everything that lives as long as the app.
pub struct Desktop {
    running: Mutex<Option<Running>>,
    router: Router,
    live: Live,
    exports: Exports,
}

impl Desktop {
    /// The controller over a central that has started.
    pub fn new(running: Running) -> Arc<Self> {
        Arc::new(Self {
            router: running.router(),
            running: Mutex::new(Some(running)),
            live: Live::default(),
            exports: Exports::default(),
        })
    }

    /// Central's router, for one request.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The page's subscriptions.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Central's live events, from after the event `after` when it is still known.
    ///
    /// # Errors
    /// `closing` once the app shuts down.
    pub fn events(&self, after: Option<&str>) -> Result<Subscription, Problem> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match &*running {
            Some(running) => Ok(running.events_after(after)),
            None => Err(Problem::new("closing", "Vendlog is closing.")),
        }
    }

    /// Begins a subscription of the page.
    pub fn subscribe(
        &self,
        channel: Channel<Message>,
        after: Option<String>,
    ) -> Result<u32, Problem> {
        let mut events = self.events(after.as_deref())?;
        self.live.begin(channel, |channel| {
            tauri::async_runtime::spawn(async move {
                while let Some(message) = events.next().await {
                    if channel.send(Message::of(message)).is_err() {
                        return;
                    }
                }
            })
        })
    }

    /// Asks for a file and exports to it; None when the person cancelled.
    pub async fn export(
        &self,
        app: &AppHandle,
        query: &str,
        format: Format,
        progress: Channel<Progress>,
    ) -> Result<Option<Saved>, Problem> {
        let turn = self.exports.begin()?;
        let work = async {
            let offer = export::offer(self.router(), query, format).await?;
            let Some(target) = ask_where(app, &offer.file_name, format).await else {
                return Ok(None);
            };
            offer.save(&target, format, progress).await.map(Some)
        };
        turn.unless_cancelled(work).await.unwrap_or(Ok(None))
    }

    /// Stops the running export; false when there is none.
    pub fn cancel_export(&self) -> bool {
        self.exports.cancel()
    }

    /// The page was closed, reloaded or replaced: what it had begun ends.
    pub fn page_went(&self) {
        self.live.end_all();
        self.exports.cancel();
    }

    /// Brings the window to the front with an alert open in it.
    pub fn open_alert(&self, app: &AppHandle, alert: u64) {
        self.live.navigate(&format!("/alerts?alert={alert}"));
        window::show(app);
    }

    /// Takes an alert in the name of who sits here. One that cannot be taken is opened instead: it may
    /// be over, and the page says so.
    pub async fn acknowledge(&self, app: &AppHandle, alert: u64) {
        let path = format!("/api/alerts/{alert}/acknowledge");
        if self.ask("POST", &path).await.is_none() {
            self.open_alert(app, alert);
        }
    }

    /// What central answers the window; `None` when it refuses or fails, which is logged.
    pub async fn ask(&self, method: &str, path: &str) -> Option<Value> {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        let call = Call {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: HashMap::from([json]),
            body: (method == "POST").then(|| b"{}".to_vec()),
        };
        let framed = call.answer(self.router()).await;
        let answer = framed.ok().and_then(|framed| api::unframed(&framed));
        let (status, body) = answer?;
        if status >= 300 {
            tracing::warn!(method, path, status, "a notification's request was refused");
            return None;
        }
        serde_json::from_slice(&body).ok()
    }

    /// Stops taking, drains, closes the store. The second call does nothing.
    pub async fn shut_down(&self) {
        self.page_went();
        self.exports.ended(CLEAN_WITHIN).await;
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(running) = running
            && tokio::time::timeout(DRAIN_WITHIN, running.shutdown())
                .await
                .is_err()
        {
            tracing::error!("closing took longer than {} s", DRAIN_WITHIN.as_secs());
        }
    }
}

/// The save dialog.
async fn ask_where(app: &AppHandle, name: &str, format: Format) -> Option<std::path::PathBuf> {
    let mut dialog = app
        .dialog()
        .file()
        .set_title("Export log entries")
        .set_file_name(name)
        .add_filter(format.title(), &[format.name()]);
    if let Some(window) = window::find(app) {
        dialog = dialog.set_parent(&window);
    }
    export::chosen(|answer| {
        dialog.save_file(move |chosen| {
            let path = chosen.and_then(|path: FilePath| path.into_path().ok());
            // Nobody waits any more when the export was cancelled meanwhile.
            let _ = answer.send(path);
        });
    })
    .await
}
