//! `[clock]`: who says that the machine's clock is set, and what is done until then.

use std::path::PathBuf;

use toml::Spanned;

use super::values::bounded;
use super::{Mistakes, raw};

/// A time daemon that finds its network sets the clock in seconds; who waits longer for entries
/// than this would rather have them as they are.
pub const WAIT_S: u64 = 120;
/// Beyond an hour a machine without a time source would seem to be silent.
pub const WAIT_MAX_S: u64 = 3600;

/// How the machine's clock is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The clock is set when this file is there; else when the kernel says so.
    pub synced_file: Option<PathBuf>,
    /// Whether times are repaired by the server's clock where no time source sets this one.
    pub server_time: bool,
    /// For so many seconds after boot, or after the network came back, entries that are not sent
    /// at once wait for the clock to be set.
    pub wait_s: u64,
}

pub(super) fn build_clock(clock: Option<raw::Clock>, mistakes: &mut Mistakes) -> Clock {
    let (synced_file, server_time, wait_s) = match clock {
        Some(clock) => (clock.synced_file, clock.server_time, clock.wait_s),
        None => (None, None, None),
    };
    if let Some(path) = synced_file
        .as_ref()
        .filter(|path| !path.get_ref().is_absolute())
    {
        mistakes.at(
            &path.span(),
            "clock.synced_file must be a whole path, such as /run/systemd/timesync/synchronized",
        );
    }
    Clock {
        synced_file: synced_file.map(Spanned::into_inner),
        server_time: server_time.unwrap_or(true),
        wait_s: bounded(wait_s, WAIT_S, 0..=WAIT_MAX_S, "clock.wait_s", mistakes),
    }
}
