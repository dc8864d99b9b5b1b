//! Ranges of seqs: sorted, apart from each other.

use serde::{Deserialize, Serialize};

/// The seqs from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeqRange {
    /// The first.
    pub from: u64,
    /// The last, never before the first.
    pub to: u64,
}

impl SeqRange {
    /// From `from` to `to`; `None` when there is nothing between them.
    pub fn new(from: u64, to: u64) -> Option<SeqRange> {
        (from <= to).then_some(SeqRange { from, to })
    }

    /// How many seqs it has.
    pub fn count(self) -> u64 {
        self.to - self.from + 1
    }
}

/// A set of seqs, held as ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeqRanges(Vec<SeqRange>);

impl SeqRanges {
    /// Adds a range; those that touch become one.
    pub fn add(&mut self, mut range: SeqRange) {
        self.0.retain(|other| {
            let touches = other.from <= range.to.saturating_add(1)
                && range.from <= other.to.saturating_add(1);
            if touches {
                range.from = range.from.min(other.from);
                range.to = range.to.max(other.to);
            }
            !touches
        });
        let at = self.0.partition_point(|other| other.from < range.from);
        self.0.insert(at, range);
    }

    /// What of `range` is not in it, in order.
    pub fn missing_of(&self, range: SeqRange) -> Vec<SeqRange> {
        let mut missing = Vec::new();
        let mut from = range.from;
        let inside = self.0.iter();
        for other in inside.filter(|other| other.to >= range.from && other.from <= range.to) {
            missing.extend(
                other
                    .from
                    .checked_sub(1)
                    .and_then(|to| SeqRange::new(from, to)),
            );
            from = other.to.saturating_add(1);
        }
        missing.extend(SeqRange::new(from, range.to));
        missing
    }

    /// Takes out everything up to `seq`.
    pub fn forget_through(&mut self, seq: u64) {
        self.0.retain(|range| range.to > seq);
        if let Some(first) = self.0.first_mut() {
            first.from = first.from.max(seq.saturating_add(1));
        }
    }

    /// The ranges, in order.
    pub fn as_slice(&self) -> &[SeqRange] {
        &self.0
    }

    /// How many seqs are in it.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u64, to: u64) -> SeqRange {
        SeqRange { from, to }
    }

    #[test]
    fn ranges_that_touch_become_one_and_what_is_missing_is_found() {
        let mut set = SeqRanges::default();
        for (from, to) in [(10, 12), (1, 2), (20, 20), (13, 15), (3, 3), (11, 14)] {
            set.add(range(from, to));
        }
        assert_eq!(set.as_slice(), [range(1, 3), range(10, 15), range(20, 20)]);
        assert_eq!(set.count(), 10);
        let missing = set.missing_of(range(2, 22));
        assert_eq!(missing, [range(4, 9), range(16, 19), range(21, 22)]);
        assert!(set.missing_of(range(11, 14)).is_empty());
        set.forget_through(12);
        assert_eq!(set.as_slice(), [range(13, 15), range(20, 20)]);
    }
}
