//! What differs between operating systems: how the process is told to stop, and how files are made
//! durable and readable. One module for each kind, with the same three functions.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{as_a_persons_file, stop_asked, sync_folder};

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
pub use other::{as_a_persons_file, stop_asked, sync_folder};

/// Why no window can be shown here, if that is so: asked beforehand, because the window library
/// would panic. Call it on the main thread.
pub fn no_display() -> Option<String> {
    #[cfg(target_os = "linux")]
    if gtk::init().is_err() {
        let name = |variable| {
            std::env::var(variable)
                .ok()
                .filter(|value| !value.is_empty())
        };
        let tried = name("WAYLAND_DISPLAY").or_else(|| name("DISPLAY"));
        let cause = match tried {
            Some(display) => format!("The display {display} cannot be used"),
            None => "There is no display (DISPLAY and WAYLAND_DISPLAY are not set)".to_owned(),
        };
        return Some(format!(
            "{cause}. Start vendlog from a desktop session, or run vendlog-server, which needs none."
        ));
    }
    None
}
