//! The files behind the local file: renaming them, and finding the last line that is whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::durable;
use crate::input::identity::read_range;

/// How far from the end the last whole line is looked for: more than the longest entry, escaped.
pub(super) const LAST_LINE_BYTES: u64 = 1024 * 1024;

/// The last whole line of a file of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastLine {
    pub epoch: u64,
    pub seq: u64,
    /// The offset behind it.
    pub end: u64,
}

/// How each of our lines begins.
const LINE_START: &[u8] = b"{\"machine_id\":\"";

#[derive(Deserialize)]
struct Numbered {
    epoch: u64,
    seq: u64,
}

/// Renames `path` to `path.1`, `path.1` to `path.2` and so on, so that with a new `path` there are
/// `files` in total.
pub(super) fn rotate(path: &Path, files: u32) -> io::Result<()> {
    for number in (1..files).rev() {
        let from = if number == 1 {
            path.to_owned()
        } else {
            numbered(path, number - 1)
        };
        match fs::rename(from, numbered(path, number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    if files == 1 {
        fs::remove_file(path)?;
    }
    durable::sync_dir_of(path)
}

/// `path.<number>`.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    durable::sibling(path, &number.to_string())
}

/// The last whole line of `path` that is an entry; `None` when there is none near its end, or no
/// such file.
pub(super) fn last_line(path: &Path) -> io::Result<Option<LastLine>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let len = file.metadata()?.len();
    let from = len.saturating_sub(LAST_LINE_BYTES);
    let bytes = read_range(&file, from, (len - from) as usize)?;
    let mut end = bytes.len();
    while let Some(newline) = bytes[..end].iter().rposition(|byte| *byte == b'\n') {
        let start = bytes[..newline]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        if let Ok(line) = serde_json::from_slice::<Numbered>(&bytes[start..newline]) {
            let end = from + newline as u64 + 1;
            return Ok(Some(LastLine {
                epoch: line.epoch,
                seq: line.seq,
                end,
            }));
        }
        end = newline;
    }
    Ok(None)
}

/// Cuts off what stands behind the last whole line: a torn line of ours, or the hole that a power
/// cut left. Text that is not ours stays, with a line end behind it.
pub(super) fn cut_torn_line(path: &Path, last_end: Option<u64>) -> io::Result<()> {
    let file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let len = file.metadata()?.len();
    if let Some(end) = last_end {
        return if len > end { file.set_len(end) } else { Ok(()) };
    }
    let from = len.saturating_sub(LAST_LINE_BYTES);
    let bytes = read_range(&file, from, (len - from) as usize)?;
    let start = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let rest = &bytes[start..];
    let begins_ours = rest.iter().zip(LINE_START).all(|(byte, ours)| byte == ours);
    if begins_ours || rest.iter().all(|byte| *byte == 0) {
        return file.set_len(from + start as u64);
    }
    file.write_all_at(b"\n", len)
}
