//! Alerts as the server runs them. What they mean is judged in the crate of this name, inside the store's
//! transactions; here machines are described to it, what changed is told to pages, and people are told.

pub mod deliver;
pub mod machines_now;
pub mod trial;

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::app::Shared;
use crate::events::Event;

/// What the alerts' routes share.
#[derive(Default)]
pub struct Alerting {
    /// Held from reading the configuration to writing it, so that of two changes none is lost.
    pub changing: Mutex<()>,
    /// Held while a rule is tried: one at a time, each takes seconds of a processor.
    pub trying: Mutex<()>,
}

/// Listens to what the store changes of alerts.
pub fn listen(app: &Shared) {
    // The store is in the app: holding the app here would keep both for ever.
    let app_again = Arc::downgrade(app);
    app.store.alerts().on_change(move |changed| {
        let Some(app) = app_again.upgrade() else {
            return;
        };
        if changed.messages > 0 {
            app.delivery.wake();
        }
        for alert in &changed.alerts {
            app.events.publish(Event::Alert(alert.into()));
        }
    });
}
