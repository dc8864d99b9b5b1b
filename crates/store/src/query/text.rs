//! What a search text means: words, phrases, exclusions, context fields; over folded text.

use serde_json::{Map, Value};

/// Terms of one search beyond this are ignored: nobody types them, and each costs on every row.
const MAX_TERMS: usize = 32;

/// One thing that has to be there, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) what: What,
    pub(crate) negated: bool,
}

/// What is looked for; texts are folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A part of the component, the message or a line of the context.
    Text(String),
    /// A whole value of the context. When the entry has no such field, it does not match.
    Field {
        /// The name, nested ones with dots, in any case.
        name: String,
        /// The value as a person reads it, in any case.
        value: String,
    },
}

/// Text in which upper and lower case are the same: each character's own lower case, so that a part
/// of a text folds to a part of the folded text.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().flat_map(char::to_lowercase).collect()
    }
}

/// The terms of a search text.
pub(crate) fn parse(q: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = q.trim_start();
    while !rest.is_empty() && terms.len() < MAX_TERMS {
        let negated = rest.starts_with('-') && rest[1..].starts_with(|c: char| !c.is_whitespace());
        if negated {
            rest = &rest[1..];
        }
        let field = field_name(rest);
        let (name, after) = match field {
            Some(length) => (Some(&rest[..length]), &rest[length + 1..]),
            None => (None, rest),
        };
        let (text, next) = word_or_phrase(after);
        rest = next.trim_start();
        let what = match name {
            Some(name) => What::Field {
                name: fold(name),
                value: fold(text),
            },
            None => What::Text(fold(text)),
        };
        if what != What::Text(String::new()) {
            terms.push(Term { what, negated });
        }
    }
    terms
}

/// The length of a field's name when the text begins with `name:` and a value follows. A name
/// begins with a letter, so that a time like `12:30` is a word; `http://` is a word too.
fn field_name(text: &str) -> Option<usize> {
    let colon = text.find(':')?;
    let name = &text[..colon];
    let mut chars = name.chars();
    let named = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let after = &text[colon + 1..];
    let valued =
        after.starts_with(|c: char| !c.is_whitespace() && c != ':') && !after.starts_with("//");
    (named && valued).then_some(colon)
}

/// A word up to white space, or what stands between quotation marks; and the rest.
fn word_or_phrase(text: &str) -> (&str, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        return match quoted.find('"') {
            Some(end) => (&quoted[..end], &quoted[end + 1..]),
            None => (quoted, ""),
        };
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// A context as a person reads it, folded: one `name=value` line a field.
pub(crate) fn context_lines(context: &Map<String, Value>) -> Vec<String> {
    context
        .iter()
        .map(|(name, value)| fold(&format!("{name}={}", value_text(value))))
        .collect()
}

/// A value as a person reads it: texts bare, the rest as JSON.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the context has this field with this value (both folded).
pub(crate) fn has_field(context: &Map<String, Value>, name: &str, value: &str) -> bool {
    context.iter().any(|(key, found)| {
        let key = fold(key);
        if key == name {
            return fold(&value_text(found)) == value;
        }
        match (
            name.strip_prefix(key.as_str())
                .and_then(|rest| rest.strip_prefix('.')),
            found,
        ) {
            (Some(inner), Value::Object(nested)) => has_field(nested, inner, value),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(word: &str, negated: bool) -> Term {
        Term {
            what: What::Text(word.to_owned()),
            negated,
        }
    }

    fn field(name: &str, value: &str, negated: bool) -> Term {
        Term {
            what: What::Field {
                name: name.to_owned(),
                value: value.to_owned(),
            },
            negated,
        }
    }

    #[test]
    fn words_phrases_exclusions_and_fields_are_told_apart() {
        assert_eq!(
            parse(r#"  Reader "Link Lost" -retry event:Sale -event:tamper detail:"two words" "#),
            vec![
                text("reader", false),
                text("link lost", false),
                text("retry", true),
                field("event", "sale", false),
                field("event", "tamper", true),
                field("detail", "two words", false),
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_field_is_a_word() {
        for word in ["12:30:05", "http://x", "error:", "std::fs", ":x", "a/b:c"] {
            assert_eq!(parse(word), vec![text(word, false)], "{word}");
        }
        assert_eq!(parse("\"event:sale\""), vec![text("event:sale", false)]);
    }

    #[test]
    fn odd_input_is_read_without_a_panic() {
        assert_eq!(parse("-"), vec![text("-", false)]);
        assert_eq!(parse("- x"), vec![text("-", false), text("x", false)]);
        assert_eq!(parse("\"open end"), vec![text("open end", false)]);
        assert_eq!(parse("\"\" -\"\""), vec![]);
        assert_eq!(parse("Ünïcode-Ä"), vec![text("ünïcode-ä", false)]);
        assert_eq!(parse(&"x ".repeat(100)).len(), MAX_TERMS);
    }

    #[test]
    fn fields_are_found_by_path_and_compared_whole() {
        let Value::Object(context) = json!({"Event": "Sale", "motor": {"row": 3}, "a.b": true})
        else {
            panic!("an object")
        };
        assert!(has_field(&context, "event", "sale"));
        assert!(!has_field(&context, "event", "sal"));
        assert!(has_field(&context, "motor.row", "3"));
        assert!(has_field(&context, "a.b", "true"));
        assert!(!has_field(&context, "motor.column", "3"));
    }
}
