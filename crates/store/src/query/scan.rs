//! Reading a stretch of one day in order: of one machine along the clustered rows, or WARN and
//! above along the partial indexes.

use rusqlite::{Row, params};
use wire::{Level, Micros};

use crate::day::Day;
use crate::day::entries::{self, EntryKey};
use crate::error::StoreError;
use crate::query::filter::Filter;
use crate::query::{Deadline, Order};
use crate::readers::DayReader;
use crate::shared::MachineNo;

/// Rows between two looks at the clock.
const ROWS_PER_LOOK: u32 = 256;

/// Where rows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The rows of one machine.
    Machine(MachineNo),
    /// WARN and above of all machines, by time.
    Grave,
}

/// A stretch of a day: instants `from..to`, and the place after which it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    /// In the order of the scan, only what comes after this place.
    pub(crate) after: Option<EntryKey>,
}

/// How a scan of a source ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// At the end of the stretch, or with as many rows as were wanted.
    Whole,
    /// Out of time; everything up to this place was looked at.
    OutOfTime(Option<EntryKey>),
}

/// What all scans of a search have in common.
pub(crate) struct Scan<'a> {
    pub(crate) day: &'a DayReader<'a>,
    pub(crate) order: Order,
    pub(crate) min_level: Level,
    pub(crate) filter: &'a Filter<'a>,
    /// `None`: without a limit, because a scan must make some way.
    pub(crate) deadline: Option<Deadline>,
}

impl Scan<'_> {
    /// Calls `found` for the first `wanted` matching rows of a source.
    pub(crate) fn run(
        &self,
        source: Source,
        stretch: Stretch,
        wanted: usize,
        mut found: impl FnMut(EntryKey, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<Ended, StoreError> {
        let (low, high) = bounds(self.day.day, stretch, self.order);
        let machine = match source {
            Source::Machine(machine) => Some(machine),
            Source::Grave => None,
        };
        let mut statement = self.day.prepare_cached(self.sql(source))?;
        let mut rows = statement.query(params![
            machine,
            low.0,
            low.1,
            low.2,
            high.0,
            high.1,
            high.2,
            self.min_level.as_u8(),
        ])?;
        let (mut taken, mut looked, mut last) = (0, 0, None);
        while taken < wanted
            && let Some(row) = rows.next()?
        {
            looked += 1;
            if looked % ROWS_PER_LOOK == 0 && self.deadline.is_some_and(|end| end.passed()) {
                return Ok(Ended::OutOfTime(last));
            }
            let key = entries::read_key(self.day.day, row)?;
            let before = stretch.after.is_some_and(|after| match self.order {
                Order::Desc => key >= after,
                Order::Asc => key <= after,
            });
            last = Some(key);
            if !before && self.filter.matches(row)? {
                found(key, row)?;
                taken += 1;
            }
        }
        Ok(Ended::Whole)
    }

    fn sql(&self, source: Source) -> &'static str {
        let grave = self.min_level >= Level::Warn;
        match (source, grave, self.order) {
            (Source::Grave, _, Order::Desc) => GRAVE_DESC,
            (Source::Grave, _, Order::Asc) => GRAVE_ASC,
            (Source::Machine(_), true, Order::Desc) => MACHINE_GRAVE_DESC,
            (Source::Machine(_), true, Order::Asc) => MACHINE_GRAVE_ASC,
            (Source::Machine(_), false, Order::Desc) => MACHINE_DESC,
            (Source::Machine(_), false, Order::Asc) => MACHINE_ASC,
        }
    }
}

type Place = (i64, i64, i64);

/// The stretch as inclusive places (filed, epoch, seq) of the day file.
fn bounds(day: Day, stretch: Stretch, order: Order) -> (Place, Place) {
    let place = |at: Micros, rest: i64| (at.since_us(day.start()), rest, rest);
    let mut low = place(stretch.from, i64::MIN);
    let mut high = place(stretch.to.plus_us(-1), i64::MAX);
    if let Some(after) = stretch.after {
        let after = (after.filed_at.since_us(day.start()), after.epoch, after.seq);
        match order {
            Order::Desc => high = high.min(after),
            Order::Asc => low = low.max(after),
        }
    }
    (low, high)
}

