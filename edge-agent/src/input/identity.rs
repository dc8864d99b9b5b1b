//! Which file this is, and how far it was read. Inode numbers are reused and files are truncated,
//! so a position counts only with the bytes that were before it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::lines::{TAIL_BYTES, tail_hash};
use super::socket::Senders;
use crate::assemble::AssemblyState;
use crate::pack::PackState;

/// How many of a file's first bytes are hashed. Log files differ in their first stamps.
pub const HEAD_BYTES: usize = 1024;

/// Where an entry ended and what a restart needs to go on behind it. Holds no text of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The position.
    pub at: At,
    /// The state of assembly behind it.
    #[serde(
        rename = "asm",
        default,
        skip_serializing_if = "AssemblyState::is_empty"
    )]
    pub assembly: AssemblyState,
    /// The state of the pack behind it.
    #[serde(rename = "pack", default, skip_serializing_if = "PackState::is_empty")]
    pub pack: PackState,
}

/// A position in what an input reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// In a file.
    File(Place),
    /// Behind the entry with this cursor of the systemd journal.
    Journal {
        /// As `journalctl` writes it; with `#n` behind it, only the first `n` parts of the entry.
        cursor: String,
    },
    /// Behind the numbers that the senders of a socket have used up.
    Socket(Senders),
    /// Nowhere: what was not taken when it came cannot be read again.
    Live,
}

impl At {
    /// The position in a file; `None` for what is none.
    pub fn place(&self) -> Option<&Place> {
        match self {
            At::File(place) => Some(place),
            _ => None,
        }
    }
}

/// A position in a file that can be recognised again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Bytes from the start.
    pub offset: u64,
    /// How many first bytes `head` covers, at most [`HEAD_BYTES`].
    #[serde(rename = "hn")]
    pub head_len: u64,
    /// Hash of the first bytes.
    #[serde(rename = "h")]
    pub head: u64,
    /// Hash of the (at most [`TAIL_BYTES`]) bytes before `offset`.
    #[serde(rename = "t")]
    pub tail: u64,
    /// The file's modification time when it was read, nanoseconds since 1970.
    #[serde(rename = "m")]
    pub mtime_ns: i64,
    /// When the file was made, nanoseconds since 1970, where the file system says so. A number is
    /// used again for other files, but not together with this.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub born_ns: Option<i64>,
}

impl Place {
    /// Whether a file with this inode number, made at this time, is the file of this position,
    /// whatever was written to it since.
    pub fn is_in(&self, ino: u64, born_ns: Option<i64>) -> bool {
        let is_born_then = match (self.born_ns, born_ns) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.ino == ino && is_born_then
    }

    /// Whether `content` holds, before this position, what the file of this position held.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub(super) fn content_matches(&self, content: &mut Content) -> io::Result<bool> {
        let head = content.range(0, self.head_len.min(HEAD_BYTES as u64) as usize)?;
        if head_hash(&head) != self.head {
            return Ok(false);
        }
        let tail_from = self.offset.saturating_sub(TAIL_BYTES as u64);
        let tail_len = (self.offset - tail_from) as usize;
        let tail = content.range(tail_from, tail_len)?;
        Ok(tail.len() == tail_len && tail_hash(&tail) == self.tail)
    }
}

/// Modification time in nanoseconds since 1970.
pub fn mtime_ns(meta: &Metadata) -> i64 {
    meta.mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(meta.mtime_nsec())
}

/// When the file was made, nanoseconds since 1970; `None` where the file system does not keep it.
pub fn born_ns(meta: &Metadata) -> Option<i64> {
    let born = meta.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(born.as_nanos()).ok()
}

/// The hash of a file's first bytes.
pub fn head_hash(head: &[u8]) -> u64 {
    // The tail's hash takes the last 256 bytes only; fold over all of them here.
    head.chunks(TAIL_BYTES)
        .fold(0, |hash, part| hash.rotate_left(1) ^ tail_hash(part))
}

/// Up to `len` bytes from `from`; fewer at the end of the file.
///
/// # Errors
/// Reading failed.
pub fn read_range(file: &File, from: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut got = 0;
    while got < len {
        match file.read_at(&mut bytes[got..], from + got as u64) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(got);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(content: &[u8], offset: usize) -> Place {
        let head = &content[..offset.min(HEAD_BYTES)];
        Place {
            dev: 1,
            ino: 1,
            offset: offset as u64,
            head_len: head.len() as u64,
            head: head_hash(head),
            tail: tail_hash(&content[..offset]),
            mtime_ns: 0,
            born_ns: None,
        }
    }

    #[test]
    fn a_position_counts_only_with_the_bytes_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let content: Vec<u8> = (0..5000u32).map(|n| (n % 251) as u8).collect();
        let place = place(&content, 4000);
        let matches = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            place
                .content_matches(&mut Content::open(&path).unwrap())
                .unwrap()
        };
        assert!(matches(&content));
        assert!(
            matches(&[&content[..], b"more"].concat()),
            "growing is no change"
        );
        assert!(!matches(&content[..3999]), "truncated");
        let mut other = content.clone();
        other[3990] ^= 1;
        assert!(
            !matches(&other),
            "regrown past the position with other text"
        );
        let mut other = content.clone();
        other[10] ^= 1;
        assert!(!matches(&other), "another file with the same end");
    }
}
