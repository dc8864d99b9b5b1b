//! Text drops: the PRD's line `MACHINE|MMDD-HHMM|L|COMPONENT|MESSAGE|CONTEXT`, both ways.
//!
//! The first line of ours is such a line itself, of component `drop`; it says what the drop is, and
//! its checksum is over everything. Each CONTEXT ends `#seq@SS`:
//!
//! ```text
//! VM001|0122-1500|I|drop|17 covers 101-160 D40 I14 W3 E2 C1; left out W2|e=42 y=2026 l=2 k=1a2b3c4d#0@07
//! VM001|0122-1430|E|payment|Auth timeout 30s|txn:abc123#102@15
//! VM001|0122-1435|W|motor|GPIO conflict retry 2|#107@02
//! ```
//!
//! After the seconds may come: milliseconds (`.123`), `y2025` where the year is not the one that the
//! drop's own time gives, `?` for a clock that was not set, `~` for a repaired time, and `!` for an
//! entry that was shortened. Lines without a `drop` line are the PRD's bare form.

mod bare;
mod context;
mod escape;
mod head;
mod line;
mod stamp;
#[cfg(test)]
mod tests;

use super::{DropEntry, DropError, DropHeader, ReadDrop, ReadForm};
use crate::Micros;

/// Writes a drop of any size. `entries` are numbered and in order of seq.
pub fn encode(header: &DropHeader, entries: &[DropEntry]) -> String {
    let mut lines = String::new();
    for entry in entries {
        line::write(header, entry, &mut lines);
    }
    head::write(header, entries.len(), &lines)
}

/// Reads a text: a drop of ours, or bare lines. What stands before and after it is passed over.
///
/// # Errors
/// See [`DropError`].
pub fn decode(text: &str, received_at: Micros) -> Result<ReadDrop, DropError> {
    // What pads and ends lines on the way is not ours: no line of ours ends so.
    let lines: Vec<&str> = text
        .split(['\n', '\r'])
        .map(|line| line.trim_matches(is_padding))
        .filter(|line| !line.is_empty())
        .collect();
    for (at, first) in lines.iter().enumerate() {
        if let Some(head) = head::read(first)? {
            return read_ours(&head, &lines[at + 1..]);
        }
    }
    bare::read(&lines, received_at)
}

/// Whether a line is the `drop` line of a text of ours, or was once.
pub(super) fn is_head(line: &str) -> bool {
    !matches!(head::read(line), Ok(None))
}

/// Whether a line is an entry: bare, or of ours. A footer's `#12@30` makes none.
pub(super) fn is_entry(line: &str, received_at: Micros) -> bool {
    let has_fields = line.matches('|').count() == line::FIELDS - 1;
    (has_fields && line::is_ours(line)) || bare::is_entry(line, received_at)
}

/// The bytes of the drop of ours that a text begins with, when all its lines are there within
/// `most` bytes and its checksum fits.
pub(super) fn whole_len(text: &str, most: usize) -> Option<usize> {
    let mut end = 0;
    let mut lines = text
        .split_inclusive(['\n', '\r'])
        .map(|line| {
            end += line.len();
            (end, line.trim_matches(is_padding))
        })
        .filter(|(_, line)| !line.is_empty())
        .take_while(|(end, _)| *end <= most);
    let (mut end, first) = lines.next()?;
    let head = head::read(first).ok()??;
    let mut entries = Vec::new();
    while entries.len() < head.lines {
        let (after, line) = lines.next()?;
        entries.push(line);
        end = after;
    }
    (head::checksum(head.unsummed, entries.into_iter()) == head.checksum).then_some(end)
}

pub(super) fn is_padding(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\0' | '\u{1a}' | '\u{feff}')
}

fn read_ours(head: &head::Head<'_>, lines: &[&str]) -> Result<ReadDrop, DropError> {
    let Some(lines) = lines.get(..head.lines) else {
        let (there, of) = (lines.len(), head.lines);
        return Err(DropError::Damaged(format!(
            "{there} of its {of} lines are there"
        )));
    };
    if head::checksum(head.unsummed, lines.iter().copied()) != head.checksum {
        let why = "its checksum does not fit: it was cut or changed on the way, or by hand";
        return Err(DropError::Damaged(why.to_owned()));
    }
    let mut entries = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let entry = line::read(&head.header, line)
            .ok_or_else(|| DropError::Damaged(format!("line {} cannot be read", at + 2)))?;
        entries.push(entry);
    }
    Ok(ReadDrop {
        machine: head.header.machine.clone(),
        header: Some(head.header.clone()),
        entries,
        form: ReadForm::Text,
        unread_lines: 0,
    })
}
