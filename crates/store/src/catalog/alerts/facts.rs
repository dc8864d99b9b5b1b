//! What rules judge machines by that takes many queries: numbers that never came, data plans.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;
use wire::Micros;

use crate::catalog::cell::data_plan::{self, DataUse};
use crate::catalog::cell::facts as cell;
use crate::catalog::cell::runs::{self, RunKind};
use crate::catalog::runs::RUN_WIFI;
use crate::shared::MachineNo;

/// What is known of a machine beside what its status is judged from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlowFacts {
    /// Numbers of entries that never came, below the newest that came over WiFi, where they come in
    /// order; and numbers of drops between two that came.
    pub missing: u64,
    /// The month's data, of a machine that ever sent a drop.
    pub data: Option<DataUse>,
}

/// Of every machine that has any.
pub(crate) fn read(
    conn: &Connection,
    now: Micros,
) -> rusqlite::Result<HashMap<MachineNo, SlowFacts>> {
    let mut found: HashMap<MachineNo, SlowFacts> = HashMap::new();
    missing_entries(conn, |machine, missing| {
        found.entry(machine).or_default().missing += missing;
    })?;
    let mut with_cell = BTreeSet::new();
    cell::each_last(conn, None, |machine, _| {
        with_cell.insert(machine);
    })?;
    for machine in with_cell {
        let facts = found.entry(machine).or_default();
        facts.missing = facts.missing.saturating_add(missing_drops(conn, machine)?);
        facts.data = Some(data_plan::used(conn, machine, now)?);
    }
    Ok(found)
}

fn missing_entries(
    conn: &Connection,
    mut each: impl FnMut(MachineNo, u64),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "WITH tops AS (
             SELECT machine, epoch, max(last) AS top FROM ledger
             WHERE epoch >= 0 AND flags & ?1 <> 0 GROUP BY machine, epoch)
         SELECT l.machine, t.top - min(l.first) + 1 - sum(min(l.last, t.top) - l.first + 1)
         FROM ledger l JOIN tops t ON t.machine = l.machine AND t.epoch = l.epoch
         WHERE l.first <= t.top GROUP BY l.machine, l.epoch",
    )?;
    let mut rows = statement.query([RUN_WIFI])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64);
    }
    Ok(())
}

fn missing_drops(conn: &Connection, machine: MachineNo) -> rusqlite::Result<u64> {
    let mut missing = 0_u64;
    let mut before: Option<(i64, i64)> = None;
    runs::each(conn, machine, RunKind::Drops, |epoch, run| {
        if let Some((of, last)) = before
            && of == epoch
        {
            let gap = run.first.saturating_sub(last).saturating_sub(1).max(0) as u64;
            missing = missing.saturating_add(gap);
        }
        before = Some((epoch, run.last));
    })?;
    Ok(missing)
}
