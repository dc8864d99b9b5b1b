//! What is to be said when reading goes on in another file: a gap where bytes may be lost.

use std::path::Path;

use super::Gap;
use super::locate::{Found, How};

/// What is known of the file that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it happened before the agent started.
    BeforeStart,
    /// All of it was read.
    Whole,
    /// So many bytes were seen but not read; 0: perhaps there were some, nobody looked.
    Unread(u64),
}

/// What is to be said of the way from the file of the log `path` that was read to `found`.
pub fn gaps(path: &Path, found: &Found, seen: Seen) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = of_file(path, found, seen).into_iter().collect();
    let unreadable = found.unreadable.iter();
    gaps.extend(unreadable.map(|file| {
        let words = format!(
            "{file} is compressed in a way that the agent cannot read; have it compressed by gzip \
             or zstd"
        );
        gap("compressed", words, None)
    }));
    gaps
}

fn of_file(path: &Path, found: &Found, seen: Seen) -> Option<Gap> {
    let name = path.display();
    let bytes = match seen {
        Seen::Unread(bytes) if bytes > 0 => Some(bytes),
        _ => None,
    };
    let words = match (found.how, seen) {
        (How::Copied, _) => {
            let words = format!(
                "{name} was copied and truncated; what was written between the two is lost to \
                 everybody; rotate with \"create\" instead of \"copytruncate\""
            );
            return Some(gap("copytruncate", words, bytes));
        }
        (How::Pruned, _) => {
            let words = format!(
                "{name} was rotated faster than it was read: the file that was read is deleted, and \
                 perhaps others behind it, which are lost; keep more rotated files"
            );
            return Some(gap("deleted", words, None));
        }
        (How::Truncated, Seen::BeforeStart) => format!(
            "{name} was written anew while the agent was not running; what it got after the agent \
             had read it is lost"
        ),
        (How::Gone, Seen::BeforeStart) => {
            let words = format!(
                "the file that was read as {name} is gone; what it got after the agent had read it \
                 is lost"
            );
            return Some(gap("deleted", words, None));
        }
        (How::Truncated | How::Gone, Seen::Unread(_)) => {
            format!("{name} was truncated before all of it was read")
        }
        _ => return None,
    };
    Some(gap("truncated", words, bytes))
}

/// The gap of a compressed file whose rest cannot be read.
pub fn damaged(path: &Path, error: &std::io::Error) -> Gap {
    let name = path.display();
    let words = format!("{name} is damaged and can be read only in part: {error}");
    gap("damaged", words, None)
}

/// The gap of a file that was written on after reading had gone on in the next one.
pub fn late(path: &Path, bytes: u64) -> Gap {
    let name = path.display();
    let words = format!(
        "{name} was written on after it had been rotated and the next file had begun; that is not \
         read"
    );
    gap("late", words, Some(bytes))
}

fn gap(why: &'static str, words: String, bytes: Option<u64>) -> Gap {
    Gap {
        why,
        words,
        bytes,
        records: None,
        at: None,
    }
}
