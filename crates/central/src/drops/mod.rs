//! Drops on their way in: whichever source brings a file, one intake unpacks it, reads what is in
//! it, finds its machine, takes card numbers out, and stores it, or puts it into quarantine with the
//! reason. Fetching is the crate `drops`; what a drop says is `wire::drops`.

pub mod dictionaries;
mod identify;
pub mod intake;
pub mod quarantine;
mod read;
pub mod redact;
pub mod sources;
pub mod train;

use wire::Micros;

/// A file as a source brought it.
#[derive(Debug, Clone)]
pub struct RawFile {
    /// The id of the source, or a word for what is none (`api`).
    pub source: String,
    /// Whether the source is a mailbox, in which mails that are no drops are nothing to tell.
    pub is_mailbox: bool,
    /// Its name there: no more than a hint.
    pub name: String,
    /// Its bytes.
    pub content: Content,
    /// Arrival, by our clock; the year of bare lines is told from it.
    pub at: Micros,
}

/// The bytes of a file, as far as there are any.
#[derive(Debug, Clone)]
pub enum Content {
    /// All of them.
    Whole(Vec<u8>),
    /// It is too large to be looked at.
    TooLarge {
        /// Its size.
        size_bytes: u64,
        /// How it begins, as far as it was read.
        head: Vec<u8>,
    },
}

/// What became of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Drops that were stored now.
    pub drops: u64,
    /// Drops that had come before.
    pub repeats: u64,
    /// Parts that went to quarantine.
    pub quarantined: u64,
    /// Parts that are no drops and were passed over: mails about other things, footers.
    pub skipped: u64,
}
