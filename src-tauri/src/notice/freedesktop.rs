//! Linux: speaks to `org.freedesktop.Notifications` itself, because a click on the notification must
//! come back to the window (the plugin reports it only for notifications with buttons).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tauri::{AppHandle, Builder, Wry};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use zbus::zvariant::{Structure, Value};

use super::words::Notice;
use crate::desktop::Desktop;

/// Notifications whose click is still understood; older ones are far down in the system's list.
const MAX_REMEMBERED: usize = 256;

/// What a click on the notification itself is called.
const CLICK: &str = "default";
/// Its buttons.
const OPEN: &str = "open";
const ACKNOWLEDGE: &str = "acknowledge";

/// The urgency at which a notification stays until somebody has seen it.
const URGENCY_CRITICAL: u8 = 2;

/// Let the notification server choose how long it stays.
const SERVER_DECIDES: i32 = -1;

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[allow(
        clippy::too_many_arguments,
        reason = "the interface is the specification's"
    )]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout_ms: i32,
    ) -> zbus::Result<u32>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
}

/// The app with what notifications need of it: nothing, the bus is asked directly.
pub fn registered(builder: Builder<Wry>) -> Builder<Wry> {
    builder
}

/// Shows notices until the sender is gone. A desktop without a notification service costs the
/// notices and nothing else: the window shows the entries all the same.
pub async fn deliver(app: AppHandle, desktop: Arc<Desktop>, mut notices: mpsc::Receiver<Notice>) {
    let mut unshown = None;
    loop {
        let (notice, is_second_try) = match unshown.take() {
            Some(notice) => (notice, true),
            None => match notices.recv().await {
                Some(notice) => (notice, false),
                None => return,
            },
        };
        match Session::open().await {
            Ok(session) => unshown = session.run(&app, &desktop, notice, &mut notices).await,
            Err(error) => tracing::warn!(%error, "no notification service on the session bus"),
        }
        if is_second_try {
            unshown = None;
        }
    }
}

/// A connection to the notification service, with the clicks it reports.
struct Session {
    service: NotificationsProxy<'static>,
    clicks: ActionInvokedStream,
    takes_markup: bool,
}

impl Session {
    async fn open() -> zbus::Result<Self> {
        let connection = zbus::Connection::session().await?;
        let service = NotificationsProxy::new(&connection).await?;
        let clicks = service.receive_action_invoked().await?;
        let capabilities = service.get_capabilities().await?;
        let takes_markup = capabilities.iter().any(|name| name == "body-markup");
        Ok(Self {
            service,
            clicks,
            takes_markup,
        })
    }

    /// Shows `first` and what follows. Notices and clicks are taken by one loop, so that a click is
    /// never looked at before the number of its notification is known. Answers the notice that could
    /// not be shown, when that was the end.
    async fn run(
        mut self,
        app: &AppHandle,
        desktop: &Desktop,
        first: Notice,
        notices: &mut mpsc::Receiver<Notice>,
    ) -> Option<Notice> {
        let mut shown = Shown::default();
        let mut next = Some(first);
        loop {
            if let Some(notice) = next.take() {
                match self.show(&notice).await {
                    Ok(id) => shown.remember(id, notice.alert),
                    Err(error) => {
                        tracing::warn!(%error, "a notification was not shown");
                        return Some(notice);
                    }
                }
            }
            tokio::select! {
                notice = notices.recv() => next = Some(notice?),
                click = self.clicks.next() => {
                    let click = click?;
                    let Ok(click) = click.args() else { continue };
                    match (click.action_key().as_str(), shown.alert(*click.id())) {
                        (CLICK | OPEN, Some(alert)) => desktop.open_alert(app, alert),
                        (ACKNOWLEDGE, Some(alert)) => desktop.acknowledge(app, alert).await,
                        _ => {}
                    }
                }
            }
        }
    }

    async fn show(&self, notice: &Notice) -> zbus::Result<u32> {
        let body = if self.takes_markup {
            as_markup(&notice.body)
        } else {
            notice.body.clone()
        };
        let hints = HashMap::from([
            ("urgency", Value::U8(URGENCY_CRITICAL)),
            ("desktop-entry", Value::from("vendlog")),
            ("image-data", icon()),
        ]);
        let actions = [CLICK, "Open", ACKNOWLEDGE, "Acknowledge", OPEN, "Open"];
        let title = &notice.title;
        self.service
            .notify(
                "Vendlog",
                0,
                "",
                title,
                &body,
                &actions,
                hints,
                SERVER_DECIDES,
            )
            .await
    }
}

/// The text for a server that reads the body as markup.
fn as_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The icon as the specification's `image-data`: width, height, bytes a row, alpha, bits a sample,
/// samples a pixel, pixels.
fn icon() -> Value<'static> {
    let image = tauri::include_image!("../icons/128x128.png");
    let (width, height) = (image.width() as i32, image.height() as i32);
    Value::from(Structure::from((
        width,
        height,
        width * 4,
        true,
        8,
        4,
        image.rgba().to_vec(),
    )))
}

/// Which alert each shown notification is about, oldest first.
#[derive(Default)]
struct Shown {
    alerts: VecDeque<(u32, u64)>,
}

impl Shown {
    fn remember(&mut self, id: u32, alert: u64) {
        self.alerts.retain(|(known, _)| *known != id);
        if self.alerts.len() == MAX_REMEMBERED {
            self.alerts.pop_front();
        }
        self.alerts.push_back((id, alert));
    }

    fn alert(&self, id: u32) -> Option<u64> {
        let found = self.alerts.iter().find(|(known, _)| *known == id);
        found.map(|(_, alert)| *alert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_finds_its_alert_and_old_ones_are_forgotten() {
        let mut shown = Shown::default();
        for id in 0..300 {
            shown.remember(id, u64::from(id));
        }
        shown.remember(299, 1_000);
        assert_eq!(shown.alert(0), None);
        assert_eq!(shown.alert(299), Some(1_000));
        assert_eq!(shown.alerts.len(), MAX_REMEMBERED);
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(
            as_markup("<a href=\"x\">&</a>"),
            "&lt;a href=\"x\"&gt;&amp;&lt;/a&gt;"
        );
    }

    #[test]
    fn the_icon_is_a_whole_picture() {
        let Value::Structure(picture) = icon() else {
            panic!("a structure")
        };
        assert_eq!(picture.signature().to_string(), "(iiibiiay)");
        let Some(Value::Array(pixels)) = picture.fields().last() else {
            panic!("pixels")
        };
        assert_eq!(pixels.len(), 128 * 128 * 4);
    }
}
