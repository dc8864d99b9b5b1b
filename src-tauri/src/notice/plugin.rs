//! Windows and macOS: the notification plugin, which reports a click on a notification by its number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tauri::{AppHandle, Builder, Wry};
use tauri_plugin_notification::NotificationExt;
use tokio::sync::mpsc;

use super::words::Notice;
use crate::desktop::Desktop;

/// What the plugin calls a click on the notification itself.
const CLICK: &str = "tap";

/// Notifications whose click is still understood. Numbers go round after this many.
const MAX_REMEMBERED: i32 = 256;

/// The app with the plugin that shows notifications.
pub fn registered(builder: Builder<Wry>) -> Builder<Wry> {
    builder.plugin(tauri_plugin_notification::init())
}

/// Shows notices until the sender is gone.
pub async fn deliver(app: AppHandle, desktop: Arc<Desktop>, mut notices: mpsc::Receiver<Notice>) {
    let alerts = Arc::new(Mutex::new(HashMap::<i32, u64>::new()));
    let (clicked_app, clicked) = (app.clone(), Arc::clone(&alerts));
    let listening = app.notification().on_action(move |action| {
        let id = action.notification().map(|notification| notification.id());
        let alerts = clicked.lock().unwrap_or_else(PoisonError::into_inner);
        let alert = id.and_then(|id| alerts.get(&id));
        if let (CLICK, Some(alert)) = (action.action_id(), alert) {
            desktop.open_alert(&clicked_app, *alert);
        }
    });
    if let Err(error) = listening {
        tracing::warn!(%error, "clicks on notifications will not be noticed");
    }
    let mut id = 0;
    while let Some(notice) = notices.recv().await {
        id = id % MAX_REMEMBERED + 1;
        let builder = app
            .notification()
            .builder()
            .id(id)
            .title(&notice.title)
            .body(&notice.body);
        alerts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, notice.alert);
        if let Err(error) = builder.show() {
            tracing::warn!(%error, "a notification was not shown");
        }
    }
}
