//! Native notifications of alerts. What is worth one (`worth`) and what it says (`words`) is pure; how
//! the system shows it is one module for each kind of system, each with the same `deliver` and
//! `registered`.

mod words;
mod worth;

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

use serde::Deserialize;
use tokio::sync::mpsc;

use crate::desktop::Desktop;
use words::Notice;
use worth::{Told, View};

/// Notices waiting to be shown. Alerts of many machines are grouped; what does not fit here would only
/// bury the screen.
const QUEUE: usize = 64;

/// Watches central's events for as long as it runs and shows what is worth showing.
pub async fn watch(app: tauri::AppHandle, desktop: Arc<Desktop>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let shown = tauri::async_runtime::spawn(deliver(app, Arc::clone(&desktop), receiver));
    let Ok(mut events) = desktop.events(None) else {
        return;
    };
    let mut told = Told::default();
    while let Some(message) = events.next().await {
        let Some(alert) = firing(message.event, &message.data) else {
            continue;
        };
        if told.has(alert) {
            continue;
        }
        let Some(view) = look_at(&desktop, alert).await else {
            continue;
        };
        if !worth::is_told(&view, view.rule.as_ref()) {
            continue;
        }
        told.add(alert);
        if sender.try_send(Notice::of_alert(&view)).is_err() {
            tracing::warn!(alert, "a notification was dropped: too many are waiting");
        }
    }
    drop(sender);
    let _ = shown.await;
}

/// What a notification needs of a change.
#[derive(Deserialize)]
struct Changed {
    alert_id: u64,
    phase: String,
    severity: String,
}

/// The alert in an `alert` event that says that it fires, and that is more than to be known.
fn firing(event: &str, data: &str) -> Option<u64> {
    if event != "alert" {
        return None;
    }
    let changed: Changed = serde_json::from_str(data)
        .inspect_err(|error| tracing::warn!(%error, "an alert's event could not be read"))
        .ok()?;
    (changed.phase == "firing" && changed.severity != "info").then_some(changed.alert_id)
}

/// The alert with its rule, as the page would see them.
async fn look_at(desktop: &Desktop, alert: u64) -> Option<View> {
    let whole = desktop.ask("GET", &format!("/api/alerts/{alert}")).await?;
    let mut view: View = serde_json::from_value(whole.get("alert")?.clone()).ok()?;
    let rules = desktop.ask("GET", "/api/alerts/rules").await?;
    let mut rules = rules.get("rules")?.as_array()?.iter();
    let rule = rules.find(|rule| rule["id"] == view.rule_id.as_str());
    view.rule = rule.cloned();
    Some(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_fires_is_read_and_others_are_passed_over() {
        let event = |phase: &str, severity: &str| {
            let data = format!(
                r#"{{"alert_id":7,"phase":"{phase}","severity":"{severity}","machine_id":null,
                "alert_type":"Down"}}"#
            );
            firing("alert", &data)
        };
        assert_eq!(event("firing", "critical"), Some(7));
        assert_eq!(event("firing", "warning"), Some(7));
        assert_eq!(event("firing", "info"), None);
        assert_eq!(event("acknowledged", "critical"), None);
        assert_eq!(firing("entries", "{}"), None);
        assert_eq!(firing("alert", "{}"), None);
    }
}
