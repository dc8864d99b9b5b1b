//! The ledger: per machine and epoch the seqs ever seen, as runs. It decides duplicates.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::catalog::runs::{Merge, Run, merged};
use crate::shared::MachineNo;

/// The runs that overlap or touch `from..=to`, in order.
pub(crate) fn runs_near(
    conn: &Connection,
    machine: MachineNo,
    epoch: i64,
    (from, to): (i64, i64),
) -> rusqlite::Result<Vec<Run>> {
    let before = conn
        .prepare_cached(
            "SELECT first, last, day, flags FROM ledger
             WHERE machine = ?1 AND epoch = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1",
        )?
        .query_row([machine, epoch, from], read)
        .optional()?;
    let mut runs: Vec<Run> = before
        .into_iter()
        .filter(|run| run.last >= from.saturating_sub(1))
        .collect();
    let mut statement = conn.prepare_cached(
        "SELECT first, last, day, flags FROM ledger
         WHERE machine = ?1 AND epoch = ?2 AND first > ?3 AND first <= ?4 ORDER BY first",
    )?;
    let after = statement.query_map([machine, epoch, from, to.saturating_add(1)], read)?;
    for run in after {
        runs.push(run?);
    }
    Ok(runs)
}

/// The greatest seq seen; 0 when there is none.
pub(crate) fn last_seq(conn: &Connection, machine: MachineNo, epoch: i64) -> rusqlite::Result<i64> {
    let last = conn
        .prepare_cached(
            "SELECT last FROM ledger WHERE machine = ?1 AND epoch = ?2
             ORDER BY first DESC LIMIT 1",
        )?
        .query_row([machine, epoch], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// Adds a run; see [`merged`] for what becomes of seqs that were there.
pub(crate) fn add(
    conn: &Connection,
    machine: MachineNo,
    epoch: i64,
    new: Run,
    merge: Merge,
) -> rusqlite::Result<()> {
    let old = runs_near(conn, machine, epoch, (new.first, new.last))?;
    let wanted = merged(&old, new, merge);
    for run in old
        .iter()
        .filter(|run| !wanted.iter().any(|other| other.first == run.first))
    {
        conn.prepare_cached("DELETE FROM ledger WHERE machine = ?1 AND epoch = ?2 AND first = ?3")?
            .execute([machine, epoch, run.first])?;
    }
    for run in wanted.iter().filter(|run| !old.contains(run)) {
        conn.prepare_cached(
            "INSERT INTO ledger (machine, epoch, first, last, day, flags)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (machine, epoch, first) DO UPDATE SET last = excluded.last,
                 day = excluded.day, flags = excluded.flags",
        )?
        .execute(params![
            machine, epoch, run.first, run.last, run.day, run.flags
        ])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        first: row.get(0)?,
        last: row.get(1)?,
        day: row.get(2)?,
        flags: row.get(3)?,
    })
}
