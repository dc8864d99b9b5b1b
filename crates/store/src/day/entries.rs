//! The rows of a day file, as they lie there.

use rusqlite::{Connection, Row, Statement, params};
use wire::{ClockState, Level, Micros};

use crate::day::Day;
use crate::shared::MachineNo;

/// The epoch under which entries without numbers are kept; it is never answered.
pub(crate) const UNNUMBERED_EPOCH: i64 = -1;

const CLOCK_BITS: i64 = 3;
/// Came over WiFi.
pub(crate) const BY_WIFI: i64 = 4;
/// Came in a drop.
pub(crate) const BY_CELL: i64 = 8;
/// Whole, not a summary.
pub(crate) const FULL: i64 = 16;
/// Came by both paths, in the drop first.
pub(crate) const CELL_FIRST: i64 = 32;

/// The row's flags for a clock state; paths and fidelity are added to it.
pub(crate) fn clock_flags(clock: ClockState) -> i64 {
    i64::from(clock.as_u8()) & CLOCK_BITS
}

/// The clock state in a row's flags.
pub(crate) fn clock_of(flags: i64) -> ClockState {
    ClockState::from_u8((flags & CLOCK_BITS) as u8)
}

/// The place of an entry in the order of all entries: filed, then epoch, seq, machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryKey {
    pub(crate) filed_at: Micros,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) machine: MachineNo,
}

/// A row with its message still taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EntryRow {
    pub(crate) key: EntryKey,
    pub(crate) level: Level,
    /// The template's number in the day file.
    pub(crate) template: i64,
    pub(crate) params: Vec<u8>,
    /// JSON; `None` when empty.
    pub(crate) context: Option<String>,
    pub(crate) timestamp: Micros,
    /// The first arrival.
    pub(crate) received_at: Micros,
    /// The first arrival by the other path.
    pub(crate) second_at: Option<Micros>,
    pub(crate) flags: i64,
}

impl EntryRow {
    /// When it came over WiFi first.
    pub(crate) fn wifi_at(&self) -> Option<Micros> {
        self.by(BY_WIFI, self.flags & CELL_FIRST == 0)
    }

    /// When it came in a drop first.
    pub(crate) fn cell_at(&self) -> Option<Micros> {
        self.by(BY_CELL, self.flags & CELL_FIRST != 0)
    }

    fn by(&self, path: i64, first_of_both: bool) -> Option<Micros> {
        let both = BY_WIFI | BY_CELL;
        if self.flags & path == 0 {
            None
        } else if self.flags & both != both || first_of_both {
            Some(self.received_at)
        } else {
            self.second_at
        }
    }
}

/// The columns that [`read`] takes, in its order.
pub(crate) const COLUMNS: &str =
    "machine, filed, epoch, seq, level, template, params, context, skew, delay, flags,
     second_delay";

/// The statement of [`insert`].
pub(crate) const INSERT: &str =
    "INSERT INTO entries (machine, filed, epoch, seq, level, template, params, context, skew,
         delay, flags, second_delay)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
     ON CONFLICT (machine, epoch, seq) DO NOTHING";

/// Stores a row. `false` when the machine, epoch and seq are there already.
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    day: Day,
    row: &EntryRow,
) -> rusqlite::Result<bool> {
    let filed_at = row.key.filed_at;
    let changed = statement.execute(params![
        row.key.machine,
        filed_at.since_us(day.start()),
        row.key.epoch,
        row.key.seq,
        row.level.as_u8(),
        row.template,
        row.params,
        row.context,
        row.timestamp.0.wrapping_sub(filed_at.0),
        row.received_at.0.wrapping_sub(filed_at.0),
        row.flags,
        row.second_at.map(|at| at.0.wrapping_sub(filed_at.0)),
    ])?;
    Ok(changed == 1)
}

/// Marks rows as having come by one more path, and when.
pub(crate) fn add_flags(
    conn: &Connection,
    day: Day,
    (machine, epoch): (MachineNo, i64),
    seqs: (i64, i64),
    flags: i64,
    at: Micros,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE entries SET flags = flags | ?5, second_delay = coalesce(second_delay, ?6 - filed)
         WHERE machine = ?1 AND epoch = ?2 AND seq BETWEEN ?3 AND ?4",
    )?
    .execute([
        machine,
        epoch,
        seqs.0,
        seqs.1,
        flags,
        at.since_us(day.start()),
    ])?;
    Ok(())
}

/// The row's key: the first four of [`COLUMNS`].
pub(crate) fn read_key(day: Day, row: &Row<'_>) -> rusqlite::Result<EntryKey> {
    Ok(EntryKey {
        machine: row.get(0)?,
        filed_at: day.start().plus_us(row.get(1)?),
        epoch: row.get(2)?,
        seq: row.get(3)?,
    })
}

/// A row of [`COLUMNS`].
pub(crate) fn read(day: Day, row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    let key = read_key(day, row)?;
    let skew: i64 = row.get(8)?;
    let delay: i64 = row.get(9)?;
    let second: Option<i64> = row.get(11)?;
    Ok(EntryRow {
        key,
        level: read_level(row)?,
        template: row.get(5)?,
        params: row.get_ref(6)?.as_blob()?.to_vec(),
        context: row.get(7)?,
        timestamp: Micros(key.filed_at.0.wrapping_add(skew)),
        received_at: Micros(key.filed_at.0.wrapping_add(delay)),
        second_at: second.map(|delay| Micros(key.filed_at.0.wrapping_add(delay))),
        flags: row.get(10)?,
    })
}

/// The level of a row of [`COLUMNS`].
pub(crate) fn read_level(row: &Row<'_>) -> rusqlite::Result<Level> {
    let number: u8 = row.get(4)?;
    Level::from_u8(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(4, number.into()))
}
