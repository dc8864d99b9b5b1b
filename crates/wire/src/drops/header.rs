//! What every drop of ours says of itself, whichever form it is written in.

use crate::{Level, MachineId, Micros};

/// The header of one drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropHeader {
    /// Whose.
    pub machine: MachineId,
    /// 1, 2, 3 ... within the epoch; never given twice, so that one that did not come is noticed.
    pub number: u64,
    /// The spool that numbered the entries and the drops.
    pub epoch: u64,
    /// When it was made, by the machine's clock, to the second.
    pub made_at: Micros,
    /// How long the machine has been up, in seconds.
    pub uptime_s: Option<u64>,
    /// The entries that are new since the drop before.
    pub covers: Covers,
    /// Entries of the covered range that are not in this drop although their level is one that goes
    /// by cell, by level as in [`Counts`].
    pub left_out: Counts,
    /// How exact the times of its entries are.
    pub time: TimePrecision,
}

/// The seqs that a drop answers for: each is in it, or was left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Covers {
    /// The first seq; 0 when nothing is covered.
    pub first: u64,
    /// The last seq; 0 when nothing is covered.
    pub last: u64,
    /// How many entries of each level the range has, in the drop or not.
    pub counts: Counts,
}

impl Covers {
    /// Whether no seq is covered.
    pub fn is_empty(&self) -> bool {
        self.first == 0
    }

    /// Whether this seq is covered.
    pub fn contains(&self, seq: u64) -> bool {
        !self.is_empty() && (self.first..=self.last).contains(&seq)
    }
}

/// Entries by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([u64; 5]);

impl Counts {
    /// The number of entries of a level.
    pub fn of(&self, level: Level) -> u64 {
        self.0[usize::from(level.as_u8())]
    }

    /// Counts so many more of a level.
    pub fn add(&mut self, level: Level, entries: u64) {
        let count = &mut self.0[usize::from(level.as_u8())];
        *count = count.saturating_add(entries);
    }

    /// All levels together.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// DEBUG, INFO, WARN, ERROR, CRITICAL.
    pub fn as_array(&self) -> [u64; 5] {
        self.0
    }

    /// From DEBUG, INFO, WARN, ERROR, CRITICAL.
    pub fn from_array(counts: [u64; 5]) -> Counts {
        Counts(counts)
    }
}

/// How exact the times in a drop are. Finer costs bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimePrecision {
    /// Cut to the minute.
    Minute,
    /// Cut to the second.
    #[default]
    Second,
    /// Cut to the millisecond.
    Millisecond,
}

impl TimePrecision {
    /// Its step in microseconds.
    pub fn step_us(self) -> i64 {
        match self {
            TimePrecision::Minute => crate::time::MINUTE_US,
            TimePrecision::Second => crate::time::SECOND_US,
            TimePrecision::Millisecond => 1_000,
        }
    }

    /// The time as a drop keeps it: cut down to a whole step.
    pub fn cut(self, at: Micros) -> Micros {
        Micros(
            at.0.div_euclid(self.step_us())
                .saturating_mul(self.step_us()),
        )
    }
}
