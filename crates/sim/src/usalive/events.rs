//! What is said of each upload on standard output, one JSON object a line: the truth that a test
//! holds the product against.

use std::io::Write;

use anyhow::{Context, Result};
use serde::Serialize;

/// Something that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A way that has a test call was tried when we started.
    Tested {
        /// The way.
        way: &'a str,
        /// Whether it took the call.
        ok: bool,
        /// Why not.
        reason: Option<String>,
    },
    /// A file is there.
    Uploaded {
        /// Its name.
        name: &'a str,
        /// Its size.
        size_bytes: usize,
    },
    /// It is never forwarded.
    Lost {
        /// Its name.
        name: &'a str,
    },
    /// A way took it.
    Delivered {
        /// Its name.
        name: &'a str,
        /// The way.
        way: &'a str,
        /// What it was called there.
        called: &'a str,
        /// Whether that way had it before.
        again: bool,
    },
    /// A way did not take it; it is not tried again.
    Failed {
        /// Its name.
        name: &'a str,
        /// The way.
        way: &'a str,
        /// Why.
        reason: String,
    },
    /// Everything, at the end.
    Total(Total),
}

/// How many uploads had which fate: `uploaded` is `lost`, `failed` and `delivered` together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Files taken.
    pub uploaded: u64,
    /// Never forwarded, on purpose.
    pub lost: u64,
    /// Forwarded, and no way took it.
    pub failed: u64,
    /// Taken by at least one way.
    pub delivered: u64,
    /// Of these, taken more than once.
    pub doubled: u64,
    /// Deliveries that were taken.
    pub copies: u64,
}

impl<'a> Event<'a> {
    pub(super) fn tested(way: &'a str, outcome: Result<()>) -> Event<'a> {
        Event::Tested {
            way,
            ok: outcome.is_ok(),
            reason: outcome.err().map(|error| format!("{error:#}")),
        }
    }
}

/// Prints it at once.
///
/// # Errors
/// Standard output is closed.
pub fn print(event: &Event<'_>) -> Result<()> {
    let line = serde_json::to_string(event)?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .context("cannot print")
}
