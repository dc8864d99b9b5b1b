//! From a file as it came to the texts inside: zip, gzip, mail, or the text itself, known by content
//! and not by name. It reads wrappers only; what a text says is the drop reader's concern.

mod clean;
#[cfg(test)]
mod fuzz;
mod mail;
#[cfg(test)]
mod tests;
mod zipped;

pub use clean::clean;
pub(crate) use mail::attachment_names;

use crate::folder::shown_name;
use crate::limits;

/// Mails within mails that are opened: a forward of a forward is real, more is a game.
const MAILS_DEEP: u8 = 3;

/// One text inside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its own name (in a zip, of an attachment, a mail's subject), else that of the file around it.
    pub name: String,
    /// Its bytes, cleaned (see [`clean`]). Bytes that are no UTF-8 stay as they are.
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

impl UnpackError {
    fn new(code: &'static str, message: impl Into<String>) -> UnpackError {
        UnpackError {
            code,
            message: message.into(),
        }
    }

    fn too_much(what: impl std::fmt::Display) -> UnpackError {
        UnpackError::new(
            "too_much",
            format!("{what}; whole drops are never that large: look at who sent it"),
        )
    }
}

/// The texts inside a file; at least one. `name` is the file's own.
///
/// # Errors
/// See [`UnpackError`]; bombs are refused before they go off.
pub fn unpack(name: &str, bytes: &[u8]) -> Result<Vec<Part>, UnpackError> {
    if bytes.len() as u64 > 2 * limits::FILE_BYTES {
        return Err(UnpackError::too_much(format!(
            "it has {} bytes",
            bytes.len()
        )));
    }
    let mut opened = Opened::default();
    opened.open(&shown_name(name), bytes, Depth::default())?;
    if !opened.parts.is_empty() {
        return Ok(opened.parts);
    }
    opened.ignored.dedup();
    let why = match opened.ignored.is_empty() {
        true => "it is empty".to_owned(),
        false => format!(
            "only what is no drop is inside: {}",
            opened.ignored.join("; ")
        ),
    };
    Err(UnpackError::new("nothing_inside", why))
}

/// How far in we are.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    is_compressed: bool,
    mails: u8,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Opened {
    parts: Vec<Part>,
    /// Bytes of all parts together.
    bytes: usize,
    /// What was left out, and why; bounded.
    ignored: Vec<String>,
}

impl Opened {
    /// Opens whatever this is.
    fn open(&mut self, name: &str, bytes: &[u8], depth: Depth) -> Result<(), UnpackError> {
        match kind(bytes) {
            Kind::Zip | Kind::Gzip if depth.is_compressed => Err(UnpackError::new(
                "nested",
                format!("{name} is compressed within something compressed; send it packed once"),
            )),
            Kind::Zip => zipped::open_zip(self, bytes, depth),
            Kind::Gzip => zipped::open_gzip(self, name, bytes, depth),
            Kind::Mail if depth.mails < MAILS_DEEP => mail::open(self, name, bytes, depth),
            Kind::Mail => {
                self.ignore("mails within mails within mails");
                Ok(())
            }
            Kind::Text => self.keep(name, bytes),
        }
    }

    /// Keeps a text.
    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), UnpackError> {
        let bytes = clean(bytes);
        if bytes.is_empty() {
            self.ignore("empty texts");
            return Ok(());
        }
        self.bytes += bytes.len();
        if self.parts.len() >= limits::PARTS || self.bytes > limits::UNPACKED_BYTES {
            return Err(UnpackError::too_much(format!(
                "it unpacks to more than {} texts or {} bytes",
                limits::PARTS,
                limits::UNPACKED_BYTES
            )));
        }
        self.parts.push(Part {
            name: shown_name(name),
            bytes,
        });
        Ok(())
    }

    /// Remembers what was left out.
    fn ignore(&mut self, what: &str) {
        const MOST: usize = 5;
        let is_known = self.ignored.iter().any(|known| known == what);
        if self.ignored.len() < MOST && !is_known {
            self.ignored.push(what.to_owned());
        }
    }

    /// How much may still be unpacked.
    fn room(&self) -> usize {
        limits::UNPACKED_BYTES.saturating_sub(self.bytes)
    }
}

enum Kind {
    Zip,
    Gzip,
    Mail,
    Text,
}

fn kind(bytes: &[u8]) -> Kind {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        Kind::Zip
    } else if bytes.starts_with(&[0x1f, 0x8b, 8]) {
        Kind::Gzip
    } else if mail::looks_like_one(bytes) {
        Kind::Mail
    } else {
        Kind::Text
    }
}
