//! What earlier drops had or had to leave out, and what may be said again: nothing confirms a drop,
//! so that spare bytes repeat the most important entries. CRITICAL first, the least often sent
//! first, the newest first. Bounded by [`Memory::tidy`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::Level;

/// The most entries that are remembered to be said again; their numbers are in the state file.
const REMEMBERED_MAX: usize = 300;
/// The most CRITICAL entries that are owed, besides: as many as a drop can cover by number. They keep
/// the spool from being trimmed, and go with the next drops.
const OWED_MAX: usize = 2_000;
/// The most bytes of entries in memory; of the others only the spool has the words.
const TEXTS_MAX_BYTES: usize = 96 * 1024;
/// An entry larger than this is not repeated: it would not fit into spare bytes.
const TEXT_MAX_BYTES: usize = 4 * 1024;

/// How often an entry is sent in all. Of drops of which three in ten are lost, one in 15,000
/// CRITICAL stays unheard, one in a hundred ERROR, one in ten WARN.
fn times_max(level: Level) -> u8 {
    match level {
        Level::Critical => 8,
        Level::Error => 4,
        Level::Debug | Level::Info | Level::Warn => 2,
    }
}

/// An entry that was in a drop, or was left out of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u8, u8)", into = "(u64, u8, u8)")]
pub struct Remembered {
    /// Its number.
    pub seq: u64,
    /// Its level.
    pub level: Level,
    /// In how many drops it was.
    pub times: u8,
}

impl From<(u64, u8, u8)> for Remembered {
    fn from((seq, level, times): (u64, u8, u8)) -> Remembered {
        let level = Level::from_u8(level).unwrap_or(Level::Warn);
        Remembered { seq, level, times }
    }
}

impl From<Remembered> for (u64, u8, u8) {
    fn from(of: Remembered) -> (u64, u8, u8) {
        (of.seq, of.level.as_u8(), of.times)
    }
}

impl Remembered {
    /// A CRITICAL that was in no drop yet, although one covers it.
    pub fn is_owed(&self) -> bool {
        self.level == Level::Critical && self.times == 0
    }

    /// Smaller comes first.
    fn order(&self) -> (bool, u8, std::cmp::Reverse<Level>, std::cmp::Reverse<u64>) {
        (
            self.level != Level::Critical,
            self.times,
            std::cmp::Reverse(self.level),
            std::cmp::Reverse(self.seq),
        )
    }
}

/// What is remembered, and the words of it.
#[derive(Debug, Default)]
pub struct Memory {
    /// In order of seq.
    list: BTreeMap<u64, Remembered>,
    /// As wire JSON, with the times that were offered.
    texts: BTreeMap<u64, String>,
    text_bytes: usize,
}

impl Memory {
    /// What the state file had; the words come by [`Memory::keep`].
    pub fn restore(list: &[Remembered]) -> Memory {
        Memory {
            list: list.iter().map(|entry| (entry.seq, *entry)).collect(),
            ..Memory::default()
        }
    }

    /// What the state file is to have.
    pub fn list(&self) -> Vec<Remembered> {
        self.list.values().copied().collect()
    }

    /// Notes that a drop was sent that had the entry.
    pub fn sent(&mut self, seq: u64, level: Level) {
        let entry = self.list.entry(seq).or_insert(Remembered {
            seq,
            level,
            times: 0,
        });
        entry.times = entry.times.saturating_add(1);
        if entry.times >= times_max(entry.level) {
            self.forget(seq);
        }
    }

    /// Notes that a drop was sent that covers the entry and does not have it.
    pub fn left_out(&mut self, seq: u64, level: Level) {
        self.list.entry(seq).or_insert(Remembered {
            seq,
            level,
            times: 0,
        });
    }

    /// Keeps the words of an entry.
    pub fn keep(&mut self, seq: u64, json: &str) {
        if json.len() <= TEXT_MAX_BYTES && !self.texts.contains_key(&seq) {
            self.text_bytes += json.len();
            self.texts.insert(seq, json.to_owned());
        }
    }

    /// The words of an entry.
    pub fn text(&self, seq: u64) -> Option<&str> {
        self.texts.get(&seq).map(String::as_str)
    }

    /// It has arrived by another way, or is not there any more.
    pub fn forget(&mut self, seq: u64) {
        self.list.remove(&seq);
        self.forget_text(seq);
    }

    /// What may be said again, the most important first.
    pub fn in_order(&self) -> Vec<Remembered> {
        let mut all = self.list();
        all.sort_by_key(Remembered::order);
        all
    }

    /// The CRITICAL entries that were in no drop yet, in order.
    pub fn owed(&self) -> impl Iterator<Item = &Remembered> {
        self.list.values().filter(|entry| entry.is_owed())
    }

