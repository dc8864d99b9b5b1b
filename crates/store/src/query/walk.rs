//! Walking over the days of a search in order, slice by slice, so that the rows of many machines
//! come out merged and a time budget can end the walk anywhere.

use std::time::{Duration, Instant};

use rusqlite::Row;
use wire::time::{DAY_US, HOUR_US, SECOND_US};
use wire::{Level, Micros};

use crate::day::Day;
use crate::day::entries::EntryKey;
use crate::error::StoreError;
use crate::query::filter::Filter;
use crate::query::scan::{Ended, Scan, Source, Stretch};
use crate::query::text::{self, Term};
use crate::query::{Deadline, EntryQuery, Order};
use crate::readers::{DayReader, Readers};
use crate::shared::{MachineNo, Shared};

/// The first slice when many machines are merged. It grows while little is found.
const FIRST_SLICE_US: i64 = 15 * SECOND_US;
/// The widest slice of many machines: a longer one would take long between two looks at the clock.
const WIDEST_SLICE_US: i64 = 6 * HOUR_US;
const GROWTH: i64 = 4;
/// A slice that took this part of the budget is not followed by a wider one.
const SLOW_PART: u32 = 16;
/// Up to so many machines their own indexes of WARN and above are read, beyond it the common one.
const FEW_MACHINES: usize = 8;

/// A query whose names are numbers.
pub(crate) struct Search {
    /// `None`: all.
    machines: Option<Vec<MachineNo>>,
    min_level: Level,
    components: Vec<String>,
    from: Micros,
    to: Micros,
    terms: Vec<Term>,
}

impl Search {
    pub(crate) fn new(shared: &Shared, query: &EntryQuery) -> Search {
        let registry = shared.registry();
        let mut machines: Vec<MachineNo> = query
            .machines
            .iter()
            .filter_map(|id| registry.number(id))
            .collect();
        machines.sort_unstable();
        machines.dedup();
        Search {
            machines: (!query.machines.is_empty()).then_some(machines),
            min_level: query.min_level.unwrap_or(Level::Debug),
            components: query.components.clone(),
            from: query.from.unwrap_or(Micros(i64::MIN)),
            to: query.to.unwrap_or(Micros(i64::MAX)),
            terms: text::parse(&query.q),
        }
    }

    /// A search for everything of one machine.
    pub(crate) fn of_machine(machine: MachineNo) -> Search {
        Search {
            machines: Some(vec![machine]),
            min_level: Level::Debug,
            components: Vec::new(),
            from: Micros(i64::MIN),
            to: Micros(i64::MAX),
            terms: Vec::new(),
        }
    }

    /// The same search within these instants.
    pub(crate) fn within(mut self, from: Micros, to: Micros) -> Search {
        self.from = self.from.max(from);
        self.to = self.to.min(to);
        self
    }

    fn sources(&self, day: &DayReader<'_>) -> Vec<Source> {
        let present = day.sentences.machines();
        let machines: Vec<MachineNo> = match &self.machines {
            Some(wanted) => wanted
                .iter()
                .copied()
                .filter(|no| present.contains(no))
                .collect(),
            None => present.to_vec(),
        };
        let all = machines.len() == present.len();
        if all && self.min_level >= Level::Warn && machines.len() > FEW_MACHINES {
            return vec![Source::Grave];
        }
        machines.into_iter().map(Source::Machine).collect()
    }
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkEnd {
    /// At the end of what is stored or asked for, or the visitor had enough.
    Done,
    /// Out of time: everything before this place (in the order of the walk) was looked at.
    OutOfTime(EntryKey),
}

/// Who gets the rows of a walk.
pub(crate) trait Visitor {
    /// What is kept of a row.
    type Item;
    /// How many more rows are wanted; 0 ends the walk.
    fn wanted(&self) -> usize;
    /// Takes what is to be kept of a row.
    fn read(&self, day: Day, key: EntryKey, row: &Row<'_>) -> rusqlite::Result<Self::Item>;
    /// Gets the rows of a slice that was looked at, in order; at most as many as were wanted.
    fn slice(
        &mut self,
        day: &DayReader<'_>,
        rows: Vec<(EntryKey, Self::Item)>,
    ) -> Result<(), StoreError>;
}

/// A walk in one direction from a place on.
pub(crate) struct Walk<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) readers: &'a Readers,
    pub(crate) search: &'a Search,
    pub(crate) order: Order,
    pub(crate) deadline: Deadline,
}

/// What a walk carries from slice to slice.
struct Progress {
    width_us: i64,
    /// Some way was made: from now on the budget may end the walk.
    moved: bool,
}

