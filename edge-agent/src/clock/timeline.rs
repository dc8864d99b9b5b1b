//! What the wall clock showed in the course of this boot, and which of its stamps can be repaired.
//! Pure: every time is an argument.

use serde::{Deserialize, Serialize};
use wire::{ClockState, LogEntry, Micros};

/// Python writes whole seconds, cut off, and a line is read a moment after it was stamped: by so
/// much a stamp may lie outside its timeline.
pub const SLACK_US: i64 = 2_000_000;
/// A smaller difference of two bases is the same base read twice.
pub const SAME_BASE_US: i64 = 100_000;
/// Lines stamped before the clock was set are looked for this long after it was: a followed file
/// is read within a second of being written, but not while the spool is full.
pub const LATE_US: i64 = 10 * 60 * 1_000_000;
/// The most timelines of one boot that are remembered: a clock is seldom set twice before it is
/// set right.
pub const TIMELINES_MAX: usize = 4;

/// What a stamp was measured by: kept beside an entry whose clock was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Basis {
    /// Hash of the kernel's boot id, see [`super::boot`].
    pub boot: u64,
    /// Wall clock minus clock since boot, in microseconds: what the wall clock showed at boot.
    pub base_us: i64,
}

/// A stretch of this boot in which the clock was not set and did not step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// Wall clock minus clock since boot.
    pub base_us: i64,
    /// Its first moment, since boot.
    pub from_us: i64,
    /// Its last moment so far, since boot.
    pub until_us: i64,
}

impl Timeline {
    /// Whether a stamp can have been made in it.
    pub fn holds(&self, at: Micros) -> bool {
        let since_boot = at.0.saturating_sub(self.base_us);
        (self.from_us - SLACK_US..=self.until_us + SLACK_US).contains(&since_boot)
    }
}

/// What is known to be the right time of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// Right time minus clock since boot.
    pub base_us: i64,
    /// When it became known, since boot.
    pub since_us: i64,
}

/// What the clock says, how far that can be trusted, and what it said before in this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// The time.
    pub at: Micros,
    /// Whether a time source has set it; `Synced` when nobody says.
    pub state: ClockState,
    pub(super) boot: u64,
    pub(super) since_boot_us: i64,
    pub(super) timelines: [Option<Timeline>; TIMELINES_MAX],
    pub(super) right: Option<Right>,
}

impl Wall {
    /// A clock of which nothing else is known.
    pub fn plain(at: Micros, state: ClockState) -> Wall {
        Wall {
            at,
            state,
            boot: 0,
            since_boot_us: 0,
            timelines: [None; TIMELINES_MAX],
            right: None,
        }
    }

    /// Right time minus clock since boot, when it is known.
    pub fn right_base_us(&self) -> Option<i64> {
        self.right.map(|right| right.base_us)
    }

    /// Says in the entry, which was just read, how far its time can be trusted. One that was
    /// stamped while the clock was wrong is repaired when the right time is known already; else
    /// its basis is answered, to be kept beside it.
    pub fn judge(&self, entry: &mut LogEntry) -> Option<Basis> {
        entry.clock = self.state;
        let is_set = self.state == ClockState::Synced;
        if is_set && (self.is_late_over() || self.is_current(entry.timestamp)) {
            return None;
        }
        // The newest first: a clock that was set back repeats itself.
        let held = self.timelines.iter().rev().flatten();
        let timeline = held
            .copied()
            .find(|timeline| timeline.holds(entry.timestamp))?;
        let offset = self.right.map(|right| right.base_us - timeline.base_us);
        match offset {
            Some(offset) if offset.abs() > SAME_BASE_US => {
                entry.timestamp = entry.timestamp.plus_us(offset);
                entry.clock = ClockState::Repaired;
                None
            }
            _ if is_set => None,
            _ => Some(Basis {
                boot: self.boot,
                base_us: timeline.base_us,
            }),
        }
    }

    /// Whether it is too long ago that the clock was set.
    fn is_late_over(&self) -> bool {
        self.right
            .is_none_or(|right| self.since_boot_us > right.since_us + LATE_US)
    }

    /// Whether the stamp can be one of the clock since it was set.
    fn is_current(&self, at: Micros) -> bool {
        self.right.is_some_and(|right| {
            let current = Timeline {
                base_us: right.base_us,
                from_us: right.since_us,
                until_us: self.since_boot_us,
            };
            current.holds(at)
        })
    }
}
