//! Entries that can be told apart and checked by themselves: each has a number, a payload of its
//! own, and a hash of both. What comes out of a store is counted against what went in.

use std::fs::File;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use sim::rng::Rng;

/// Starts every message.
const HEAD: &str = "Entry ";
/// Stands before the hash, at the end.
const HASH: &str = " hash ";
/// What payloads are made of: what a log has, and what trips those who carry it.
const WORDS: [&str; 14] = [
    "card",
    "declined",
    "motor",
    "row",
    "é",
    "日本",
    "\"quoted\"",
    "a|b",
    "{\"k\":1}",
    "\\n",
    "%s",
    "=1+1",
    "<b>",
    "tap",
];
/// One in so many is of this level; the rest are INFO.
const LEVELS: [(u64, &str); 4] = [
    (997, "CRITICAL"),
    (101, "ERROR"),
    (17, "WARNING"),
    (5, "DEBUG"),
];

/// The message of entry `number` (1, 2, 3 …).
pub fn message(number: u64) -> String {
    let mut rng = Rng::new(number);
    let mut payload = String::new();
    for _ in 0..rng.between(2, 24) {
        match rng.between(0, 3) {
            // A letter ends it: several in a row could be taken for a card number.
            0 => payload.push_str(&format!("{}s", rng.between(0, 99_999))),
            _ => payload.push_str(WORDS[(rng.next_u64() % WORDS.len() as u64) as usize]),
        }
        payload.push(' ');
    }
    let text = format!("{HEAD}{number} {}", payload.trim_end());
    let hash = hash(&text);
    text + HASH + &hash
}

/// The line that Python's `logging` writes of it, with its newline.
pub fn line(number: u64, stamp: &str) -> String {
    format!("{stamp} - app - {} - {}\n", level(number), message(number))
}

/// Appends these entries to a log, which is made when it is not there.
///
/// # Panics
/// It cannot be written.
pub fn append(log: &Path, numbers: RangeInclusive<u64>) {
    let lines: String = numbers
        .map(|number| line(number, "2026-01-22 14:30:15,123"))
        .collect();
    let file = File::options().append(true).create(true).open(log);
    file.and_then(|mut file| file.write_all(lines.as_bytes()))
        .expect("the log can be written");
}

/// The level of entry `number` in Python's words.
pub fn level(number: u64) -> &'static str {
    let found = LEVELS
        .iter()
        .find(|(every, _)| number.is_multiple_of(*every));
    found.map_or("INFO", |(_, level)| level)
}

/// In letters: a run of digits could look like a card number.
fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let nibbles = digest.iter().take(8).flat_map(|b| [b >> 4, b & 15]);
    nibbles.map(|n| char::from(b'a' + n)).collect()
}

/// What came out, counted.
#[derive(Debug, Default)]
pub struct Tally {
    seen: Vec<bool>,
    /// Numbers that came more than once.
    pub twice: Vec<u64>,
    /// Messages whose hash does not fit.
    pub changed: Vec<String>,
    /// Entries that were never written by us, such as what the agent says of itself.
    pub others: Vec<Value>,
    /// `(epoch, seq)` of every entry.
    pub identities: Vec<(u64, u64)>,
}

impl Tally {
    /// Counts one entry as the API or the dump gives it.
    pub fn count(&mut self, entry: Value) {
        let number = |name: &str| entry[name].as_u64().unwrap_or(0);
        self.identities.push((number("epoch"), number("seq")));
        let message = entry["message"].as_str().unwrap_or_default();
        if !message.starts_with(HEAD) || entry["component"] == "agent" {
            self.others.push(entry);
            return;
        }
        let whole = message.rsplit_once(HASH);
        let Some((text, _)) = whole.filter(|(text, found)| hash(text) == *found) else {
            self.changed.push(message.to_owned());
            return;
        };
        let digits = text[HEAD.len()..].split(' ').next().unwrap_or_default();
        let number: u64 = digits.parse().unwrap_or(0);
        let place = number as usize;
        if self.seen.len() <= place {
            self.seen.resize(place + 1, false);
        }
        if std::mem::replace(&mut self.seen[place], true) {
            self.twice.push(number);
        }
    }

    /// The numbers from 1 to `last` that did not come.
    pub fn lost(&self, last: u64) -> Vec<u64> {
        let is_lost = |number: &u64| !self.seen.get(*number as usize).copied().unwrap_or(false);
        (1..=last).filter(is_lost).collect()
    }

    /// Fails unless 1 to `last` came, each once and unchanged, under identities that have no gap.
    ///
    /// # Panics
    /// Something is lost, twice, changed, or numbered wrongly.
    pub fn assert_whole(&mut self, last: u64) {
        let lost = self.lost(last);
        let first = |numbers: &[u64]| numbers[..numbers.len().min(20)].to_vec();
        assert!(
            lost.is_empty() && self.twice.is_empty() && self.changed.is_empty(),
            "of {last} entries {} are lost {:?}, {} came twice {:?}, {} are changed {:?}",
            lost.len(),
            first(&lost),
            self.twice.len(),
            first(&self.twice),
            self.changed.len(),
            self.changed.first()
        );
        self.identities.sort_unstable();
        let breaks = self.identities.windows(2).filter(|pair| {
            let (before, after) = (pair[0], pair[1]);
            after.0 == before.0 && after.1 != before.1 + 1
        });
        let breaks: Vec<_> = breaks.collect();
        assert!(breaks.is_empty(), "seqs jump or repeat: {breaks:?}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(seq: u64, message: String) -> Value {
        json!({"epoch": 7, "seq": seq, "component": "app", "message": message})
    }

    #[test]
    fn a_tally_sees_what_is_lost_twice_and_changed() {
        let mut tally = Tally::default();
        for (seq, number) in [(1, 1), (2, 2), (3, 2), (4, 5)] {
            tally.count(entry(seq, message(number)));
        }
        tally.count(entry(5, message(4).replacen("Entry 4", "Entry 3", 1)));
        tally.count(json!({"component": "agent", "message": "the disk is full"}));
        assert_eq!(tally.lost(5), [3, 4]);
        assert_eq!(tally.twice, [2]);
        assert_eq!((tally.changed.len(), tally.others.len()), (1, 1));
    }

    #[test]
    fn a_whole_tally_is_whole() {
        let mut tally = Tally::default();
        (1..=50)
            .rev()
            .for_each(|n| tally.count(entry(n, message(n))));
        tally.assert_whole(50);
    }
}
