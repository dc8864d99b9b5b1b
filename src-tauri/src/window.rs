//! The one window: its size, what it may load, and bringing it to the front.

use std::sync::Arc;

use tauri::plugin::TauriPlugin;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};
use tauri_plugin_window_state::StateFlags;

use crate::desktop::Desktop;

/// The window's name for Tauri; `capabilities/main.json` names it too.
pub const LABEL: &str = "main";

/// Fifteen machines or thirty log lines without scrolling.
const SIZE: (f64, f64) = (1280.0, 800.0);

/// Below this the log list is no list any more.
const MIN_SIZE: (f64, f64) = (720.0, 480.0);

/// The plugin that keeps size and place between starts. Not whether the window was visible: that is
/// `--hidden`'s to say.
pub fn remembering() -> TauriPlugin<Wry> {
    let kept =
        StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    tauri_plugin_window_state::Builder::default()
        .with_state_flags(kept)
        .build()
}

/// Opens the window; the page's subscriptions end with the page.
pub fn open(app: &AppHandle, desktop: &Arc<Desktop>, hidden: bool) -> tauri::Result<WebviewWindow> {
    let desktop = Arc::clone(desktop);
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("Vendlog")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        .visible(!hidden)
        .on_navigation(is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(move |_, load| {
            if load.event() == PageLoadEvent::Started {
                desktop.page_went();
            }
        })
        .build()
}

/// The window, unless it is not open yet or was closed.
pub fn find(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(LABEL)
}

/// Brings the window to the front, wherever it was.
pub fn show(app: &AppHandle) {
    let Some(window) = find(app) else { return };
    let shown = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be brought to the front");
    }
}

/// Only the embedded page is ever shown: `tauri://localhost`, on Windows `http://tauri.localhost`.
fn is_own_page(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) => true,
        ("http" | "https", Some("tauri.localhost")) => cfg!(windows),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_embedded_page_is_shown() {
        let own = |url: &str| is_own_page(&url.parse().expect("a URL"));
        assert!(own("tauri://localhost/machines/VM001?level=WARN"));
        assert!(!own("https://example.org/"));
        assert!(!own("file:///etc/passwd"));
        assert!(!own("data:text/html,hello"));
        assert!(!own("tauri://elsewhere/"));
    }
}
