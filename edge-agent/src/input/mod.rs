//! What the agent reads: followed files, the systemd journal, sockets. What an input found goes to
//! the pipeline as events; nothing here assembles or writes.

mod chain;
mod content;
mod event;
mod file;
pub mod identity;
mod journal;
pub mod lines;
pub mod listen;
mod locate;
mod loss;
pub mod socket;
pub mod syslog;
pub mod watch;

use std::time::Duration;

pub use event::{Gap, InputEvent};
pub use file::FileInput;
pub use identity::{At, Origin, Place};
pub use journal::JournalInput;
pub use lines::Line;

/// When to step an input again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more to read.
    Now,
    /// After this time, though nothing may change.
    After(Duration),
    /// When it changes, or says so by a wake.
    OnChange,
}
