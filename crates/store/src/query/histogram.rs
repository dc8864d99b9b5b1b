//! Counts by level over time, from rollups wherever they reach; rows are read at the edges only.

use std::time::Duration;

use rusqlite::Row;
use wire::Micros;
use wire::time::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};

use crate::catalog::rollups::{self, FLEET, MINUTES_KEPT_US, hour_of, minute_of};
use crate::day::Day;
use crate::day::entries::{self, EntryKey};
use crate::error::StoreError;
use crate::query::search::Search;
use crate::query::walk::{Visitor, Walk, WalkEnd};
use crate::query::{Deadline, EntryQuery, Histogram, Order, text};
use crate::readers::{DayReader, Readers};
use crate::shared::{MachineNo, Shared};

/// The most bins of a histogram.
const BINS_MAX: usize = 2_000;
/// Rows that are counted one by one where rollups are too coarse; beyond it bins become hours.
const SCAN_MAX_ROWS: u64 = 200_000;

/// The start of the year 2200: no clock that is believed says more.
const LATEST: Micros = Micros(7_258_118_400_000_000);

/// Widths of a bin that people can read, ascending.
const STEPS_US: [i64; 23] = [
    SECOND_US,
    2 * SECOND_US,
    5 * SECOND_US,
    10 * SECOND_US,
    15 * SECOND_US,
    30 * SECOND_US,
    MINUTE_US,
    2 * MINUTE_US,
    5 * MINUTE_US,
    10 * MINUTE_US,
    15 * MINUTE_US,
    30 * MINUTE_US,
    HOUR_US,
    2 * HOUR_US,
    3 * HOUR_US,
    6 * HOUR_US,
    12 * HOUR_US,
    DAY_US,
    2 * DAY_US,
    7 * DAY_US,
    14 * DAY_US,
    28 * DAY_US,
    56 * DAY_US,
];

/// Counts by level in about `bins` bins.
///
/// # Errors
/// The store failed.
pub(crate) fn read(
    shared: &Shared,
    readers: &Readers,
    query: &EntryQuery,
    bins: usize,
    now: Micros,
    budget: Duration,
) -> Result<Histogram, StoreError> {
    let deadline = Deadline::after(budget);
    let numbers = numbers(shared, query);
    let (from, to) = range(readers, query, now)?;
    let step_us = step(from, to, bins.clamp(1, BINS_MAX));
    let rolled = Rolled {
        readers,
        numbers: &numbers,
        query,
    };
    let mut counted = Counted::new(query, from, to, step_us);
    let by_text = !text::parse(&query.q).is_empty();
    if by_text {
        counted.exact = count_rows(shared, readers, query, (from, to), deadline, &mut counted)?;
        return Ok(counted.histogram());
    }
    let minutes = query.components.is_empty()
        && from >= now.plus_us(-MINUTES_KEPT_US + HOUR_US)
        && step_us % MINUTE_US == 0;
    let unit = if minutes {
        MINUTE_US
    } else if step_us % HOUR_US == 0 {
        HOUR_US
    } else if rolled.rows_about(from, to)? <= SCAN_MAX_ROWS {
        counted.exact = count_rows(shared, readers, query, (from, to), deadline, &mut counted)?;
        return Ok(counted.histogram());
    } else {
        counted = Counted::new(query, from, to, HOUR_US);
        counted.exact = false;
        HOUR_US
    };
    // Whole units from the rollups, what sticks out at both ends row by row.
    let whole_from = Micros(from.0.div_euclid(unit).saturating_mul(unit));
    let whole_from = if whole_from < from {
        whole_from.plus_us(unit)
    } else {
        whole_from
    };
    let whole_to = Micros(to.0.div_euclid(unit).saturating_mul(unit));
    if whole_from >= whole_to {
        counted.exact &= count_rows(shared, readers, query, (from, to), deadline, &mut counted)?;
        return Ok(counted.histogram());
    }
    rolled.count(unit, (whole_from, whole_to), &mut counted)?;
    for edge in [(from, whole_from), (whole_to, to)] {
        if edge.0 < edge.1 {
            counted.exact &= count_rows(shared, readers, query, edge, deadline, &mut counted)?;
        }
    }
    Ok(counted.histogram())
}

