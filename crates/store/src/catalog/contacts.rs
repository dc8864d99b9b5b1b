//! When each machine was last heard of, by our clock, on which path, and its last heartbeat.

use rusqlite::{Connection, params};
use wire::{Heartbeat, Micros};

use crate::entry::PathKind;
use crate::error::StoreError;
use crate::shared::MachineNo;

/// Takes note that something of the machine came. An older arrival changes nothing.
pub(crate) fn touch(
    conn: &Connection,
    machine: MachineNo,
    path: PathKind,
    at: Micros,
) -> rusqlite::Result<()> {
    let (wifi, cell) = match path {
        PathKind::Wifi => (Some(at.0), None),
        PathKind::Cell => (None, Some(at.0)),
    };
    conn.prepare_cached(
        "INSERT INTO contacts (machine, last_wifi, last_cell) VALUES (?1, ?2, ?3)
         ON CONFLICT (machine) DO UPDATE SET
             last_wifi = max(coalesce(last_wifi, excluded.last_wifi),
                             coalesce(excluded.last_wifi, last_wifi)),
             last_cell = max(coalesce(last_cell, excluded.last_cell),
                             coalesce(excluded.last_cell, last_cell))",
    )?
    .execute(params![machine, wifi, cell])?;
    Ok(())
}

/// Keeps a heartbeat, which is a contact over WiFi too.
pub(crate) fn heartbeat(
    conn: &Connection,
    machine: MachineNo,
    beat: &Heartbeat,
    at: Micros,
) -> Result<(), StoreError> {
    let json =
        serde_json::to_string(beat).map_err(|error| StoreError::Failed(error.to_string()))?;
    touch(conn, machine, PathKind::Wifi, at)?;
    conn.prepare_cached(
        "UPDATE contacts SET heartbeat_at = ?2, heartbeat = ?3
         WHERE machine = ?1 AND (heartbeat_at IS NULL OR heartbeat_at <= ?2)",
    )?
    .execute(params![machine, at.0, json])?;
    Ok(())
}
