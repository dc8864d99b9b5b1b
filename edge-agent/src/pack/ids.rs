//! Finds the ids that stand behind a pack's words, and puts their hashes in their place.

use super::rule::HashAfter;

/// The message with every such id replaced; `None` when it has none.
pub(super) fn replace(
    message: &str,
    words: &HashAfter,
    hash: impl Fn(&str) -> String,
) -> Option<String> {
    let mut changed: Option<String> = None;
    for word in &words.after {
        let current = changed.as_deref().unwrap_or(message);
        if let Some(replaced) = replace_after(current, word, &hash) {
            changed = Some(replaced);
        }
    }
    changed
}

fn replace_after(message: &str, word: &str, hash: &impl Fn(&str) -> String) -> Option<String> {
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(word) {
        let (before, behind) = rest.split_at(at + word.len());
        out.push_str(before);
        let in_id = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let end = behind.find(|c| !in_id(c)).unwrap_or(behind.len());
        let (id, behind) = behind.split_at(end);
        // Redaction came first and may have hashed it: `#` is no part of an id.
        if !id.is_empty() {
            out.push_str(&hash(id));
        }
        rest = behind;
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_behind_the_words_is_replaced_and_nothing_else() {
        let words = HashAfter {
            after: vec!["ID: ".into()],
        };
        let hashed = |text| replace(text, &words, |id| format!("<{}>", id.len()));
        assert_eq!(
            hashed("a ID: 12345, ID: 77."),
            Some("a ID: <5>, ID: <2>.".to_owned())
        );
        assert_eq!(
            hashed("ID: #0123456789abcdef"),
            Some("ID: #0123456789abcdef".to_owned())
        );
        assert_eq!(hashed("no such"), None);
    }
}
