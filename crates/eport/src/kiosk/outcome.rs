//! How a dialogue ends.

use crate::clock::TimeAndDate;
use crate::response::Fault;

/// How a dialogue ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The reader has taken the file. Nothing confirms that anybody further on has it.
    Uploaded,
    /// The signal.
    Signal {
        /// As the modem says it, usually 0 to 31, 99 for unknown.
        rssi: u32,
        /// Bit error rate class, usually 0 to 7, 99 for unknown.
        ber: u32,
    },
    /// The reader's time, when it was heard.
    Clock(TimeAndDate),
    /// What the reader is; heard several times the same.
    Identity {
        /// Its serial number.
        serial_number: String,
        /// Its software.
        software_revision: String,
    },
    /// It did not work.
    Failed(Failure),
}

/// Why a dialogue did not reach its goal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The application wanted the reader.
    #[error("interrupted: the application needed the reader")]
    Interrupted,
    /// It was in a status in which nothing may begin, or turned to a sale.
    #[error("the reader is not idle (status {0})")]
    NotIdle(u8),
    /// Nothing was heard.
    #[error("the reader does not answer")]
    Silent,
    /// A command was refused again and again.
    #[error("the reader refused command {0} (NAK)")]
    Refused(u8),
    /// A record may or may not have been taken; sent again, it could stand in the file twice.
    #[error("no acknowledgement of a record")]
    Unacknowledged,
    /// An answer after the last record was not understood; it may have said that the file was lost.
    #[error("an answer was garbled: the reader may or may not have the file")]
    Unconfirmed,
    /// 13.
    #[error("the reader cancelled the transfer")]
    Cancelled,
    /// 10.
    #[error("the reader calls a command invalid or out of sequence")]
    OutOfSequence,
    /// 30 to 33.
    #[error("the reader's cell side failed ({})", .0.name())]
    Cell(Fault),
    /// A stage took too long.
    #[error("the reader did not {0} in time")]
    TooSlow(&'static str),
    /// The answer to a question could not be understood.
    #[error("the reader's answer makes no sense")]
    Nonsense,
}