    /// Whether this is a CRITICAL that was in no drop yet, although one covers it.
    pub fn owes(&self, seq: u64) -> bool {
        self.list.get(&seq).is_some_and(Remembered::is_owed)
    }

    /// Forgets the least important when they are too many, and the words of what is not remembered;
    /// the words of `but` stay.
    pub fn tidy(&mut self, but: &[u64]) {
        self.bound();
        let unknown: Vec<u64> = self
            .texts
            .keys()
            .filter(|seq| !self.list.contains_key(seq) && !but.contains(seq))
            .copied()
            .collect();
        unknown.into_iter().for_each(|seq| self.forget_text(seq));
        let mut order = self.in_order();
        while self.text_bytes > TEXTS_MAX_BYTES {
            let Some(least) = order.pop() else { return };
            self.forget_text(least.seq);
        }
    }

    fn bound(&mut self) {
        if self.list.len() <= REMEMBERED_MAX {
            return;
        }
        let order = self.in_order();
        let (owed, others): (Vec<Remembered>, Vec<Remembered>) =
            order.into_iter().partition(Remembered::is_owed);
        let too_many = owed.iter().skip(OWED_MAX);
        for entry in too_many.chain(others.iter().skip(REMEMBERED_MAX)) {
            self.forget(entry.seq);
        }
    }

    fn forget_text(&mut self, seq: u64) {
        if let Some(text) = self.texts.remove(&seq) {
            self.text_bytes -= text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_goes_first_then_what_was_sent_least_then_the_newest() {
        let mut memory = Memory::default();
        memory.sent(1, Level::Critical);
        memory.sent(1, Level::Critical);
        memory.sent(2, Level::Critical);
        memory.sent(3, Level::Critical);
        memory.left_out(4, Level::Warn);
        memory.sent(5, Level::Error);
        memory.sent(6, Level::Error);
        let seqs = |memory: &Memory| -> Vec<u64> {
            memory.in_order().iter().map(|entry| entry.seq).collect()
        };
        assert_eq!(seqs(&memory), [3, 2, 1, 4, 6, 5]);
        assert_eq!(memory.owed().count(), 0);
        memory.left_out(7, Level::Critical);
        assert_eq!(seqs(&memory)[0], 7);
        assert_eq!(memory.owed().next().map(|entry| entry.seq), Some(7));
        for _ in 0..10 {
            memory.sent(6, Level::Error);
        }
        assert!(seqs(&memory).len() <= 7);
        let again = Memory::restore(&memory.list());
        assert_eq!(again.list(), memory.list());
    }

    #[test]
    fn an_entry_is_sent_a_few_times_and_then_no_more() {
        let mut memory = Memory::default();
        for (level, times) in [(Level::Critical, 8), (Level::Error, 4), (Level::Warn, 2)] {
            for _ in 1..times {
                memory.sent(9, level);
                assert_eq!(memory.in_order().len(), 1);
            }
            memory.sent(9, level);
            assert!(memory.in_order().is_empty(), "{level}");
        }
    }

    #[test]
    fn a_thousand_critical_that_did_not_fit_are_all_owed() {
        let mut memory = Memory::default();
        for seq in 0..1000 {
            memory.left_out(seq, Level::Critical);
            memory.left_out(5000 + seq, Level::Error);
        }
        memory.tidy(&[]);
        assert_eq!(memory.owed().count(), 1000);
        assert!(memory.owes(0) && !memory.owes(5999));
        assert_eq!(memory.list.len(), 1000 + REMEMBERED_MAX);
        for seq in 10_000..13_000 {
            memory.left_out(seq, Level::Critical);
        }
        memory.tidy(&[]);
        assert_eq!(memory.owed().count(), OWED_MAX);
        assert!(memory.owes(12_999) && !memory.owes(0), "the newest stay");
    }

    #[test]
    fn it_is_bounded_and_keeps_the_grave() {
        let mut memory = Memory::default();
        for seq in 0..2000 {
            let level = if seq % 20 == 0 {
                Level::Critical
            } else {
                Level::Warn
            };
            memory.keep(seq, &"x".repeat(1000));
            memory.sent(seq, level);
        }
        memory.tidy(&[]);
        assert_eq!(memory.list.len(), REMEMBERED_MAX);
        assert!(memory.text_bytes <= TEXTS_MAX_BYTES);
        let grave = memory
            .list
            .values()
            .filter(|entry| entry.level == Level::Critical);
        assert_eq!(grave.count(), 100);
        let texts: usize = memory.texts.values().map(String::len).sum();
        assert_eq!(texts, memory.text_bytes);
    }
}
