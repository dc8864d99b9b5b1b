//! Alerts as the server runs them. What they mean is judged in the crate of this name, inside the store's
//! transactions; here machines are described to it and what changed is told.

pub mod machines_now;
pub mod trial;

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
    let events = app.events.clone();
    app.store.alerts().on_change(move |changed| {
        for alert in &changed.alerts {
            events.publish(Event::Alert(alert.into()));
        }
    });
}