impl Walk<'_> {
    /// Walks from after a place to the end, the visitor's or the budget's.
    pub(crate) fn run<V: Visitor>(
        &self,
        after: Option<EntryKey>,
        visitor: &mut V,
    ) -> Result<WalkEnd, StoreError> {
        let mut progress = Progress {
            width_us: FIRST_SLICE_US,
            moved: false,
        };
        let (from, to) = self.span(after);
        for day in self.days(from, to) {
            if visitor.wanted() == 0 {
                break;
            }
            let stretch = Stretch {
                from: from.max(day.start()),
                to: to.min(day.end()),
                after,
            };
            if progress.moved && self.deadline.passed() {
                return Ok(WalkEnd::OutOfTime(self.edge(stretch.from, stretch.to)));
            }
            if let Some(reader) = self.readers.day(day)?
                && let Some(end) = self.day(&reader, stretch, &mut progress, visitor)?
            {
                return Ok(end);
            }
            progress.moved = true;
        }
        Ok(WalkEnd::Done)
    }

    /// The instants that are left after a place.
    fn span(&self, after: Option<EntryKey>) -> (Micros, Micros) {
        let Search { from, to, .. } = *self.search;
        match (after, self.order) {
            // The edge of a slice: nothing at its instant itself is left.
            (Some(key), Order::Desc) if key.epoch == i64::MIN => (from, to.min(key.filed_at)),
            (Some(key), Order::Desc) => (from, to.min(key.filed_at.plus_us(1))),
            (Some(key), Order::Asc) if key.epoch == i64::MAX && key.machine == i64::MAX => {
                (from.max(key.filed_at.plus_us(1)), to)
            }
            (Some(key), Order::Asc) => (from.max(key.filed_at), to),
            (None, _) => (from, to),
        }
    }

    /// The days to look at, in order.
    fn days(&self, from: Micros, to: Micros) -> Vec<Day> {
        if from >= to {
            return Vec::new();
        }
        let range = Day::of(from)..=Day::of(to.plus_us(-1));
        let mut days: Vec<Day> = self.shared.days().range(range).copied().collect();
        if self.order == Order::Desc {
            days.reverse();
        }
        days
    }

    fn day<V: Visitor>(
        &self,
        reader: &DayReader<'_>,
        stretch: Stretch,
        progress: &mut Progress,
        visitor: &mut V,
    ) -> Result<Option<WalkEnd>, StoreError> {
        let filter = Filter::new(
            &reader.sentences,
            &self.search.components,
            &self.search.terms,
        );
        let sources = self.search.sources(reader);
        if sources.is_empty() || filter.never() {
            return Ok(None);
        }
        let Stretch {
            mut from,
            mut to,
            after,
        } = stretch;
        while from < to && visitor.wanted() > 0 {
            if progress.moved && self.deadline.passed() {
                return Ok(Some(WalkEnd::OutOfTime(self.edge(from, to))));
            }
            // One source comes in order by itself: the whole rest of the day is one slice.
            let width = if sources.len() == 1 {
                DAY_US
            } else {
                progress.width_us
            };
            let (slice_from, slice_to) = match self.order {
                Order::Desc => (from.max(to.plus_us(-width)), to),
                Order::Asc => (from, to.min(from.plus_us(width))),
            };
            let scan = Scan {
                day: reader,
                order: self.order,
                min_level: self.search.min_level,
                filter: &filter,
                deadline: (progress.moved || sources.len() == 1).then_some(self.deadline),
            };
            let stretch = Stretch {
                from: slice_from,
                to: slice_to,
                after,
            };
            let end = self.slice(&scan, &sources, stretch, progress, visitor)?;
            if let Some(place) = end {
                let place = place.unwrap_or_else(|| self.edge(from, to));
                return Ok(Some(WalkEnd::OutOfTime(place)));
            }
            progress.moved = true;
            match self.order {
                Order::Desc => to = slice_from,
                Order::Asc => from = slice_to,
            }
        }
        Ok(None)
    }

    /// One slice. `Some` when the time ended it: the place up to which the visitor has everything,
    /// or `None` in it when that is the edge of the slice.
    fn slice<V: Visitor>(
        &self,
        scan: &Scan<'_>,
        sources: &[Source],
        stretch: Stretch,
        progress: &mut Progress,
        visitor: &mut V,
    ) -> Result<Option<Option<EntryKey>>, StoreError> {
        let started = Instant::now();
        let wanted = visitor.wanted();
        let mut rows = Vec::new();
        let mut ended = Ended::Whole;
        for &source in sources {
            ended = scan.run(source, stretch, wanted, |key, row| {
                rows.push((key, visitor.read(scan.day.day, key, row)?));
                Ok(true)
            })?;
            if ended != Ended::Whole {
                break;
            }
        }
        if let Ended::OutOfTime(place) = ended {
            if sources.len() > 1 {
                return Ok(Some(None));
            }
            visitor.slice(scan.day, rows)?;
            return Ok(Some(place));
        }
        match self.order {
            Order::Desc => rows.sort_unstable_by(|a, b| b.0.cmp(&a.0)),
            Order::Asc => rows.sort_unstable_by(|a, b| a.0.cmp(&b.0)),
        }
        rows.truncate(wanted);
        if rows.len() < wanted / GROWTH as usize {
            progress.widen(started.elapsed(), self.deadline.budget());
        }
        visitor.slice(scan.day, rows)?;
        Ok(None)
    }

    /// The place that says: everything outside `from..to` was looked at.
    fn edge(&self, from: Micros, to: Micros) -> EntryKey {
        let (filed_at, rest) = match self.order {
            Order::Desc => (to, i64::MIN),
            Order::Asc => (from.plus_us(-1), i64::MAX),
        };
        EntryKey {
            filed_at,
            epoch: rest,
            seq: rest,
            machine: rest,
        }
    }
}

impl Progress {
    fn widen(&mut self, took: Duration, budget: Duration) {
        if took * SLOW_PART < budget {
            self.width_us = (self.width_us * GROWTH).min(WIDEST_SLICE_US);
        }
    }
}
