//! Every bound of fetching, each with its reason.

use std::time::Duration;

/// Largest file that is downloaded, in bytes. A drop has 900; a zip or a mail around a day of a
/// fleet's drops stays far below this, and anything larger was put there by mistake.
pub const FILE_BYTES: u64 = 1024 * 1024;

/// Most that is unpacked from one file, in bytes, all of its parts together.
pub const UNPACKED_BYTES: usize = 8 * 1024 * 1024;

/// Most parts of one file: a zip of a fleet's hourly drops has hundreds.
pub const PARTS: usize = 2_000;

/// Largest compression ratio that is believed. Text drops reach 20; a bomb has 1,000.
pub const RATIO: u64 = 200;

/// Most that is read of a folder's listing, in bytes: 100,000 names of 80 characters.
pub const LISTING_BYTES: u64 = 8 * 1024 * 1024;

/// Most files or mails that one poll takes, oldest first; the next poll goes on. It keeps a poll
/// of a folder that has waited for months within minutes.
pub const TAKEN_A_POLL: usize = 5_000;

/// A file whose size and time stay the same for this long is no longer being written. USALive
/// writes a drop in one go; a person's upload over a bad link stalls, which the second look after
/// the download catches.
pub const SETTLE: Duration = Duration::from_secs(2);

/// A whole poll: a source must not hold its place for ever by answering slowly.
pub const POLL: Duration = Duration::from_secs(15 * 60);

/// IDLE is asked for again after so long, before servers end it: RFC 2177 says 29 minutes at most.
/// What [`crate::wait_for_new`] is given for every real server.
pub const IDLE_AGAIN: Duration = Duration::from_secs(28 * 60);

/// Default of a source's `interval_s`: the 60 s.
pub const INTERVAL_S: u32 = 60;

/// Shortest interval: below it a source's server takes us for an attack.
pub const INTERVAL_LEAST_S: u32 = 10;

/// Default of a source's `timeout_s`: one step (connect, sign in, list, one file of
/// [`FILE_BYTES`]) takes longer only when it will not end at all.
pub const TIMEOUT_S: u32 = 20;

/// Longest `timeout_s`.
pub const TIMEOUT_MOST_S: u32 = 300;

/// Troubles of single files that one poll reports by name; the rest is counted.
pub const TROUBLES_NAMED: usize = 10;

/// Names that a test shows.
pub const SAMPLE: usize = 10;

/// Longest name that is handed on, in characters; longer ones are cut.
pub const NAME_CHARS: usize = 200;
