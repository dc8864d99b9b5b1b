//! Questions about entries and their answers.

pub(crate) mod around;
pub(crate) mod cursor;
pub(crate) mod each;
pub(crate) mod filter;
pub(crate) mod histogram;
pub(crate) mod page;
pub(crate) mod render;
pub(crate) mod scan;
pub(crate) mod search;
pub(crate) mod text;
pub(crate) mod walk;

use std::time::{Duration, Instant};

use wire::{Level, MachineId, Micros};

use crate::entry::StoredEntry;

/// Which entries are wanted. Empty lists and `None` mean everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryQuery {
    /// Any of these machines.
    pub machines: Vec<MachineId>,
    /// This level and graver.
    pub min_level: Option<Level>,
    /// Any of these components.
    pub components: Vec<String>,
    /// Filed at or after.
    pub from: Option<Micros>,
    /// Filed before.
    pub to: Option<Micros>,
    /// Words, all of which must be there: each is looked for, in any case, as a part of the
    /// component, the message or a `name=value` line of the context. `"a phrase"` keeps its
    /// spaces, `-not` must not be there, `field:value` is a whole value of the context (nested
    /// fields with dots).
    pub q: String,
}

/// Which way a page runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Desc,
    /// Oldest first.
    Asc,
}

/// One page to read.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Which way.
    pub order: Order,
    /// At most so many entries (1 to 1,000).
    pub limit: usize,
    /// Where the page before ended: `EntryPage::next`.
    pub cursor: Option<String>,
    /// How long a scan that no index serves may take.
    pub budget: Duration,
}

/// A page of entries.
#[derive(Debug, Clone, Default)]
pub struct EntryPage {
    /// In the order asked for.
    pub entries: Vec<StoredEntry>,
    /// Opaque: where the next page starts; `None` at the end.
    pub next: Option<String>,
    /// When the time budget ended the scan: how far it came.
    pub searched_to: Option<Micros>,
}

/// Counts by level over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Start of the first bin.
    pub from: Micros,
    /// Width of a bin in microseconds.
    pub step_us: i64,
    /// Counts by level, one array a bin.
    pub bins: Vec<[u64; 5]>,
    /// False when a time budget ended the count or bins were rounded to rollup hours.
    pub exact: bool,
}

/// The lines around an entry, of the same machine, oldest first.
#[derive(Debug, Clone)]
pub struct Around {
    /// Lines before, the entry, lines after.
    pub entries: Vec<StoredEntry>,
    /// Place of the entry in `entries`.
    pub index: usize,
    /// How often the entry's template was seen on its day, over all machines.
    pub template_count_on_day: u64,
}

/// When a scan has to end. Monotonic: it measures work, it dates nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    budget: Duration,
}

impl Deadline {
    pub(crate) fn after(budget: Duration) -> Deadline {
        Deadline {
            started: Instant::now(),
            budget,
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.started.elapsed() >= self.budget
    }

    /// Time used so far, as parts of the budget.
    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }
}
