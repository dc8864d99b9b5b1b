//! What is told of a machine's cellular path.

use rusqlite::{Connection, Row, params};
use wire::Micros;

use crate::catalog::cell::BARE_EPOCH;
use crate::catalog::cell::data_plan::{self, DataUse};
use crate::catalog::cell::delivery::{self, Delivery, DropGap};
use crate::shared::MachineNo;

/// A machine's newest drop: by number, of different epochs by when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDrop {
    /// The epoch that numbers it; `None` in the bare form.
    pub epoch: Option<u64>,
    /// Its number; `None` in the bare form.
    pub number: Option<u64>,
    /// When it arrived, by our clock.
    pub arrived_at: Micros,
    /// When it was made, by the machine's clock; `None` in the bare form.
    pub made_at: Option<Micros>,
    /// How long the machine had been up, in seconds.
    pub uptime_s: Option<u64>,
}

/// What is told of a machine's cellular path.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFacts {
    /// The newest drop.
    pub last_drop: Option<LastDrop>,
    /// Drops that never came, the newest first.
    pub gaps: Vec<DropGap>,
    /// Drops that arrived in the last 30 days; `None` without any.
    pub by_cell: Option<Delivery>,
    /// Entries that arrived over WiFi in the last 30 days; `None` without WiFi.
    pub by_wifi: Option<Delivery>,
    /// The month's data.
    pub data: DataUse,
}

/// Everything of one machine.
pub(crate) fn read(
    conn: &Connection,
    machine: MachineNo,
    now: Micros,
) -> rusqlite::Result<CellFacts> {
    let mut last = None;
    each_last(conn, Some(machine), |_, drop| last = Some(drop))?;
    Ok(CellFacts {
        last_drop: last,
        gaps: delivery::drop_gaps(conn, machine)?,
        by_cell: delivery::by_cell(conn, machine, now)?,
        by_wifi: delivery::by_wifi(conn, machine, now)?,
        data: data_plan::used(conn, machine, now)?,
    })
}

/// Keeps a drop as the newest unless a later one is kept; says whether it did. Within an epoch the
/// number tells: a machine's clock may be set back.
pub(crate) fn offer_last(
    conn: &Connection,
    machine: MachineNo,
    at: Micros,
    drop: &LastDrop,
) -> rusqlite::Result<bool> {
    let changed = conn
        .prepare_cached(
            "INSERT INTO last_drops (machine, epoch, number, arrived_at, made_at, at, uptime_s)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (machine) DO UPDATE SET epoch = excluded.epoch, number = excluded.number,
             arrived_at = excluded.arrived_at, made_at = excluded.made_at, at = excluded.at,
             uptime_s = excluded.uptime_s
         WHERE CASE WHEN epoch = excluded.epoch THEN excluded.number >= number
             ELSE excluded.at >= at END",
        )?
        .execute(params![
            machine,
            drop.epoch.map_or(BARE_EPOCH, |epoch| epoch as i64),
            drop.number.unwrap_or(0) as i64,
            drop.arrived_at.0,
            drop.made_at.map(|at| at.0),
            at.0,
            drop.uptime_s.map(|s| i64::try_from(s).unwrap_or(i64::MAX)),
        ])?;
    Ok(changed == 1)
}

/// The newest drop of every machine, or of one.
pub(crate) fn each_last(
    conn: &Connection,
    only: Option<MachineNo>,
    mut each: impl FnMut(MachineNo, LastDrop),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT machine, epoch, number, arrived_at, made_at, uptime_s FROM last_drops
         WHERE ?1 IS NULL OR machine = ?1",
    )?;
    let mut rows = statement.query([only])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, read_last(row)?);
    }
    Ok(())
}

/// Forgets a machine's newest drop.
pub(crate) fn forget_last(conn: &Connection, machine: MachineNo) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM last_drops WHERE machine = ?1", [machine])?;
    Ok(())
}

fn read_last(row: &Row<'_>) -> rusqlite::Result<LastDrop> {
    let epoch: i64 = row.get(1)?;
    let numbered = epoch != BARE_EPOCH;
    let number: i64 = row.get(2)?;
    Ok(LastDrop {
        epoch: numbered.then_some(epoch as u64),
        number: numbered.then_some(number as u64),
        arrived_at: Micros(row.get(3)?),
        made_at: row.get::<_, Option<i64>>(4)?.map(Micros),
        uptime_s: row.get::<_, Option<i64>>(5)?.map(|s| s.max(0) as u64),
    })
}
