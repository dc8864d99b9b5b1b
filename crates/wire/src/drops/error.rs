//! Why a drop cannot be read.

use super::DictionaryId;

/// Why a drop cannot be read; the bytes wait in quarantine with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DropError {
    /// Nothing in it looks like a drop.
    #[error("this is no drop: {0}")]
    NotADrop(&'static str),
    /// It was a drop once: its checksum or its counts do not fit what is there.
    #[error("the drop is damaged: {0}")]
    Damaged(String),
    /// Written by a newer agent.
    #[error("the drop is of version {0}; this program reads version 1: update it")]
    UnknownVersion(String),
    /// Its dictionary is not here; it can be read when that comes.
    #[error("the drop needs the dictionary {0}, which is not here yet")]
    UnknownDictionary(DictionaryId),
    /// More than one drop's worth of bytes.
    #[error("{0} bytes are more than a drop can have")]
    TooLarge(usize),
}

impl DropError {
    /// The code a program can act on: `not_a_drop`, `damaged`, `unknown_version`,
    /// `unknown_dictionary`, `too_large`.
    pub fn code(&self) -> &'static str {
        match self {
            DropError::NotADrop(_) => "not_a_drop",
            DropError::Damaged(_) => "damaged",
            DropError::UnknownVersion(_) => "unknown_version",
            DropError::UnknownDictionary(_) => "unknown_dictionary",
            DropError::TooLarge(_) => "too_large",
        }
    }
}