/// Whose rollups are asked for: the fleet's when all machines are.
fn numbers(shared: &Shared, query: &EntryQuery) -> Vec<MachineNo> {
    if query.machines.is_empty() {
        return vec![FLEET];
    }
    let registry = shared.registry();
    let mut numbers: Vec<MachineNo> = query
        .machines
        .iter()
        .filter_map(|id| registry.number(id))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The instants asked for, held within those that an entry can be filed at. An open start is where
/// the stored entries start, an open end is now, or where they end when that is ahead of us.
fn range(
    readers: &Readers,
    query: &EntryQuery,
    now: Micros,
) -> Result<(Micros, Micros), StoreError> {
    let (oldest, newest) = readers.catalog(|catalog| {
        let oldest = rollups::first_hour(catalog, FLEET)?.map(|hour| hour.saturating_mul(HOUR_US));
        let minute = rollups::last_minute(catalog, FLEET)?;
        let newest = minute.map(|minute| (minute + 1).saturating_mul(MINUTE_US));
        Ok((oldest.map(Micros), newest.map(Micros)))
    })?;
    let held = |at: Micros| at.clamp(Micros(0), LATEST);
    let newest = newest.map_or(now, |newest| newest.max(now));
    let oldest = oldest.unwrap_or_else(|| now.plus_us(-DAY_US));
    let to = held(query.to.unwrap_or(newest));
    let from = held(
        query
            .from
            .unwrap_or_else(|| oldest.min(to.plus_us(-MINUTE_US))),
    );
    Ok((from, to.max(from.plus_us(SECOND_US))))
}

/// The narrowest readable width that covers the range with at most so many bins.
fn step(from: Micros, to: Micros, bins: usize) -> i64 {
    let bins = bins as i64;
    let fits = |step: i64| {
        let first = from.0.div_euclid(step);
        let last = to.plus_us(-1).0.div_euclid(step);
        last - first < bins
    };
    STEPS_US
        .into_iter()
        .find(|&step| fits(step))
        .unwrap_or_else(|| {
            let day = to.since_us(from) / bins / DAY_US + 1;
            (day..)
                .map(|days| days * DAY_US)
                .find(|&step| fits(step))
                .unwrap_or(day * DAY_US * 2)
        })
}

/// Bins that are being filled.
struct Counted {
    from: Micros,
    step_us: i64,
    bins: Vec<[u64; 5]>,
    lowest: usize,
    exact: bool,
}

impl Counted {
    fn new(query: &EntryQuery, from: Micros, to: Micros, step_us: i64) -> Counted {
        let start = Micros(from.0.div_euclid(step_us) * step_us);
        let count = to.plus_us(-1).since_us(start).div_euclid(step_us) + 1;
        let lowest = query
            .min_level
            .map_or(0, |level| usize::from(level.as_u8()));
        let bins = vec![[0; 5]; usize::try_from(count).unwrap_or(1)];
        Counted {
            from: start,
            step_us,
            bins,
            lowest,
            exact: true,
        }
    }

    fn add(&mut self, at: Micros, counts: [u64; 5]) {
        let place = usize::try_from(at.since_us(self.from).div_euclid(self.step_us));
        if let Some(bin) = place.ok().and_then(|place| self.bins.get_mut(place)) {
            for level in self.lowest..5 {
                bin[level] += counts[level];
            }
        }
    }

    fn histogram(self) -> Histogram {
        Histogram {
            from: self.from,
            step_us: self.step_us,
            bins: self.bins,
            exact: self.exact,
        }
    }
}

/// The rollups that a query can be answered from.
struct Rolled<'a> {
    readers: &'a Readers,
    numbers: &'a [MachineNo],
    query: &'a EntryQuery,
}

impl Rolled<'_> {
    /// Adds whole units of the rollups.
    fn count(
        &self,
        unit: i64,
        (from, to): (Micros, Micros),
        counted: &mut Counted,
    ) -> Result<(), StoreError> {
        self.readers.catalog(|catalog| {
            for &machine in self.numbers {
                let mut add =
                    |place: i64, counts| counted.add(Micros(place.saturating_mul(unit)), counts);
                if unit == MINUTE_US {
                    let bounds = (minute_of(from), minute_of(to));
                    rollups::minutes(catalog, machine, bounds, &mut add)?;
                } else if self.query.components.is_empty() {
                    let bounds = (hour_of(from), hour_of(to));
                    rollups::hours(catalog, machine, bounds, &mut add)?;
                } else {
                    let mut names = self.query.components.clone();
                    names.sort_unstable();
                    names.dedup();
                    for name in names {
                        let Some(no) = rollups::find_component(catalog, &name)? else {
                            continue;
                        };
                        let bounds = (hour_of(from), hour_of(to));
                        rollups::component_hours(catalog, no, machine, bounds, &mut add)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// How many rows a scan of these instants would read, to the hour.
    fn rows_about(&self, from: Micros, to: Micros) -> Result<u64, StoreError> {
        let mut rows = 0;
        self.readers.catalog(|catalog| {
            for &machine in self.numbers {
                let bounds = (hour_of(from), hour_of(to) + 1);
                rollups::hours(catalog, machine, bounds, |_, n| {
                    rows += n.iter().sum::<u64>()
                })?;
            }
            Ok(())
        })?;
        Ok(rows)
    }
}

/// Counts rows one by one, newest first. `false` when the budget ended it.
fn count_rows(
    shared: &Shared,
    readers: &Readers,
    query: &EntryQuery,
    (from, to): (Micros, Micros),
    deadline: Deadline,
    counted: &mut Counted,
) -> Result<bool, StoreError> {
    let search = Search::new(shared, query).within(from, to);
    let walk = Walk {
        shared,
        readers,
        search: &search,
        order: Order::Desc,
        deadline,
    };
    let end = walk.run(None, &mut RowCounter(counted))?;
    Ok(end == WalkEnd::Done)
}

struct RowCounter<'a>(&'a mut Counted);

impl Visitor for RowCounter<'_> {
    type Item = u8;

    fn wanted(&self) -> usize {
        usize::MAX
    }

    fn read(&self, _: Day, _: EntryKey, row: &Row<'_>) -> rusqlite::Result<u8> {
        Ok(entries::read_level(row)?.as_u8())
    }

    fn slice(&mut self, _: &DayReader<'_>, rows: Vec<(EntryKey, u8)>) -> Result<(), StoreError> {
        for (key, level) in rows {
            let mut counts = [0; 5];
            counts[usize::from(level)] = 1;
            self.0.add(key.filed_at, counts);
        }
        Ok(())
    }
}
