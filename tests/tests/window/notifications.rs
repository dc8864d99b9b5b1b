//! A notification service for the desk's bus: remembers what is shown, and clicks on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

const PATH: &str = "/org/freedesktop/Notifications";

/// One notification as the service was given it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its number.
    pub id: u32,
    /// First line.
    pub title: String,
    /// The rest, as markup.
    pub body: String,
    /// Keys and labels in turn.
    pub actions: Vec<String>,
    /// The hint of that name.
    pub urgency: Option<u8>,
}

#[derive(Default)]
struct Service {
    shown: Arc<Mutex<Vec<Shown>>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body", "body-markup"]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("the test's desk", "vendlog", "1", "1.2")
    }

    fn close_notification(&self, _id: u32) {}

    #[allow(
        clippy::too_many_arguments,
        reason = "the interface is the specification's"
    )]
    fn notify(
        &self,
        _app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expire_timeout_ms: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().expect("lock");
        let id = shown.len() as u32 + 1;
        let urgency = hints
            .get("urgency")
            .and_then(|value| u8::try_from(value).ok());
        shown.push(Shown {
            id,
            title,
            body,
            actions,
            urgency,
        });
        id
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action_key: &str,
    ) -> zbus::Result<()>;
}

/// The service on the bus.
pub struct Notifications {
    connection: zbus::Connection,
    shown: Arc<Mutex<Vec<Shown>>>,
}

impl Notifications {
    /// Puts the service on the bus.
    pub async fn on_bus(address: &str) -> anyhow::Result<Self> {
        let service = Service::default();
        let shown = Arc::clone(&service.shown);
        let connection = zbus::connection::Builder::address(address)?
            .name("org.freedesktop.Notifications")?
            .serve_at(PATH, service)?
            .build()
            .await?;
        Ok(Self { connection, shown })
    }

    /// What was shown so far.
    pub fn shown(&self) -> Vec<Shown> {
        self.shown.lock().expect("lock").clone()
    }

    /// Waits for the first notification.
    pub async fn first(&self, within: Duration) -> anyhow::Result<Shown> {
        let began = Instant::now();
        while began.elapsed() < within {
            if let Some(shown) = self.shown().first() {
                return Ok(shown.clone());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("no notification within {within:?}")
    }

    /// Clicks on a notification: `default` is the notification itself, else one of its buttons.
    pub async fn click(&self, id: u32, action: &str) -> anyhow::Result<()> {
        let emitter = SignalEmitter::new(&self.connection, PATH)?;
        Service::action_invoked(&emitter, id, action).await?;
        Ok(())
    }
}
