//! Pages of entries by keyset: a page starts after the place where the one before ended.

use rusqlite::Row;

use crate::day::Day;
use crate::day::entries::{self, EntryKey, EntryRow};
use crate::entry::StoredEntry;
use crate::error::StoreError;
use crate::query::search::Search;
use crate::query::walk::{Visitor, Walk, WalkEnd};
use crate::query::{Deadline, EntryPage, EntryQuery, PageRequest, cursor, render};
use crate::readers::{DayReader, Readers};
use crate::shared::Shared;

/// The most entries of a page.
pub(crate) const PAGE_MAX: usize = 1_000;

/// Reads a page.
///
/// # Errors
/// The cursor is damaged, or the store failed.
pub(crate) fn read(
    shared: &Shared,
    readers: &Readers,
    query: &EntryQuery,
    page: &PageRequest,
) -> Result<EntryPage, StoreError> {
    let after = page
        .cursor
        .as_deref()
        .map(cursor::parse_cursor)
        .transpose()?;
    let search = Search::new(shared, query);
    let walk = Walk {
        shared,
        readers,
        search: &search,
        order: page.order,
        deadline: Deadline::after(page.budget),
    };
    let limit = page.limit.clamp(1, PAGE_MAX);
    // One more than asked for tells whether there is a next page.
    let mut collected = Collected {
        shared,
        limit: limit + 1,
        entries: Vec::new(),
    };
    let end = match walk.run(after, &mut collected) {
        // What comes before the damaged day is handed out; the next page says what is wrong.
        Err(StoreError::DayDamaged(_)) if !collected.entries.is_empty() => None,
        end => Some(end?),
    };
    let mut entries = collected.entries;
    if entries.len() > limit || end.is_none() {
        entries.truncate(limit);
        let next = entries.last().map(|(key, _)| cursor::cursor_text(*key));
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        return Ok(EntryPage {
            entries,
            next,
            searched_to: None,
        });
    }
    let (next, searched_to) = match end {
        None | Some(WalkEnd::Done) => (None, None),
        Some(WalkEnd::OutOfTime(place)) => (Some(cursor::cursor_text(place)), Some(place.filed_at)),
    };
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    Ok(EntryPage {
        entries,
        next,
        searched_to,
    })
}

/// Collects entries up to a limit.
pub(crate) struct Collected<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) limit: usize,
    pub(crate) entries: Vec<(EntryKey, StoredEntry)>,
}

impl Visitor for Collected<'_> {
    type Item = EntryRow;

    fn wanted(&self) -> usize {
        self.limit - self.entries.len()
    }

    fn read(&self, day: Day, _: EntryKey, row: &Row<'_>) -> rusqlite::Result<EntryRow> {
        entries::read(day, row)
    }

    fn slice(
        &mut self,
        day: &DayReader<'_>,
        rows: Vec<(EntryKey, EntryRow)>,
    ) -> Result<(), StoreError> {
        let registry = self.shared.registry();
        for (key, row) in rows {
            self.entries
                .push((key, render::entry(&registry, day, row)?));
        }
        Ok(())
    }
}
