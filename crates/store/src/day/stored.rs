//! Rows of a day file that make way for better ones.

use rusqlite::{Connection, OptionalExtension};

use crate::day::Day;
use crate::day::entries::{self, EntryRow};
use crate::shared::MachineNo;

/// Machine, epoch and seq.
pub(crate) type Number = (MachineNo, i64, i64);

/// A row as it lies in its day file.
#[derive(Debug, Clone)]
pub(crate) struct OldRow {
    pub(crate) day: Day,
    pub(crate) row: EntryRow,
    /// The component's number in the day file, and its name.
    pub(crate) component: (i64, String),
}

/// The row with this number.
pub(crate) fn find(
    conn: &Connection,
    day: Day,
    (machine, epoch, seq): Number,
) -> rusqlite::Result<Option<OldRow>> {
    conn.prepare_cached(
        "SELECT e.machine, e.filed, e.epoch, e.seq, e.level, e.template, e.params, e.context,
             e.skew, e.delay, e.flags, e.second_delay, c.no, c.name
         FROM entries e JOIN templates t ON t.no = e.template
         JOIN components c ON c.no = t.component
         WHERE e.machine = ?1 AND e.epoch = ?2 AND e.seq = ?3",
    )?
    .query_row([machine, epoch, seq], |row| {
        Ok(OldRow {
            day,
            row: entries::read(day, row)?,
            component: (row.get(12)?, row.get(13)?),
        })
    })
    .optional()
}

/// Removes the row with this number.
pub(crate) fn delete(conn: &Connection, (machine, epoch, seq): Number) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM entries WHERE machine = ?1 AND epoch = ?2 AND seq = ?3")?
        .execute([machine, epoch, seq])?;
    Ok(())
}
