//! How much of what a machine sent arrived, by path, and what is missing.

use rusqlite::{Connection, OptionalExtension, params};
use wire::time::DAY_US;
use wire::{Heartbeat, Micros};

use crate::catalog::cell::runs::{self, RunKind};
use crate::catalog::runs::{RUN_REFUSED, RUN_WIFI};
use crate::day::Day;
use crate::shared::MachineNo;

/// Delivery is measured over so many days before now.
pub const DELIVERY_DAYS: i64 = 30;
/// Gaps answered, the newest; a machine with more has another trouble than these.
pub const GAPS_MAX: usize = 1_000;

/// How much of what was sent arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Numbers given, as far as that is known.
    pub expected: u64,
    /// Numbers that arrived.
    pub arrived: u64,
}

impl Delivery {
    /// The share that arrived, 0 to 1; `None` while nothing is expected.
    pub fn rate(&self) -> Option<f64> {
        (self.expected > 0).then(|| self.arrived as f64 / self.expected as f64)
    }

    /// Adds those of one epoch. Numbers of a damaged or forged drop may be anything.
    fn add(&mut self, expected: i64, arrived: i64) {
        self.expected = self.expected.saturating_add(expected.max(0) as u64);
        self.arrived = self.arrived.saturating_add(arrived.max(0) as u64);
    }
}

/// Drops that never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropGap {
    /// The epoch that numbers them.
    pub epoch: u64,
    /// The first missing number.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// When the drop before them was made; `None` when none came before.
    pub after: Option<Micros>,
    /// When the drop after them was made.
    pub before: Option<Micros>,
}

/// The gaps between drops, the newest first. A drop that comes late closes its gap.
pub(crate) fn drop_gaps(conn: &Connection, machine: MachineNo) -> rusqlite::Result<Vec<DropGap>> {
    let mut gaps = Vec::new();
    let mut before: Option<(i64, i64, i64)> = None;
    runs::each(conn, machine, RunKind::Drops, |epoch, run| {
        let (last, after) = match before {
            Some((of, last, at)) if of == epoch => (last, Some(Micros(at))),
            // Numbers of an epoch begin with 1.
            _ => (0, None),
        };
        if run.first > last + 1 {
            gaps.push(DropGap {
                epoch: epoch as u64,
                first: (last + 1) as u64,
                last: (run.first - 1) as u64,
                after,
                before: Some(Micros(run.first_at)),
            });
        }
        before = Some((epoch, run.last, run.last_at));
    })?;
    gaps.sort_by_key(|gap| std::cmp::Reverse((gap.before, gap.epoch, gap.first)));
    gaps.truncate(GAPS_MAX);
    Ok(gaps)
}

/// Drops that arrived, of those numbered from the first to the last made in the window. However often
/// and in whatever order they came; `None` without any. Drops lost after the last are not known.
pub(crate) fn by_cell(
    conn: &Connection,
    machine: MachineNo,
    now: Micros,
) -> rusqlite::Result<Option<Delivery>> {
    let since = now.plus_us(-DELIVERY_DAYS * DAY_US);
    let mut statement = conn.prepare_cached(
        "SELECT min(number), max(number), count(DISTINCT number) FROM drops
         WHERE machine = ?1 AND at >= ?2 AND epoch >= 0 GROUP BY epoch",
    )?;
    let epochs = statement.query_map([machine, since.0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut sum = Delivery::default();
    for epoch in epochs {
        let (first, last, arrived): (i64, i64, i64) = epoch?;
        sum.add(last.saturating_sub(first).saturating_add(1), arrived);
    }
    Ok((sum.expected > 0).then_some(sum))
}

/// Seqs that came over WiFi, of those from the first filed in the window to the newest known, which
/// the ledger, a drop or a heartbeat may know. `None` for a machine that was not heard of over WiFi
/// in the window. What still waits on the machine counts as not arrived, for the moment.
pub(crate) fn by_wifi(
    conn: &Connection,
    machine: MachineNo,
    now: Micros,
) -> rusqlite::Result<Option<Delivery>> {
    let since = now.plus_us(-DELIVERY_DAYS * DAY_US);
    let (last_wifi, beat): (Option<i64>, Option<String>) = conn
        .prepare_cached("SELECT last_wifi, heartbeat FROM contacts WHERE machine = ?1")?
        .query_row([machine], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or_default();
    if last_wifi.is_none_or(|at| at < since.0) {
        return Ok(None);
    }
    let beat: Option<Heartbeat> = beat.and_then(|json| serde_json::from_str(&json).ok());
    let said = beat.and_then(|beat| Some((beat.epoch? as i64, beat.last_seq? as i64)));
    let mut statement = conn.prepare_cached(
        "SELECT epoch, min(first), max(last) FROM ledger
         WHERE machine = ?1 AND epoch >= 0 AND day >= ?2 GROUP BY epoch",
    )?;
    let epochs = statement.query_map([machine, Day::of(since).0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut sum = Delivery::default();
    for epoch in epochs {
        let (epoch, first, last): (i64, i64, i64) = epoch?;
        let said = said.filter(|(of, _)| *of == epoch).map(|(_, last)| last);
        let last = last.max(said.unwrap_or(0));
        let (expected, arrived) = of_epoch(conn, (machine, epoch), first, last)?;
        sum.add(expected, arrived);
    }
    Ok(Some(sum))
}

fn of_epoch(
    conn: &Connection,
    (machine, epoch): (MachineNo, i64),
    first: i64,
    last: i64,
) -> rusqlite::Result<(i64, i64)> {
    let covered: Option<i64> = conn
        .prepare_cached(
            "SELECT max(last) FROM cell_runs WHERE machine = ?1 AND epoch = ?2 AND kind = ?3",
        )?
        .query_row(params![machine, epoch, RunKind::Covered as i64], |row| {
            row.get(0)
        })?;
    // A refused seq did arrive.
    let arrived: i64 = conn
        .prepare_cached(
            "SELECT coalesce(sum(last - max(first, ?3) + 1), 0) FROM ledger
             WHERE machine = ?1 AND epoch = ?2 AND last >= ?3 AND flags & ?4 <> 0",
        )?
        .query_row([machine, epoch, first, RUN_WIFI | RUN_REFUSED], |row| {
            row.get(0)
        })?;
    let last = last.max(covered.unwrap_or(0));
    Ok((last.saturating_sub(first).saturating_add(1), arrived))
}
