//! The configured fields, and the `name=value` pairs of a message that carry them.

use super::value::{self, Found};
use super::{Action, DROPPED_MARK, HashKey, Rules, is_redacted};

/// So many digits make a value a telephone number rather than a word of a sentence.
const TELEPHONE_MIN_DIGITS: usize = 7;

/// How much of a value is looked at to tell data from prose.
const PROSE_MAX_BYTES: usize = 256;

/// The names to look for, those to drop first.
#[derive(Debug)]
pub(super) struct Fields(Vec<Field>);

/// One name: its parts between `_` or `-`, in the case of the configuration.
#[derive(Debug)]
struct Field {
    parts: Vec<String>,
    action: Action,
}

/// A pair found in a message.
struct Pair {
    action: Action,
    value: Found,
    /// The quotation mark to put around a bare value, when the name has one.
    mark: Option<char>,
}

impl Fields {
    pub(super) fn new(rules: &Rules) -> Fields {
        let named = |names: &[String], action| {
            let fields = names.iter().map(|name| Field {
                parts: name
                    .split(['_', '-', ' '])
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect(),
                action,
            });
            fields
                .filter(|field| !field.parts.is_empty())
                .collect::<Vec<_>>()
        };
        let mut fields = named(&rules.drop_fields, Action::Drop);
        fields.extend(named(&rules.hash_fields, Action::Hash));
        Fields(fields)
    }

    /// What happens to the value under this key of a context.
    pub(super) fn action(&self, key: &str) -> Option<Action> {
        self.ending_at(key.as_bytes())
            .filter(|(start, _)| *start == 0)
            .map(|(_, action)| action)
    }

    /// The message with its pairs redacted; `None` when there is nothing to do.
    pub(super) fn redact(&self, text: &str, key: &HashKey) -> Option<String> {
        let bytes = text.as_bytes();
        let mut out: Option<String> = None;
        let mut copied = 0;
        let mut at = 0;
        while at < bytes.len() {
            let pair = match bytes[at] {
                b'=' | b':' => self.pair(text, at),
                _ => None,
            };
            let Some(pair) = pair else {
                at += 1;
                continue;
            };
            let found = &text[pair.value.start..pair.value.end];
            at = pair.value.end.max(at + 1);
            if found.is_empty() || is_redacted(found) || found == "null" || found == "None" {
                continue;
            }
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..pair.value.start]);
            out.extend(pair.mark);
            match pair.action {
                Action::Hash => out.push_str(&key.hash(found)),
                Action::Drop => out.push_str(DROPPED_MARK),
            }
            out.extend(pair.mark);
            copied = pair.value.end;
        }
        let mut out = out?;
        out.push_str(&text[copied..]);
        Some(out)
    }

    /// The pair whose `=` or `:` is at `at`.
    fn pair(&self, text: &str, at: usize) -> Option<Pair> {
        let bytes = text.as_bytes();
        let colon = bytes[at] == b':';
        let mut name_end = at;
        if name_end > 0 && bytes[name_end - 1] == b' ' {
            name_end -= 1;
        }
        let (mark, escaped) = closing_mark(&bytes[..name_end]);
        name_end -= usize::from(mark.is_some()) + usize::from(escaped);
        let (name_start, action) = self.ending_at(&bytes[..name_end])?;
        if mark.is_some_and(|mark| name_start == 0 || bytes[name_start - 1] != mark) {
            return None;
        }
        let spaces = bytes[at + 1..]
            .iter()
            .take(2)
            .take_while(|byte| **byte == b' ')
            .count();
        let mut value = value::at(bytes, at + 1 + spaces)?;
        if !colon && !value.quoted && bytes[value.start] == b'=' {
            return None;
        }
        if colon && mark.is_none() && !value.quoted {
            let name = &bytes[name_start..name_end];
            let found = &bytes[value.start..value.end.min(value.start + PROSE_MAX_BYTES)];
            if !is_redacted(&text[value.start..value.end]) && !no_prose(action, name, found) {
                return None;
            }
        }
        let first = text[value.start..value.end].chars().next();
        if action == Action::Drop && !value.quoted && first.is_some_and(char::is_alphabetic) {
            value.end = value::name_end(text, value.end);
        }
        let mark = mark.filter(|_| !value.quoted && !escaped).map(char::from);
        Some(Pair {
            action,
            value,
            mark,
        })
    }

    /// The field whose name ends `text`, as a whole word, and where it starts.
    fn ending_at(&self, text: &[u8]) -> Option<(usize, Action)> {
        self.0.iter().find_map(|field| {
            let start = field.start_in(text)?;
            let whole = start == 0 || {
                let before = text[start - 1];
                !(before.is_ascii_alphanumeric() || b"_-".contains(&before) || !before.is_ascii())
            };
            whole.then_some((start, field.action))
        })
    }
}

impl Field {
    /// Where this name starts when it ends `text`; between its parts may stand one of `_`, `-`, ` `.
    fn start_in(&self, text: &[u8]) -> Option<usize> {
        let mut end = text.len();
        for (i, part) in self.parts.iter().rev().enumerate() {
            if i > 0 && end > 0 && b"_- ".contains(&text[end - 1]) {
                end -= 1;
            }
            let start = end.checked_sub(part.len())?;
            if !text[start..end].eq_ignore_ascii_case(part.as_bytes()) {
                return None;
            }
            end = start;
        }
        Some(end)
    }
}

/// The quotation mark that ends `text`, and whether a backslash stands before it.
fn closing_mark(text: &[u8]) -> (Option<u8>, bool) {
    match text {
        [.., b'\\', mark @ (b'"' | b'\'')] => (Some(*mark), true),
        [.., mark @ (b'"' | b'\'')] => (Some(*mark), false),
        _ => (None, false),
    }
}

/// Whether `name: value` without quotation marks is data: see the table of the module above.
fn no_prose(action: Action, name: &[u8], value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    match action {
        Action::Hash => digits > 0,
        Action::Drop => {
            name.contains(&b'_') || value.contains(&b'@') || digits >= TELEPHONE_MIN_DIGITS
        }
    }
}
