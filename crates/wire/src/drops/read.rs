//! Reading a drop, whichever form it has and whatever was put around it on the way.

use std::sync::Arc;

use super::{Dictionary, DictionaryId, DropError, ReadDrop, ReadForm, dense, text};
use crate::Micros;

/// The most bytes that are looked through for one drop: its 900 with a mail's head and footers, a
/// legal notice in three languages included.
pub(super) const FILE_MAX_BYTES: usize = 64 * 1024;

/// Reads a drop, the first when there are several: see [`split`](super::split). `bytes` may have CRLF, a byte order mark, padding at its end, and lines before and
/// after it that a mail system put there. `received_at` gives bare lines their year. `dictionary`
/// finds a dictionary by its id.
///
/// # Errors
/// See [`DropError`]. No entry of a drop that cannot be read whole is handed out; only of lines in
/// the PRD's bare form those that cannot be read are counted instead.
pub fn read(
    bytes: &[u8],
    received_at: Micros,
    dictionary: impl Fn(DictionaryId) -> Option<Arc<Dictionary>>,
) -> Result<ReadDrop, DropError> {
    if bytes.len() > FILE_MAX_BYTES {
        return Err(DropError::TooLarge(bytes.len()));
    }
    // Ours is ASCII; what is not UTF-8 is around it.
    let file = String::from_utf8_lossy(bytes);
    let is_padding = |c: char| c.is_whitespace() || matches!(c, '\0' | '\u{1a}' | '\u{feff}');
    let mut rest: &str = &file;
    loop {
        rest = rest.trim_start_matches(is_padding);
        if dense::is_dense(rest) {
            let (header, entries) = dense::decode(rest, dictionary)?;
            return Ok(ReadDrop {
                machine: header.machine.clone(),
                header: Some(header),
                entries,
                form: ReadForm::Dense,
                unread_lines: 0,
            });
        }
        match rest.find(['\n', '\r']) {
            Some(end) => rest = &rest[end..],
            None => break,
        }
    }
    text::decode(&file, received_at)
}
