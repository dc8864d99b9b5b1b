//! The extent of a field's value in a message.

use super::{CARD_MARK, DROPPED_MARK};

/// The longest unquoted run of capitalised words that is taken as one name (`name=Jane Mary Doe`).
const NAME_WORDS_MAX: usize = 3;

/// How far the end of an object or array is looked for; one that is longer ends with the text.
const NESTED_MAX_BYTES: usize = 4_096;

/// A value in a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// First byte, after an opening quotation mark.
    pub start: usize,
    /// One past its last byte, before a closing quotation mark.
    pub end: usize,
    /// It stands in quotation marks.
    pub quoted: bool,
}

/// The value at `at`; `None` when there is none.
pub(super) fn at(bytes: &[u8], at: usize) -> Option<Found> {
    let escaped = bytes.get(at) == Some(&b'\\');
    let mark_at = at + usize::from(escaped);
    if let Some(mark @ (b'"' | b'\'')) = bytes.get(mark_at) {
        let end = closing(bytes, mark_at + 1, *mark, escaped);
        return Some(Found {
            start: mark_at + 1,
            end,
            quoted: true,
        });
    }
    let marks = [CARD_MARK, DROPPED_MARK];
    let marked = marks
        .iter()
        .find(|mark| bytes[at.min(bytes.len())..].starts_with(mark.as_bytes()));
    let end = marked.map_or_else(|| bare_end(bytes, at), |mark| at + mark.len());
    (end > at).then_some(Found {
        start: at,
        end,
        quoted: false,
    })
}

/// Where the closing mark starts (with its backslash when the opening one has one), else the end of
/// the line: better too much than a name left over.
fn closing(bytes: &[u8], from: usize, mark: u8, escaped: bool) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != b'\n' {
        if bytes[at] == b'\\' {
            let run = bytes[at..]
                .iter()
                .take_while(|byte| **byte == b'\\')
                .count();
            if escaped && run == 1 && bytes.get(at + 1) == Some(&mark) {
                return at;
            }
            // An even run escapes itself; an odd one escapes the character after it.
            at += if run % 2 == 1 && !escaped || run > 1 && escaped {
                run + 1
            } else {
                run
            };
            continue;
        }
        if bytes[at] == mark && !escaped {
            return at;
        }
        at += 1;
    }
    at.min(bytes.len())
}

/// The end of an unquoted value: at white space, a comma or another mark, or a bracket that it did
/// not open. An object or array is one value; one that never closes goes to the end of the text.
fn bare_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0usize;
    for (i, byte) in bytes[from..].iter().enumerate() {
        if depth > 0 && i > NESTED_MAX_BYTES {
            break;
        }
        match byte {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' if depth == 0 => return from + i,
            b']' | b'}' | b')' => depth -= 1,
            b',' | b';' | b'&' | b'|' | b'"' | b'\'' | b'<' | b'>' | b'\\' if depth == 0 => {
                return from + i;
            }
            byte if byte.is_ascii_whitespace() && depth == 0 => return from + i,
            _ => {}
        }
    }
    bytes.len()
}

/// Where a person's name ends whose first word ends at `end`: up to three more words that start
/// with a capital and are not themselves the name of a field.
pub(super) fn name_end(text: &str, end: usize) -> usize {
    let mut end = end;
    for _ in 0..NAME_WORDS_MAX {
        let Some(rest) = text[end..].strip_prefix(' ') else {
            break;
        };
        let word: &str = rest
            .split(|c: char| !(c.is_alphabetic() || "'.-".contains(c)))
            .next()
            .unwrap_or("");
        let after = rest[word.len()..].chars().next().unwrap_or(' ');
        let whole = after.is_whitespace() || ",;)]}|&<>\"'\\!?".contains(after);
        if !word.starts_with(char::is_uppercase) || !whole {
            break;
        }
        end += 1 + word.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> &str {
        let found = at(text.as_bytes(), 0).expect("a value");
        &text[found.start..found.end]
    }

    #[test]
    fn a_value_ends_where_a_reader_sees_it_end() {
        assert_eq!(value("12, x"), "12");
        assert_eq!(value("\"a \\\" b\", x"), "a \\\" b");
        assert_eq!(value("'open end"), "open end");
        assert_eq!(value("\\\"Jane Doe\\\", x"), "Jane Doe");
        assert_eq!(value("{\"a\": [1, 2]}, x"), "{\"a\": [1, 2]}");
        assert_eq!(value("5)"), "5");
        assert_eq!(value("[dropped] x"), "[dropped]");
        assert_eq!(at(b" x", 0), None);
    }

    #[test]
    fn a_name_takes_its_capitalised_words() {
        let end = |text: &str| name_end(text, 4);
        assert_eq!(end("Jane Doe bought"), 8);
        assert_eq!(end("Jane bought"), 4);
        assert_eq!(end("Jane Order=5"), 4);
        assert_eq!(end("Jane Éva"), "Jane Éva".len());
    }
}
