//! What a dialogue is for.

use crate::Command;
use crate::layout::{FILE_MAX_BYTES, NAME_MAX_BYTES};

/// What a dialogue is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// A file is to be uploaded.
    Upload(UploadFile),
    /// The signal is wanted.
    Signal,
    /// The time is wanted.
    Clock,
    /// Serial number and software are wanted.
    Identity,
}

/// A file that the reader can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadFile {
    name: String,
    data: Vec<u8>,
}

/// Why something is no file for the reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAFile {
    /// Empty, too long, or with characters that are no plain name.
    #[error("the file's name must be 1 to {NAME_MAX_BYTES} letters, digits, '.', '_' or '-'")]
    Name,
    /// Empty or too large.
    #[error("the file has {0} bytes; it must have 1 to {FILE_MAX_BYTES}")]
    Size(usize),
    /// A byte that has a meaning on the line.
    #[error("the file must be printable ASCII and line feeds; the byte at {0} is not")]
    Byte(usize),
}

impl UploadFile {
    /// A file of printable ASCII and LF: no CR, RS, GS, ACK or NAK.
    ///
    /// # Errors
    /// Name or content is nothing that the reader can take.
    pub fn new(name: &str, data: &[u8]) -> Result<UploadFile, NotAFile> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=NAME_MAX_BYTES).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err(NotAFile::Name);
        }
        if !(1..=FILE_MAX_BYTES).contains(&data.len()) {
            return Err(NotAFile::Size(data.len()));
        }
        let is_bad = |byte: &u8| !matches!(byte, b' '..=b'~' | b'\n');
        if let Some(place) = data.iter().position(is_bad) {
            return Err(NotAFile::Byte(place));
        }
        Ok(UploadFile {
            name: name.to_owned(),
            data: data.to_vec(),
        })
    }
}

impl Goal {
    /// The command that asks for it, when it is a question.
    pub(super) fn question(&self) -> Command {
        match self {
            Goal::Signal => Command::AcquireSignalQuality,
            Goal::Clock => Command::AcquireTimeAndDate,
            Goal::Identity => Command::AcquireConfig,
            // Never asked for an upload; STATUS changes nothing.
            Goal::Upload(_) => Command::Status,
        }
    }

    /// The code of the answer, when it is a question.
    pub(super) fn answer_code(&self) -> Option<u8> {
        match self {
            Goal::Signal => Some(14),
            Goal::Clock => Some(15),
            Goal::Identity => Some(16),
            Goal::Upload(_) => None,
        }
    }

    /// Name and content of the file; nothing for a question.
    pub(super) fn file(&self) -> (&str, &[u8]) {
        match self {
            Goal::Upload(file) => (&file.name, &file.data),
            _ => ("", &[]),
        }
    }
}
