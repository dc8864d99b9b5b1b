//! The newest ERROR and the newest CRITICAL of each machine, so that a status needs no day file.

use rusqlite::{Connection, params};
use wire::{Level, Micros};

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
