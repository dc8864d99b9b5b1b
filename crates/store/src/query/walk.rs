//! Walking over the days of a search in order, slice by slice, so that the rows of many machines
//! come out merged and a time budget can end the walk anywhere.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use rusqlite::Row;
use wire::Micros;
use wire::time::{DAY_US, HOUR_US, MINUTE_US};

use crate::catalog::rollups::hour_of;
use crate::day::Day;
use crate::day::entries::EntryKey;
use crate::error::StoreError;
use crate::query::filter::Filter;
use crate::query::scan::{Ended, Scan, Source, Stretch};
use crate::query::search::Search;
use crate::query::{Deadline, Order};
use crate::readers::{DayReader, Readers};
use crate::shared::Shared;

/// The first slice when many machines are merged. It grows while little is found.
const FIRST_SLICE_US: i64 = 4 * MINUTE_US;
/// The widest slice of many machines: a longer one would take long between two looks at the clock.
const WIDEST_SLICE_US: i64 = 6 * HOUR_US;
const GROWTH: i64 = 4;
/// A slice that took this part of the budget is not followed by a wider one.
const SLOW_PART: u32 = 16;
/// Rows that are at least taken of each machine at once when many are merged.
const FIRST_CHUNK: usize = 4;

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
    /// Rows taken of each machine at once.
    chunk: usize,
    /// The hour that is known to have entries in question.
    hour: Option<i64>,
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
            chunk: FIRST_CHUNK,
            hour: None,
            moved: false,
        };
        let (from, to) = self.span(after);
        for day in self.days(from, to) {
            let mut stretch = Stretch {
                from: from.max(day.start()),
                to: to.min(day.end()),
                after,
            };
            if visitor.wanted() == 0 {
                break;
            }
            if progress.moved && self.deadline.passed() {
                return Ok(WalkEnd::OutOfTime(self.edge(&stretch)));
            }
            match self.skip_empty_hours(&mut stretch, &mut progress)? {
                Ahead::Something => {}
                Ahead::NothingHere => continue,
                Ahead::Nothing => break,
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

    /// Moves the near end of a stretch to the next hour that the rollups know to have entries.
    fn skip_empty_hours(
        &self,
        stretch: &mut Stretch,
        progress: &mut Progress,
    ) -> Result<Ahead, StoreError> {
        let near = match self.order {
            Order::Desc => hour_of(stretch.to.plus_us(-1)),
            Order::Asc => hour_of(stretch.from),
        };
        let ahead = |hour: i64| match self.order {
            Order::Desc => hour <= near,
            Order::Asc => hour >= near,
        };
        let hour = match progress.hour {
            Some(hour) if ahead(hour) => hour,
            _ => match self.search.next_hour(self.readers, near, self.order)? {
                Some(hour) => hour,
                None => return Ok(Ahead::Nothing),
            },
        };
        progress.hour = Some(hour);
        let start = Micros(hour.saturating_mul(HOUR_US));
        match self.order {
            Order::Desc => stretch.to = stretch.to.min(start.plus_us(HOUR_US)),
            Order::Asc => stretch.from = stretch.from.max(start),
        }
        Ok(if stretch.from < stretch.to {
            Ahead::Something
        } else {
            Ahead::NothingHere
        })
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
        mut stretch: Stretch,
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
        while stretch.from < stretch.to && visitor.wanted() > 0 {
            if progress.moved && self.deadline.passed() {
                return Ok(Some(WalkEnd::OutOfTime(self.edge(&stretch))));
            }
            if self.skip_empty_hours(&mut stretch, progress)? != Ahead::Something {
                return Ok(None);
            }
            // One source comes in order by itself: the whole rest of the day is one slice.
            let width = if sources.len() == 1 {
                DAY_US
            } else {
                progress.width_us
            };
            let mut slice = stretch;
            match self.order {
                Order::Desc => slice.from = stretch.from.max(stretch.to.plus_us(-width)),
                Order::Asc => slice.to = stretch.to.min(stretch.from.plus_us(width)),
            }
            let scan = Scan {
                day: reader,
                order: self.order,
                min_level: self.search.min_level,
                filter: &filter,
                deadline: (progress.moved || sources.len() == 1).then_some(self.deadline),
            };
            match self.slice(&scan, &sources, slice, progress, visitor)? {
                SliceEnd::Whole => match self.order {
                    Order::Desc => stretch.to = slice.from,
                    Order::Asc => stretch.from = slice.to,
                },
                SliceEnd::Until(place) => {
                    stretch.after = Some(place);
                    match self.order {
                        Order::Desc => stretch.to = place.filed_at.plus_us(1),
                        Order::Asc => stretch.from = place.filed_at,
                    }
                }
                SliceEnd::OutOfTime(place) => {
                    let place = place.unwrap_or_else(|| self.edge(&stretch));
                    return Ok(Some(WalkEnd::OutOfTime(place)));
                }
            }
            progress.moved = true;
        }
        Ok(None)
    }

    /// Looks at one slice and gives its rows to the visitor.
    fn slice<V: Visitor>(
        &self,
        scan: &Scan<'_>,
        sources: &[Source],
        stretch: Stretch,
        progress: &mut Progress,
        visitor: &mut V,
    ) -> Result<SliceEnd, StoreError> {
        let started = Instant::now();
        let wanted = visitor.wanted();
        let merged = sources.len() > 1;
        let chunk = match wanted {
            usize::MAX => wanted,
            _ if merged => wanted.min(progress.chunk.max(2 * wanted / sources.len())),
            _ => wanted,
        };
        let mut rows = Vec::new();
        // The nearest place at which a machine's chunk ended: beyond it others may have rows that
        // belong between those that were not read.
        let mut until: Option<EntryKey> = None;
        for &source in sources {
            let before = rows.len();
            let ended = scan.run(source, stretch, chunk, |key, row| {
                rows.push((key, visitor.read(scan.day.day, key, row)?));
                Ok(())
            })?;
            match ended {
                Ended::OutOfTime(_) if merged => return Ok(SliceEnd::OutOfTime(None)),
                Ended::OutOfTime(place) => {
                    visitor.slice(scan.day, rows)?;
                    return Ok(SliceEnd::OutOfTime(place));
                }
                Ended::Whole => {}
            }
            if merged
                && rows.len() - before == chunk
                && let Some((last, _)) = rows.last()
            {
                until = Some(until.map_or(*last, |until| match self.order {
                    Order::Desc => until.max(*last),
                    Order::Asc => until.min(*last),
                }));
            }
        }
        if let Some(until) = until {
            rows.retain(|(key, _)| match self.order {
                Order::Desc => *key >= until,
                Order::Asc => *key <= until,
            });
            progress.chunk = progress.chunk.saturating_mul(2);
        } else if rows.len() < wanted / GROWTH as usize {
            progress.widen(started.elapsed(), self.deadline.budget());
        }
        match self.order {
            Order::Desc => rows.sort_unstable_by_key(|(key, _)| Reverse(*key)),
            Order::Asc => rows.sort_unstable_by_key(|(key, _)| *key),
        }
        rows.truncate(wanted);
        visitor.slice(scan.day, rows)?;
        Ok(until.map_or(SliceEnd::Whole, SliceEnd::Until))
    }

    /// The place that says: everything before this stretch was looked at.
    fn edge(&self, stretch: &Stretch) -> EntryKey {
        let (filed_at, rest) = match self.order {
            Order::Desc => (stretch.to, i64::MIN),
            Order::Asc => (stretch.from.plus_us(-1), i64::MAX),
        };
        let edge = EntryKey {
            filed_at,
            epoch: rest,
            seq: rest,
            machine: rest,
        };
        // Within an instant a place of the rows themselves is nearer.
        match (stretch.after, self.order) {
            (Some(after), Order::Desc) => edge.min(after),
            (Some(after), Order::Asc) => edge.max(after),
            (None, _) => edge,
        }
    }
}

/// What lies ahead in a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    /// There may be entries.
    Something,
    /// There are none in this stretch.
    NothingHere,
    /// There are none at all any more.
    Nothing,
}

/// How a slice ended.
enum SliceEnd {
    /// The visitor has all of it, or as much as it wanted.
    Whole,
    /// The visitor has everything up to this place.
    Until(EntryKey),
    /// Out of time; the visitor has everything up to this place, or nothing of the slice.
    OutOfTime(Option<EntryKey>),
}

impl Progress {
    fn widen(&mut self, took: Duration, budget: Duration) {
        if took * SLOW_PART < budget {
            self.width_us = (self.width_us * GROWTH).min(WIDEST_SLICE_US);
        }
    }
}
