//! Requests to send entries once more, and what came of them.

use rusqlite::{Connection, params};
use wire::Micros;
use wire::care::{ResendRequest, Resent};

use crate::error::StoreError;
use crate::shared::MachineNo;

/// What is remembered of one machine; the oldest go.
const KEPT_PER_MACHINE: i64 = 100;

/// A request and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resend {
    /// What was asked for.
    pub request: ResendRequest,
    /// When.
    pub asked_at: Micros,
    /// When the machine reported, and what.
    pub done: Option<(Micros, Resent)>,
}

/// Keeps a request and gives it its id.
pub(crate) fn insert(
    conn: &Connection,
    machine: MachineNo,
    (epoch, from, to): (u64, u64, u64),
    at: Micros,
) -> Result<ResendRequest, StoreError> {
    conn.prepare_cached(
        "INSERT INTO resends (machine, epoch, first, last, asked_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        machine,
        number(epoch)?,
        number(from)?,
        number(to)?,
        at.0
    ])?;
    let id = conn.last_insert_rowid() as u64;
    conn.prepare_cached(
        "DELETE FROM resends WHERE machine = ?1 AND id NOT IN (
             SELECT id FROM resends WHERE machine = ?1 ORDER BY id DESC LIMIT ?2)",
    )?
    .execute(params![machine, KEPT_PER_MACHINE])?;
    Ok(ResendRequest {
        id,
        epoch,
        from,
        to,
    })
}

/// What is remembered of a machine, the oldest first; only what waits, or everything.
pub(crate) fn list(
    conn: &Connection,
    machine: MachineNo,
    only_waiting: bool,
) -> rusqlite::Result<Vec<Resend>> {
    conn.prepare_cached(
        "SELECT id, epoch, first, last, asked_at, done_at, found, missing FROM resends
         WHERE machine = ?1 AND (NOT ?2 OR done_at IS NULL) ORDER BY id",
    )?
    .query_map(params![machine, only_waiting], |row| {
        let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)? as u64);
        let request = ResendRequest {
            id: number(0)?,
            epoch: number(1)?,
            from: number(2)?,
            to: number(3)?,
        };
        let done = match row.get::<_, Option<i64>>(5)? {
            None => None,
            Some(at) => {
                let (id, found, missing) = (request.id, number(6)?, number(7)?);
                Some((Micros(at), Resent { id, found, missing }))
            }
        };
        Ok(Resend {
            request,
            asked_at: Micros(row.get(4)?),
            done,
        })
    })?
    .collect()
}

/// Keeps a machine's report; one on what waits no longer changes nothing.
pub(crate) fn report(
    conn: &Connection,
    machine: MachineNo,
    resent: &Resent,
    at: Micros,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE resends SET done_at = ?3, found = ?4, missing = ?5
         WHERE id = ?1 AND machine = ?2 AND done_at IS NULL",
    )?
    .execute(params![
        number(resent.id)?,
        machine,
        at.0,
        number(resent.found)?,
        number(resent.missing)?
    ])?;
    Ok(())
}

fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::BadNumber)
}
