//! The CONTEXT field: `key:value` pairs as in the PRD's examples. Plain words stand as they are, the
//! rest is JSON, so that every value comes back with its type.

use serde_json::{Map, Value};

/// Where a bare line's context goes that is no list of pairs, such as `54>52`.
pub(super) const NOTE: &str = "note";

/// Writes a context: `txn:abc123,retry:3,name:"two words"`. Nothing for an empty one.
pub(super) fn write(context: &Map<String, Value>) -> String {
    let mut out = String::new();
    for (key, value) in context {
        if !out.is_empty() {
            out.push(',');
        }
        if is_plain(key) {
            out.push_str(key);
        } else {
            out.push_str(&Value::from(key.as_str()).to_string());
        }
        out.push(':');
        match value {
            Value::String(text) if is_plain(text) && !is_json_word(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
    }
    out
}

/// Reads a context back; `None` when no [`write`] wrote it.
pub(super) fn read(text: &str) -> Option<Map<String, Value>> {
    let mut context = Map::new();
    let mut rest = text;
    while !rest.is_empty() {
        let key;
        (key, rest) = if rest.starts_with('"') {
            let (Value::String(key), rest) = json(rest)? else {
                return None;
            };
            (key, rest)
        } else {
            let (key, rest) = rest.split_at(plain_length(rest));
            (is_plain(key).then(|| key.to_owned())?, rest)
        };
        rest = rest.strip_prefix(':')?;
        let value;
        let word = &rest[..plain_length(rest)];
        (value, rest) = if is_plain(word) && !is_json_word(word) {
            (Value::from(word), &rest[word.len()..])
        } else {
            json(rest)?
        };
        if context.insert(key, value).is_some() {
            return None;
        }
        match rest.strip_prefix(',') {
            Some(more) if !more.is_empty() => rest = more,
            Some(_) => return None,
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(context)
}

/// Reads the context of a line that was not written by us: pairs when it looks like pairs, else one
/// note. Nothing is lost and nothing refused.
pub(super) fn read_bare(text: &str) -> Map<String, Value> {
    let text = text.trim();
    if text.is_empty() {
        return Map::new();
    }
    let mut context = Map::new();
    for pair in text.split(',') {
        let pair = pair.split_once(':').map(|(k, v)| (k.trim(), v.trim()));
        let Some((key, value)) = pair.filter(|(key, _)| is_plain(key)) else {
            return Map::from_iter([(NOTE.to_owned(), Value::from(text))]);
        };
        // A number that would not be printed the same (007, 1.50) is an id, not a number.
        let number = serde_json::from_str::<Value>(value).ok().filter(|read| {
            let printed = read.to_string();
            read.is_number() && printed == value
        });
        context.insert(key.to_owned(), number.unwrap_or_else(|| Value::from(value)));
    }
    context
}

/// One JSON value at the start of a text, and what follows it.
fn json(text: &str) -> Option<(Value, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let end = values.byte_offset();
    Some((value, text.get(end..)?))
}

fn is_json_word(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
}

fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && plain_length(text) == text.len()
}

fn plain_length(text: &str) -> usize {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-./".contains(b);
    text.bytes().take_while(|b| is_plain(b)).count()
}