/// The statements differ in what SQLite must be told as text: the index and the direction. All
/// take the same parameters.
///
/// Along a partial index the level is judged from the index (`k`) alone, and only what passes is
/// looked up (`e`); the cross join keeps this order.
macro_rules! along_index {
    ($index:literal, $machine:literal, $order:literal) => {
        concat!(
            "SELECT e.machine, e.filed, e.epoch, e.seq, e.level, e.template, e.params, e.context,
                 e.skew, e.delay, e.flags, e.second_delay
             FROM entries k INDEXED BY ",
            $index,
            " CROSS JOIN entries e ON e.machine = k.machine AND e.filed = k.filed
                 AND e.epoch = k.epoch AND e.seq = k.seq
             WHERE ",
            $machine,
            " AND k.level >= 2 AND k.level >= ?8 AND (k.filed, k.epoch, k.seq) >= (?2, ?3, ?4)
                 AND (k.filed, k.epoch, k.seq) <= (?5, ?6, ?7)
             ORDER BY ",
            $order
        )
    };
}

macro_rules! along_rows {
    ($order:literal) => {
        concat!(
            "SELECT machine, filed, epoch, seq, level, template, params, context, skew, delay, flags,
                 second_delay
             FROM entries NOT INDEXED
             WHERE machine = ?1 AND level >= ?8 AND (filed, epoch, seq) >= (?2, ?3, ?4)
                 AND (filed, epoch, seq) <= (?5, ?6, ?7)
             ORDER BY ",
            $order
        )
    };
}

const MACHINE_DESC: &str = along_rows!("filed DESC, epoch DESC, seq DESC");
const MACHINE_ASC: &str = along_rows!("filed, epoch, seq");
const MACHINE_GRAVE_DESC: &str = along_index!(
    "entries_grave_of",
    "k.machine = ?1",
    "k.filed DESC, k.epoch DESC, k.seq DESC"
);
const MACHINE_GRAVE_ASC: &str = along_index!(
    "entries_grave_of",
    "k.machine = ?1",
    "k.filed, k.epoch, k.seq"
);
const GRAVE_DESC: &str = along_index!(
    "entries_grave",
    "?1 IS NULL",
    "k.filed DESC, k.epoch DESC, k.seq DESC, k.machine DESC"
);
const GRAVE_ASC: &str = along_index!(
    "entries_grave",
    "?1 IS NULL",
    "k.filed, k.epoch, k.seq, k.machine"
);

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn no_scan_sorts_and_each_is_bounded_at_both_ends() {
        let conn = Connection::open_in_memory().unwrap();
        for sql in [
            include_str!("../../../../migrations/day/0001_first.sql"),
            include_str!("../../../../migrations/day/0002_second_arrival.sql"),
        ] {
            conn.execute_batch(sql).unwrap();
        }
        for sql in [
            MACHINE_DESC,
            MACHINE_ASC,
            MACHINE_GRAVE_DESC,
            MACHINE_GRAVE_ASC,
            GRAVE_DESC,
            GRAVE_ASC,
        ] {
            let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nothing = params![0, 0, 0, 0, 0, 0, 0, 0];
            let plan: Vec<String> = statement
                .query_map(nothing, |row| row.get(3))
                .unwrap()
                .map(|line| line.unwrap())
                .collect();
            let plan = plan.join("; ");
            assert!(
                !plan.contains("TEMP B-TREE") && !plan.contains("SCAN"),
                "{plan}"
            );
            let both_ends = "(filed,epoch,seq)>(?,?,?) AND (filed,epoch,seq)<(?,?,?)";
            assert!(plan.contains(both_ends), "{plan}");
        }
    }
}
