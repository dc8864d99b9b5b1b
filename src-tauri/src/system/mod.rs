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

/// Why no window can be shown here, when that is known beforehand: the window library would only
/// panic.
pub fn no_display() -> Option<&'static str> {
    let unset = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    (cfg!(target_os = "linux") && unset("DISPLAY") && unset("WAYLAND_DISPLAY")).then_some(
        "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). Start vendlog from a \
         desktop session, or run vendlog-server, which needs none.",
    )
}
