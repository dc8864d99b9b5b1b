//! Texts in which several drops stand behind each other, as in files that were joined, divided so
//! that each piece holds one: [`read`](super::read) reads the first drop of a text. Pure.

use super::read::FILE_MAX_BYTES;
use super::{DropError, dense, text};
use crate::Micros;

/// The most pieces of one text: 1 MiB of the shortest drops are 13,000.
const PIECES_MAX: usize = 20_000;
/// A text is given up after so many beginnings of drops that are not whole: each is looked through
/// for its checksum, up to [`FILE_MAX_BYTES`].
const BROKEN_MAX: usize = 2_000;

/// What a piece holds, as far as it was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Nothing that looks like a drop.
    Nothing,
    /// The PRD's bare lines.
    Bare,
    /// A drop of ours that is all there.
    Whole,
    /// The beginnings of drops of ours that are cut or changed.
    Broken,
}

/// The pieces of a text, in order and without gaps; one when it holds one drop or none. What stands
/// before the first drop is in its piece, what stands after a drop in that drop's. Drops that are
/// cut or changed and stand behind each other share a piece: none of them can be read.
///
/// # Errors
/// [`DropError::TooLarge`]: more pieces, or more broken drops, than anybody joins.
pub fn split(text: &str, received_at: Micros) -> Result<Vec<&str>, DropError> {
    let mut starts = vec![0];
    let mut holds = Holds::Nothing;
    let (mut at, mut broken) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let line_len = rest.find(['\n', '\r']).map_or(rest.len(), |end| end + 1);
        let line = rest[..line_len].trim_matches(text::is_padding);
        let mut next = at + line_len;
        let before = holds;
        let is_new = if dense::is_dense(line) || text::is_head(line) {
            match whole(rest, dense::is_dense(line)) {
                Some(len) => {
                    holds = Holds::Whole;
                    next = at + len;
                    before != Holds::Nothing
                }
                None => {
                    holds = Holds::Broken;
                    broken += 1;
                    matches!(before, Holds::Bare | Holds::Whole)
                }
            }
        } else if matches!(before, Holds::Nothing | Holds::Whole)
            && text::is_entry(line, received_at)
        {
            holds = Holds::Bare;
            before == Holds::Whole
        } else {
            false
        };
        if is_new {
            starts.push(at);
        }
        if starts.len() > PIECES_MAX || broken > BROKEN_MAX {
            return Err(DropError::TooLarge(text.len()));
        }
        at = next;
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    Ok(starts
        .iter()
        .zip(ends)
        .map(|(&at, end)| &text[at..end])
        .collect())
}

/// The bytes of the drop of ours that a text begins with, when its checksum fits.
fn whole(text: &str, is_dense: bool) -> Option<usize> {
    if !is_dense {
        return text::whole_len(text, FILE_MAX_BYTES);
    }
    let drop = text.trim_start_matches(text::is_padding);
    dense::whole_len(drop).map(|len| text.len() - drop.len() + len)
}
