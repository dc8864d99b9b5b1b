//! `mode = "serial"`: the agent owns the reader's port and brings each drop to it. On a thread of its
//! own; the protocol is the crate `eport`. **Uploads have been tested on a simulator only.**
//!
//! The port is open only for a short window: when there is something to send, and about hourly for
//! what the reader knows of itself. A sale always wins: nothing is sent but to an idle reader, another
//! program that opens the port gets it within 300 ms, and nothing of ours keeps it from opening it.

mod driver;
pub(crate) mod holders;
mod port;
mod session;
mod watch;

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

pub use driver::{Driver, SerialSetup};

use super::Outbox;

/// The thread has a shallow stack; the default of 2 MB is address space, but not free.
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// Starts the driver; it ends when the outbox is closed.
///
/// # Errors
/// There is no thread to be had.
pub fn spawn(outbox: Arc<Outbox>, setup: SerialSetup) -> io::Result<JoinHandle<()>> {
    let driver = Driver::new(outbox, setup);
    Builder::new()
        .name("reader".to_owned())
        .stack_size(THREAD_STACK_BYTES)
        .spawn(move || driver.run())
}
