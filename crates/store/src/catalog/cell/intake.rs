//! Taking note of a drop in the transaction that takes its entries.

use rusqlite::{Connection, params};
use wire::Micros;

use crate::catalog::cell::drops::{self, Before, NewDrop};
use crate::catalog::cell::facts::{self, LastDrop};
use crate::catalog::cell::runs::{self, CellRun, RunKind};
use crate::catalog::cell::{BARE_EPOCH, column, data_plan};
use crate::catalog::contacts;
use crate::cell::arrived::DropPart;
use crate::entry::{PathKind, Receipt, filed_at};
use crate::error::StoreError;
use crate::shared::MachineNo;

/// Lines of bare drops are known again for so many days after they arrived, at least: they are kept
/// by the day of the event, which may be 400 days before the arrival.
const BARE_KEPT_DAYS: i64 = 800;
/// Lines of bare drops remembered of one machine, the newest.
const BARE_KEPT_PER_MACHINE: i64 = 100_000;

/// Keeps a drop and what follows of it: runs of numbers and seqs, the month's bytes, the contact. One
/// that came before is only counted. That one, and one that comes after a later one, is no contact: it
/// says nothing new of the machine.
pub(crate) fn take(
    conn: &Connection,
    machine: MachineNo,
    part: &DropPart,
    received_at: Micros,
    receipt: &Receipt,
) -> Result<Before, StoreError> {
    let header = part.header.as_ref();
    let (epoch, number) = match header {
        Some(header) => (column(header.epoch)?, column(header.number)?),
        None => (BARE_EPOCH, 0),
    };
    let place = (machine, epoch, number);
    let mut before = drops::before(conn, place, part.sha256)?;
    let numbers = (machine, epoch, RunKind::Drops);
    // Older than what is remembered of drops: its number says that it came.
    if before == Before::New && header.is_some() && runs::contains(conn, numbers, number)? {
        before = Before::Same;
    }
    if before == Before::Same {
        drops::repeat(conn, place, part.sha256)?;
        return Ok(before);
    }
    let made_at = header.map(|header| header.made_at);
    let at = made_at.map_or(received_at, |made_at| filed_at(made_at, received_at));
    let covers = match header {
        Some(header) => (column(header.covers.first)?, column(header.covers.last)?),
        None => (0, 0),
    };
    let uptime_s = header.and_then(|header| header.uptime_s);
    let new = NewDrop {
        machine,
        epoch,
        number,
        sha256: part.sha256,
        name: &part.name,
        source: &part.source,
        form: part.form,
        size: column(part.size_bytes)?,
        arrived_at: received_at,
        made_at,
        at,
        uptime_s: uptime_s.map(column).transpose()?,
        covers,
        counts: header.map_or([0; 5], |header| header.covers.counts.as_array()),
        left_out: header.map_or(Ok(0), |header| column(header.left_out.total()))?,
        entries: part.summaries.len() as i64,
        accepted: column(receipt.accepted)?,
        upgraded: column(receipt.upgraded)?,
        duplicates: receipt.duplicates.len() as i64,
    };
    drops::insert(conn, &new, before == Before::Other)?;
    data_plan::add_drop(conn, machine, at, new.size)?;
    let last = LastDrop {
        epoch: header.map(|header| header.epoch),
        number: header.map(|header| header.number),
        arrived_at: received_at,
        made_at,
        uptime_s,
    };
    if facts::offer_last(conn, machine, at, &last)? {
        contacts::touch(conn, machine, PathKind::Cell, received_at)?;
    }
    if let Some(header) = header {
        runs::add(conn, numbers, CellRun::new((number, number), at))?;
        if !header.covers.is_empty() {
            let seqs = (machine, epoch, RunKind::Covered);
            runs::add(conn, seqs, CellRun::new(covers, at))?;
        }
    }
    Ok(before)
}

/// Forgets lines of bare drops that are beyond the bound of age and of number. Their rows stay.
pub(crate) fn forget_bare(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT n.no, max(l.day), count(*) FROM machine_numbers n
         CROSS JOIN ledger l ON l.machine = n.no AND l.epoch = ?1 GROUP BY n.no",
    )?;
    let machines: Vec<(MachineNo, i64, i64)> = statement
        .query_map([BARE_EPOCH], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    for (machine, newest, count) in machines {
        let mut oldest = newest.saturating_sub(BARE_KEPT_DAYS);
        if count > BARE_KEPT_PER_MACHINE {
            let bound: i64 = conn
                .prepare_cached(
                    "SELECT day FROM ledger WHERE machine = ?1 AND epoch = ?2
                     ORDER BY day DESC LIMIT 1 OFFSET ?3",
                )?
                .query_row(params![machine, BARE_EPOCH, BARE_KEPT_PER_MACHINE], |row| {
                    row.get(0)
                })?;
            oldest = oldest.max(bound);
        }
        conn.prepare_cached("DELETE FROM ledger WHERE machine = ?1 AND epoch = ?2 AND day < ?3")?
            .execute([machine, BARE_EPOCH, oldest])?;
    }
    Ok(())
}
