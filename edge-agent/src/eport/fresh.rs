//! The entries that no drop covers yet: how many there are of each level, and which of them may go.
//! Bounded: of a long silence the most important ones are kept by number, the others counted.

use std::collections::VecDeque;

use wire::Level;
use wire::drops::{Counts, Covers};

/// The most entries that are kept by number: some twenty drops' worth.
const KEPT_MAX: usize = 2_000;

/// An entry that may go into a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshEntry {
    /// Its number.
    pub seq: u64,
    /// Its level.
    pub level: Level,
    /// When the shipper saw it, in microseconds since boot.
    pub seen_us: i64,
    /// It speaks of payment.
    pub is_payment: bool,
    /// The agent's daily summary.
    pub is_summary: bool,
    /// Equal for entries that say the same; only of levels that do not wait.
    pub text_hash: u64,
}

impl FreshEntry {
    /// More is more important: CRITICAL, then the daily summary, which is one line; then by level.
    /// Of equals the newer.
    pub fn importance(&self) -> (u8, u64) {
        let rank = match (self.level, self.is_summary) {
            (Level::Critical, _) => 6,
            (_, true) => 5,
            (level, false) => level.as_u8(),
        };
        (rank, self.seq)
    }
}

/// Entries in a row.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    first: u64,
    last: u64,
    counts: Counts,
    kept: VecDeque<FreshEntry>,
    not_kept: Counts,
}

impl Fresh {
    /// Takes in the entry that follows those before. `entry`: it may go into a drop.
    pub fn see(&mut self, seq: u64, level: Level, entry: Option<FreshEntry>) {
        if self.first == 0 {
            self.first = seq;
        }
        self.last = seq;
        self.counts.add(level, 1);
        self.kept.extend(entry);
        if self.kept.len() > KEPT_MAX {
            self.forget_least();
        }
    }

    /// Takes in those that follow.
    pub fn append(&mut self, later: Fresh) {
        if later.first == 0 {
            return;
        }
        if self.first == 0 {
            *self = later;
            return;
        }
        self.last = later.last;
        for level in Level::ALL {
            self.counts.add(level, later.counts.of(level));
            self.not_kept.add(level, later.not_kept.of(level));
        }
        self.kept.extend(later.kept);
        while self.kept.len() > KEPT_MAX {
            self.forget_least();
        }
    }

    /// What a drop says of them.
    pub fn covers(&self) -> Covers {
        Covers {
            first: self.first,
            last: self.last,
            counts: self.counts,
        }
    }

    /// Those that may go, in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &FreshEntry> {
        self.kept.iter()
    }

    /// Those that might have gone, but were too many to be kept, by level.
    pub fn not_kept(&self) -> Counts {
        self.not_kept
    }

    fn forget_least(&mut self) {
        let least = (0..self.kept.len()).min_by_key(|index| self.kept[*index].importance());
        if let Some(entry) = least.and_then(|least| self.kept.remove(least)) {
            self.not_kept.add(entry.level, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, level: Level) -> FreshEntry {
        FreshEntry {
            seq,
            level,
            seen_us: 0,
            is_payment: false,
            is_summary: false,
            text_hash: 0,
        }
    }

    #[test]
    fn of_too_many_the_important_and_the_newest_stay_and_the_others_are_counted() {
        let mut fresh = Fresh::default();
        for seq in 1..=5000 {
            let level = if seq % 100 == 0 {
                Level::Critical
            } else {
                Level::Warn
            };
            fresh.see(seq, level, Some(entry(seq, level)));
        }
        let covers = fresh.covers();
        assert_eq!(
            (covers.first, covers.last, covers.counts.total()),
            (1, 5000, 5000)
        );
        assert_eq!(fresh.entries().count(), KEPT_MAX);
        let grave = fresh
            .entries()
            .filter(|entry| entry.level == Level::Critical);
        assert_eq!(grave.count(), 50);
        assert_eq!(fresh.not_kept().of(Level::Warn), 5000 - KEPT_MAX as u64);
        assert_eq!(
            fresh
                .entries()
                .find(|e| e.level == Level::Warn)
                .unwrap()
                .seq,
            3031
        );
    }

    #[test]
    fn rows_that_follow_each_other_become_one() {
        let mut row = Fresh::default();
        let mut later = Fresh::default();
        row.append(later.clone());
        assert!(row.covers().is_empty());
        later.see(7, Level::Info, None);
        later.see(8, Level::Error, Some(entry(8, Level::Error)));
        row.append(later);
        let mut last = Fresh::default();
        last.see(9, Level::Info, None);
        row.append(last);
        let covers = row.covers();
        assert_eq!(
            (covers.first, covers.last, covers.counts.of(Level::Info)),
            (7, 9, 2)
        );
    }
}
