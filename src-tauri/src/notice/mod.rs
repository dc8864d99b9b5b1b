//! Native notifications on CRITICAL. What is worth one (`gate`) and what it says (`words`) is pure;
//! how the system shows it is one module for each kind of system, each with the same `deliver`.

mod gate;
mod words;

#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(target_os = "linux")]
use freedesktop::deliver;

#[cfg(not(target_os = "linux"))]
mod plugin;
#[cfg(not(target_os = "linux"))]
use plugin::deliver;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use crate::desktop::Desktop;
use gate::Gate;
use words::Notice;

/// Notices waiting to be shown. The gate lets one through a machine in ten minutes; when a whole
/// fleet fails at once, what does not fit here would only bury the screen.
const QUEUE: usize = 64;

/// Watches central's events for as long as it runs and shows what is worth showing.
pub async fn watch(app: tauri::AppHandle, desktop: Arc<Desktop>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let shown = tauri::async_runtime::spawn(deliver(app, Arc::clone(&desktop), receiver));
    let Ok(mut events) = desktop.events(None) else {
        return;
    };
    let mut gate = Gate::default();
    while let Some(event) = events.next().await {
        let Some(entry) = event.critical() else {
            continue;
        };
        let machine = &entry.machine_id;
        if gate.admits(machine, entry.filed_at, now_us()) {
            let notice = Notice::of_critical(machine, &entry.component, &entry.message);
            if sender.try_send(notice).is_err() {
                tracing::warn!(machine, "a notification was dropped: too many are waiting");
            }
        }
    }
    drop(sender);
    let _ = shown.await;
}

/// Microseconds since 1970; a clock before that counts as 1970.
fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
