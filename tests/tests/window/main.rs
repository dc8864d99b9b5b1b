//! The real desktop app on a real X display: WebDriver at the page, xdotool at the dialogs, an own
//! session bus for the notifications.

mod chain;
mod desk;
mod driver;
mod fleet;
mod notifications;
mod start;
