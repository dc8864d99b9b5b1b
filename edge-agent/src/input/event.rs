//! What an input hands to the pipeline, in order. The inputs themselves are the files beside this.

use wire::{Level, Micros};

use crate::assemble::Record;
use crate::input::socket::Submission;
use crate::input::{At, Line};

/// What a step of an input found.
#[derive(Debug)]
pub enum InputEvent {
    /// What follows is from the beginning of a file.
    FileStarts,
    /// The file was emptied and is written anew: its application has started, as far as one can
    /// tell (Python's `FileHandler(mode="w")`). Comes behind `FileStarts`.
    Emptied,
    /// A line or piece that is still to be assembled, and the position behind it.
    Line(Line, At),
    /// A line from a log that keeps a time and a level for each, which hold where it has no stamp.
    Dated {
        /// The line or piece.
        line: Line,
        /// The position behind it.
        at: At,
        /// When it was logged.
        time: Micros,
        /// How grave it is.
        level: Level,
    },
    /// What came as a whole and needs no assembly.
    Record(Box<Record>),
    /// What came over the socket, and wants an answer.
    Submission(Box<Submission>),
    /// Something is missing here.
    Gap(Gap),
}

/// A piece of an input that nobody can read any more. It becomes an entry of component `agent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// A short word for programs, such as `truncated`; it stands in `context.why`.
    pub why: &'static str,
    /// What happened, in words a technician understands, without a dot at the end.
    pub words: String,
    /// How many bytes are missing, if that is known.
    pub bytes: Option<u64>,
    /// How many records are missing, if that is known.
    pub records: Option<u64>,
    /// Where reading goes on, so that a restart does not tell of it again; `None`: the input's
    /// position stays what it was.
    pub at: Option<At>,
}
