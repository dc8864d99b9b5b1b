//! Native notifications on CRITICAL. What is worth one (`gate`) and what it says (`words`) is pure;
//! how the system shows it is one module for each kind of system, each with the same
//! `deliver` and `registered`.

mod gate;
mod words;

#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(target_os = "linux")]
use freedesktop::deliver;
#[cfg(target_os = "linux")]
pub use freedesktop::registered;

#[cfg(not(target_os = "linux"))]
mod plugin;
#[cfg(not(target_os = "linux"))]
use plugin::deliver;
#[cfg(not(target_os = "linux"))]
pub use plugin::registered;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
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
    while let Some(message) = events.next().await {
        let Some(entry) = critical(message.event, &message.data) else {
            continue;
        };
        if gate.admits(&entry.machine_id, entry.filed_at.as_microsecond(), now_us()) {
            let notice = Notice::of_critical(&entry.machine_id, &entry.component, &entry.message);
            if sender.try_send(notice).is_err() {
                let machine = entry.machine_id;
                tracing::warn!(machine, "a notification was dropped: too many are waiting");
            }
        }
    }
    drop(sender);
    let _ = shown.await;
}

/// What a notification needs of an entry.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Critical {
    machine_id: String,
    component: String,
    message: String,
    filed_at: Timestamp,
}

/// The entry in a `critical` event.
fn critical(event: &str, data: &str) -> Option<Critical> {
    if event != "critical" {
        return None;
    }
    serde_json::from_str(data)
        .inspect_err(|error| tracing::warn!(%error, "a critical event could not be read"))
        .ok()
}

/// Microseconds UTC.
fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_critical_event_is_read_and_others_are_passed_over() {
        let data = r#"{"id":"x","machine_id":"VM001","component":"motor","message":"Jam",
            "filed_at":"2026-01-22T05:58:03.250Z","context":{}}"#;
        let entry = critical("critical", data).expect("an entry");
        assert_eq!(entry.machine_id, "VM001");
        assert_eq!(entry.filed_at.as_microsecond(), 1_769_061_483_250_000);
        assert_eq!(critical("entries", data), None);
        assert_eq!(critical("critical", "{}"), None);
    }
}
