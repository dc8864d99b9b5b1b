//! The newest ERROR and the newest CRITICAL of each machine, so that a status needs no day file.

use rusqlite::{Connection, params};
use wire::{Level, Micros};

use crate::day::Day;
use crate::shared::MachineNo;

/// A longer message is cut for the status; the entry itself is whole.
const MESSAGE_CHARS: usize = 400;

/// An entry as a status names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newest {
    pub(crate) filed_at: Micros,
    pub(crate) component: String,
    pub(crate) message: String,
}

/// Whether entries of this level are remembered here.
pub(crate) fn remembers(level: Level) -> bool {
    level >= Level::Error
}

/// Forgets the entry that is kept when it was filed then; says whether it did.
pub(crate) fn forget(
    conn: &Connection,
    machine: MachineNo,
    level: Level,
    filed_at: Micros,
) -> rusqlite::Result<bool> {
    let changed = conn
        .prepare_cached(
            "DELETE FROM newest_grave WHERE machine = ?1 AND level = ?2 AND filed_at = ?3",
        )?
        .execute(params![machine, level.as_u8(), filed_at.0])?;
    Ok(changed == 1)
}

/// Forgets those that were filed on this day, before it is counted again; says which.
pub(crate) fn forget_day(conn: &Connection, day: Day) -> rusqlite::Result<Vec<(MachineNo, Level)>> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM newest_grave WHERE filed_at >= ?1 AND filed_at < ?2 RETURNING machine, level",
    )?;
    let rows = statement.query_map([day.start().0, day.end().0], |row| {
        Ok((row.get(0)?, Level::from_u8(row.get(1)?)))
    })?;
    let mut gone = Vec::new();
    for row in rows {
        if let (machine, Some(level)) = row? {
            gone.push((machine, level));
        }
    }
    Ok(gone)
}

/// Keeps the entry when it is at least as new as the one that is kept.
pub(crate) fn offer(
    conn: &Connection,
    machine: MachineNo,
    level: Level,
    newest: &Newest,
) -> rusqlite::Result<()> {
    let message: String = newest.message.chars().take(MESSAGE_CHARS).collect();
    conn.prepare_cached(
        "INSERT INTO newest_grave (machine, level, filed_at, component, message)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (machine, level) DO UPDATE SET filed_at = excluded.filed_at,
             component = excluded.component, message = excluded.message
         WHERE excluded.filed_at >= filed_at",
    )?
    .execute(params![
        machine,
        level.as_u8(),
        newest.filed_at.0,
        newest.component,
        message
    ])?;
    Ok(())
}
