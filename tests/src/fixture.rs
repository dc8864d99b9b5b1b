//! A recorded log, read by the plainest rules: what records it has, and what of it is secret.
//! Written apart from the agent's own reader, so that one checks the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::binaries::root;

/// A recorded log.
pub struct Fixture {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its records in order, without stamp, logger and level; tracebacks have several lines.
    pub messages: Vec<String>,
    /// The masked cards in it.
    pub cards: BTreeSet<String>,
    /// The transaction ids in it.
    pub transactions: BTreeSet<String>,
    /// What the truth file says must come out, such as `CRITICAL` or `component app`.
    pub after_pack: BTreeMap<String, u64>,
}

const TRANSACTION: &str = "Transaction ID: ";
/// What stands where a card was.
const CARD_MARK: &str = "[card]";

impl Fixture {
    /// The recording of this name in `tests/fixtures`.
    ///
    /// # Panics
    /// It is not there.
    pub fn read(name: &str) -> Fixture {
        let bytes = std::fs::read(path(&format!("{name}.log"))).expect("the recording");
        let truth = std::fs::read(path(&format!("{name}.truth.json"))).expect("its truth");
        let truth: Value = serde_json::from_slice(&truth).expect("the truth is JSON");
        let after_pack = truth["after_pack"].as_object().expect("after_pack");
        let number = |value: &Value| value.as_u64().expect("a count");
        let mut fixture = Fixture {
            messages: messages(std::str::from_utf8(&bytes).expect("the recording is UTF-8")),
            cards: BTreeSet::new(),
            transactions: BTreeSet::new(),
            after_pack: after_pack
                .iter()
                .map(|(k, v)| (k.clone(), number(v)))
                .collect(),
            bytes,
        };
        for message in &fixture.messages {
            fixture.cards.extend(cards(message));
            fixture
                .transactions
                .extend(message.strip_prefix(TRANSACTION).map(str::to_owned));
        }
        assert_eq!(
            fixture.messages.len() as u64,
            fixture.after_pack["entries"],
            "{name}"
        );
        assert!(
            fixture.cards.len() >= 17 && fixture.transactions.len() >= 13,
            "{name}"
        );
        fixture
    }

    /// Fails when a card or a transaction id stands in these bytes.
    ///
    /// # Panics
    /// One does.
    pub fn assert_no_secret(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for secret in self.cards.iter().chain(&self.transactions) {
            assert!(!text.contains(secret), "{place} holds {secret} in clear");
        }
    }
}

/// The path of a file in `tests/fixtures`.
pub fn path(name: &str) -> PathBuf {
    root().join("tests").join("fixtures").join(name)
}

/// The records of a log: a stamped line, a traceback up to its first unindented line, or a line
/// of `print()`.
pub fn messages(log: &str) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    let mut in_traceback = false;
    for line in log.lines() {
        match stamped(line) {
            Some(message) => {
                in_traceback = message.starts_with("Traceback (most recent call last):");
                records.push(message.to_owned());
            }
            None if in_traceback => {
                let record = records.last_mut().expect("a traceback has begun");
                record.push('\n');
                record.push_str(line);
                in_traceback = line.starts_with(' ');
            }
            None => records.push(line.to_owned()),
        }
    }
    records
}

/// The message of a line in Python's form, `2026-01-22 14:30:15[,123] - logger - LEVEL - message`.
fn stamped(line: &str) -> Option<&str> {
    let mut parts = line.splitn(4, " - ");
    let stamp = parts.next()?;
    let is_stamp = stamp.len() >= 19
        && stamp.starts_with("20")
        && stamp
            .chars()
            .all(|c| c.is_ascii_digit() || "- :,".contains(c));
    let (_, _, message) = (parts.next()?, parts.next()?, parts.next()?);
    is_stamp.then_some(message)
}

/// The masked cards in a text: digits, stars, digits.
fn cards(text: &str) -> Vec<String> {
    let part = |c: char| c.is_ascii_digit() || c == '*';
    text.split(|c| !part(c))
        .filter(|word| word.contains("****"))
        .map(str::to_owned)
        .collect()
}

/// A message with everything replaced that redaction may replace, in the same words before and
/// after redaction.
pub fn beyond_redaction(message: &str) -> String {
    let mut text = message.to_owned();
    for card in cards(message) {
        text = text.replace(&card, CARD_MARK);
    }
    if let Some(id) = text.strip_prefix(TRANSACTION) {
        let is_clear = id.len() == 10 && id.chars().all(|c| c.is_ascii_digit());
        let is_hash = id.strip_prefix('#').is_some_and(|hex| {
            hex.len() == 16
                && hex
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() && !c.is_uppercase())
        });
        if is_clear || is_hash {
            text = format!("{TRANSACTION}<id>");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recordings_hold_as_many_records_as_their_truth_says() {
        for name in ["vending_app", "vending_app_ms"] {
            Fixture::read(name);
        }
    }

    #[test]
    fn redaction_is_the_only_difference_that_is_forgiven() {
        let before = r"[POLL] status=b'2\x1e2000\x1e0786***********6661\x1e' display=authorizing";
        let after = r"[POLL] status=b'2\x1e2000\x1e[card]\x1e' display=authorizing";
        assert_eq!(beyond_redaction(before), beyond_redaction(after));
        let hashed = "Transaction ID: #0123456789abcdef";
        assert_eq!(
            beyond_redaction("Transaction ID: 3192782745"),
            beyond_redaction(hashed)
        );
        assert_ne!(
            beyond_redaction("Transaction ID: #0123"),
            beyond_redaction(hashed)
        );
        assert_ne!(beyond_redaction("one"), beyond_redaction("two"));
    }
}
