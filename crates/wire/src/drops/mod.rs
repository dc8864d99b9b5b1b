//! Drops: what a machine says through its card reader, in printable ASCII of at most
//! [`DROP_MAX_BYTES`]. Text for people, dense when there is more to say; both without loss but for
//! the time, which is cut to a [`TimePrecision`]. Pure values: bytes in, values out.

pub mod dense;
pub mod dictionary;
mod error;
mod header;
mod pack;
mod read;
mod split;
pub mod text;

pub use dictionary::{Dictionary, DictionaryError, DictionaryId, DictionaryIdError};
pub use error::DropError;
pub use header::{Counts, Covers, DropHeader, TimePrecision};

pub use pack::{Candidate, Form, MadeDrop, MakeDrop, make, make_all};
pub use read::read;
pub use split::split;

use crate::{LogEntry, MachineId};

/// The reader's limit for a file: "up to 900 bytes, ASCII text".
pub const DROP_MAX_BYTES: usize = 900;

/// Added to the bytes of each drop for what the carrier counts beside them: a guess, for a TCP
/// connection of a few packets with 40 bytes of headers each.
pub const DROP_OVERHEAD_BYTES: u64 = 200;

/// An entry as a drop carries it. A drop of ours numbers every entry; one in the PRD's bare form
/// numbers none.
#[derive(Debug, Clone, PartialEq)]
pub struct DropEntry {
    /// The entry; its time cut to the drop's precision.
    pub entry: LogEntry,
    /// Shortened to fit; the whole one may come by another path.
    pub is_summary: bool,
}

/// What a drop said.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadDrop {
    /// Its machine, from the payload.
    pub machine: MachineId,
    /// Absent in the PRD's bare form.
    pub header: Option<DropHeader>,
    /// Its entries, in order of seq (bare: as they came).
    pub entries: Vec<DropEntry>,
    /// The form it was written in.
    pub form: ReadForm,
    /// Lines that begin as one of this machine and cannot be read; only of the bare form, which may
    /// end in the middle of a line.
    pub unread_lines: u32,
}

/// The forms a drop can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadForm {
    /// Our text, with its `drop` line.
    Text,
    /// Our dense form.
    Dense,
    /// Lines as the PRD has them, from a sender that does not number.
    Bare,
}
