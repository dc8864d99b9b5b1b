//! The lines around an entry, of the same machine.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::day::Day;
use crate::day::entries::{self, COLUMNS, EntryKey, EntryRow};
use crate::error::StoreError;
use crate::query::page::{Collected, PAGE_MAX};
use crate::query::search::Search;
use crate::query::walk::Walk;
use crate::query::{Around, Deadline, Order, cursor, render};
use crate::readers::{DayReader, Readers};
use crate::shared::Shared;

/// A machine that was silent for weeks is looked for no longer than this, in each direction.
const BUDGET: Duration = Duration::from_secs(2);

/// Reads up to `before` and `after` lines around the entry with this id.
///
/// # Errors
/// The id is damaged, the entry is not there, or the store failed.
pub(crate) fn read(
    shared: &Shared,
    readers: &Readers,
    id: &str,
    before: usize,
    after: usize,
) -> Result<Around, StoreError> {
    let key = cursor::parse_id(id)?;
    let day = Day::of(key.filed_at);
    let reader = readers.day(day)?.ok_or(StoreError::NoSuchEntry)?;
    let row = find(&reader, key)?.ok_or(StoreError::NoSuchEntry)?;
    // A drop's row that was replaced since has another time now.
    let key = row.key;
    let template_count_on_day: i64 = reader
        .prepare_cached("SELECT count FROM templates WHERE no = ?1")?
        .query_row([row.template], |row| row.get(0))?;
    let entry = render::entry(&shared.registry(), &reader, row)?;
    drop(reader);

    let side = |order, limit: usize| -> Result<Vec<_>, StoreError> {
        let search = Search::of_machine(key.machine);
        let deadline = Deadline::after(BUDGET);
        let walk = Walk {
            shared,
            readers,
            search: &search,
            order,
            deadline,
        };
        let mut found = Collected {
            shared,
            limit: limit.min(PAGE_MAX),
            entries: Vec::new(),
        };
        walk.run(Some(key), &mut found)?;
        Ok(found.entries.into_iter().map(|(_, entry)| entry).collect())
    };
    let mut entries = side(Order::Desc, before)?;
    entries.reverse();
    let index = entries.len();
    entries.push(entry);
    entries.append(&mut side(Order::Asc, after)?);
    Ok(Around {
        entries,
        index,
        template_count_on_day: template_count_on_day.max(0) as u64,
    })
}

/// The row at this place; or the one of its number, when its exact time has come since on the same
/// day.
fn find(reader: &DayReader<'_>, key: EntryKey) -> rusqlite::Result<Option<EntryRow>> {
    let day = reader.day;
    let filed = key.filed_at.since_us(day.start());
    let read = |condition: &str| {
        reader
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM entries
                 WHERE machine = ?1 AND epoch = ?3 AND seq = ?4 AND {condition}"
            ))?
            .query_row(params![key.machine, filed, key.epoch, key.seq], |row| {
                entries::read(day, row)
            })
            .optional()
    };
    match read("filed = ?2")? {
        Some(row) => Ok(Some(row)),
        None => read("filed <> ?2"),
    }
}
