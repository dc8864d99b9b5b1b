//! What came of each machine and epoch, as runs: the numbers of drops, and the seqs that drops answer
//! for. What lies between two runs is a gap, and vanishes when it comes late.

use rusqlite::{Connection, params};
use wire::Micros;

use crate::shared::MachineNo;

/// Of what the runs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunKind {
    /// Numbers of drops that arrived.
    Drops = 0,
    /// Seqs that drops cover: in the drop, or left out on purpose.
    Covered = 1,
}

/// Numbers `first..=last`, all of which came; when the drops at the two ends were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellRun {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
}

impl CellRun {
    pub(crate) fn new((first, last): (i64, i64), at: Micros) -> CellRun {
        CellRun {
            first,
            last,
            first_at: at.0,
            last_at: at.0,
        }
    }

    /// Both as one, when they overlap or touch.
    fn joined(self, other: CellRun) -> CellRun {
        let (low, high) = if self.first <= other.first {
            (self, other)
        } else {
            (other, self)
        };
        let end = if high.last >= low.last { high } else { low };
        CellRun {
            first: low.first,
            last: end.last,
            first_at: low.first_at,
            last_at: end.last_at,
        }
    }
}

/// Whether a number is in a run.
pub(crate) fn contains(
    conn: &Connection,
    (machine, epoch, kind): (MachineNo, i64, RunKind),
    number: i64,
) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT coalesce((SELECT last FROM cell_runs
             WHERE machine = ?1 AND epoch = ?2 AND kind = ?3 AND first <= ?4
             ORDER BY first DESC LIMIT 1), ?4 - 1) >= ?4",
    )?
    .query_row(params![machine, epoch, kind as i64, number], |row| {
        row.get(0)
    })
}

/// Adds a run; those that it overlaps or touches become one with it.
pub(crate) fn add(
    conn: &Connection,
    (machine, epoch, kind): (MachineNo, i64, RunKind),
    new: CellRun,
) -> rusqlite::Result<()> {
    // Runs do not overlap, so of those that begin before the new one only the last can reach it.
    let near: Vec<CellRun> = conn
        .prepare_cached(
            "SELECT first, last, first_at, last_at FROM cell_runs
             WHERE machine = ?1 AND epoch = ?2 AND kind = ?3 AND first <= ?5 AND first >= coalesce(
                 (SELECT max(first) FROM cell_runs
                  WHERE machine = ?1 AND epoch = ?2 AND kind = ?3 AND first <= ?4), ?4)
             ORDER BY first",
        )?
        .query_map(
            params![
                machine,
                epoch,
                kind as i64,
                new.first,
                new.last.saturating_add(1)
            ],
            read,
        )?
        .collect::<Result<_, _>>()?;
    let mut whole = new;
    for run in near {
        if run.last < new.first.saturating_sub(1) {
            continue;
        }
        whole = whole.joined(run);
        conn.prepare_cached(
            "DELETE FROM cell_runs
             WHERE machine = ?1 AND epoch = ?2 AND kind = ?3 AND first = ?4",
        )?
        .execute(params![machine, epoch, kind as i64, run.first])?;
    }
    conn.prepare_cached(
        "INSERT INTO cell_runs (machine, epoch, kind, first, last, first_at, last_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        machine,
        epoch,
        kind as i64,
        whole.first,
        whole.last,
        whole.first_at,
        whole.last_at
    ])?;
    Ok(())
}

/// The runs of every epoch of a machine, by epoch and in order; `each` gets the epoch and the run.
pub(crate) fn each(
    conn: &Connection,
    machine: MachineNo,
    kind: RunKind,
    mut each: impl FnMut(i64, CellRun),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT first, last, first_at, last_at, epoch FROM cell_runs
         WHERE machine = ?1 AND kind = ?2 ORDER BY epoch, first",
    )?;
    let mut rows = statement.query(params![machine, kind as i64])?;
    while let Some(row) = rows.next()? {
        each(row.get(4)?, read(row)?);
    }
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<CellRun> {
    Ok(CellRun {
        first: row.get(0)?,
        last: row.get(1)?,
        first_at: row.get(2)?,
        last_at: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn catalog() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        let sql = include_str!("../../../../../migrations/catalog/0001_first.sql").to_owned()
            + include_str!("../../../../../migrations/catalog/0003_cell.sql");
        conn.execute_batch(&sql).unwrap();
        conn
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn runs_are_the_set_of_all_that_came(new in proptest::collection::vec((1i64..60, 0i64..6), 1..40)) {
            let conn = catalog();
            let whose = (1, 7, RunKind::Drops);
            let mut model: BTreeMap<i64, i64> = BTreeMap::new();
            for (first, length) in new {
                // A number is made at one moment: its own.
                let run = CellRun { first, last: first + length, first_at: first * 10, last_at: (first + length) * 10 };
                add(&conn, whose, run).unwrap();
                model.extend((first..=first + length).map(|number| (number, number * 10)));
                let mut spelled = BTreeMap::new();
                let mut last = i64::MIN;
                each(&conn, 1, RunKind::Drops, |epoch, run| {
                    assert_eq!(epoch, 7);
                    assert!(run.first > last + 1 || last == i64::MIN, "runs must not touch");
                    assert_eq!((run.first_at, run.last_at), (run.first * 10, run.last * 10));
                    last = run.last;
                    spelled.extend((run.first..=run.last).map(|number| (number, number * 10)));
                }).unwrap();
                prop_assert_eq!(&spelled, &model);
                for number in 0..70 {
                    prop_assert_eq!(contains(&conn, whose, number).unwrap(), model.contains_key(&number));
                }
            }
        }
    }
}
