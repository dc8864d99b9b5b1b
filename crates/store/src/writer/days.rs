//! The day files that the writer has open.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};
use wire::template;

use crate::catalog::runs::RUN_FULL;
use crate::day::Day;
use crate::day::commits::{self, Range, RangeKind};
use crate::day::entries::{self, BY_CELL, BY_WIFI, EntryKey, EntryRow, FULL};
use crate::day::templates::{Place, TemplateBook};
use crate::entry::{NewEntries, PathKind, Receipt};
use crate::error::StoreError;
use crate::shared::{MachineNo, Shared};
use crate::sqlite::{self, Kind};
use crate::writer::effects::{Effects, NewRow, path_flag};
use crate::writer::plan::{DayPlan, PlannedRow};

/// Day files kept open between groups: today, yesterday, and those of a few late machines.
const DAYS_OPEN: usize = 8;

/// The writer's open day files.
#[derive(Default)]
pub(crate) struct OpenDays {
    open: HashMap<Day, DayFile>,
}

impl OpenDays {
    /// The day's file, opened or made.
    pub(crate) fn get(&mut self, shared: &Shared, day: Day) -> Result<&mut DayFile, StoreError> {
        match self.open.entry(day) {
            Entry::Occupied(file) => Ok(file.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(DayFile::open(shared, day)?)),
        }
    }

    /// Closes the oldest days beyond the bound.
    pub(crate) fn trim(&mut self) {
        while self.open.len() > DAYS_OPEN {
            let Some(&oldest) = self.open.keys().min() else {
                return;
            };
            self.open.remove(&oldest);
        }
    }

    /// Closes all: what is remembered of them may never have been committed.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = (Day, &Connection)> {
        self.open.iter().map(|(day, file)| (*day, &file.conn))
    }
}

/// A day file open for writing.
pub(crate) struct DayFile {
    day: Day,
    pub(crate) conn: Connection,
    templates: TemplateBook,
    machines: HashSet<MachineNo>,
}

impl DayFile {
    fn open(shared: &Shared, day: Day) -> Result<DayFile, StoreError> {
        let conn = sqlite::open_writer(&shared.day_path(day), Kind::Day, &shared.key)?;
        shared.days_mut().insert(day);
        Ok(DayFile {
            day,
            conn,
            templates: TemplateBook::default(),
            machines: HashSet::new(),
        })
    }

    /// Writes the day's part of a group in one transaction, and says what it means for the
    /// catalog. Receipts of the group gain what was stored.
    pub(crate) fn write(
        &mut self,
        shared: &Shared,
        applied: i64,
        mut plan: DayPlan,
        batches: &[&NewEntries],
        outcomes: &mut [Result<Receipt, StoreError>],
    ) -> Result<Effects, StoreError> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let commit = commits::newest(&self.conn)?.max(applied) + 1;
        let mut effects = Effects::new(self.day, commit);
        // In this order runs of seqs come out whole, and rows lie nearly as they are clustered.
        plan.rows
            .sort_unstable_by_key(|row| (row.machine, row.epoch, row.seq));
        self.mirror_machines(shared, &plan.rows)?;
        let mut ranges = self.insert_rows(&plan.rows, batches, outcomes, &mut effects)?;
        for seen in &plan.seen {
            let flags = row_flags(seen.flags);
            let seqs = (seen.first, seen.last);
            entries::add_flags(&self.conn, seen.machine, seen.epoch, seqs, flags)?;
        }
        ranges.append(&mut plan.seen);
        self.templates.write_counts(&self.conn)?;
        commits::insert(&self.conn, commit, &ranges, applied)?;
        for range in ranges {
            effects.add_range(range);
        }
        self.conn.execute_batch("COMMIT")?;
        Ok(effects)
    }

    fn insert_rows(
        &mut self,
        rows: &[PlannedRow],
        batches: &[&NewEntries],
        outcomes: &mut [Result<Receipt, StoreError>],
        effects: &mut Effects,
    ) -> Result<Vec<Range>, StoreError> {
        let mut insert = self.conn.prepare_cached(entries::INSERT)?;
        let mut ranges: Vec<Range> = Vec::new();
        for row in rows {
            let batch = batches[row.source.0];
            let entry = &batch.entries[row.source.1];
            let place = self
                .templates
                .place(&self.conn, &entry.component, &entry.message)?;
            let (component, template) = (place.component, place.template);
            let made = make_row(row, batch, place)?;
            let new = entries::insert(&mut insert, self.day, &made)?;
            if new {
                let counted = NewRow {
                    machine: row.machine,
                    filed_at: row.filed_at,
                    received_at: batch.received_at,
                    level: entry.level,
                    component: (component, &entry.component),
                    by_wifi: batch.path == PathKind::Wifi,
                };
                effects.count(&counted, || Ok(entry.message.clone()))?;
            } else {
                self.templates.unuse(template);
                tracing::warn!(
                    machine = %batch.machine, row.epoch, row.seq, day = %self.day.name(),
                    "the day file has an entry that the ledger did not know"
                );
            }
            let kind = if new { RangeKind::New } else { RangeKind::Seen };
            add_to_ranges(&mut ranges, kind, row, path_flag(batch.path) | RUN_FULL);
            if let Ok(receipt) = &mut outcomes[row.source.0] {
                note(receipt, row, batch, new);
            }
        }
        Ok(ranges)
    }

    /// Keeps the ids of the rows' machines beside them, so that the file stands alone.
    fn mirror_machines(&mut self, shared: &Shared, rows: &[PlannedRow]) -> Result<(), StoreError> {
        for &PlannedRow { machine, .. } in rows {
            if !self.machines.insert(machine) {
                continue;
            }
            let id = shared.registry().id(machine).cloned();
            let id =
                id.ok_or_else(|| StoreError::Failed(format!("machine {machine} has no id")))?;
            self.conn
                .prepare_cached(
                    "INSERT INTO machines (no, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                )?
                .execute(params![machine, id.as_str()])?;
        }
        Ok(())
    }

    /// The machines that have entries here, for a catalog that does not know them.
    pub(crate) fn machines(&self) -> rusqlite::Result<Vec<(MachineNo, String)>> {
        let mut statement = self.conn.prepare("SELECT no, id FROM machines")?;
        let machines = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        machines.collect()
    }

    /// What commits of this file that the catalog does not have mean for it, oldest first.
    pub(crate) fn replay(&self, commit: i64, ranges: &[Range]) -> Result<Effects, StoreError> {
        let mut effects = Effects::new(self.day, commit);
        for range in ranges {
            if range.kind == RangeKind::New {
                let seqs = [range.machine, range.epoch, range.first, range.last];
                self.count_rows(
                    "e.machine = ?1 AND e.epoch = ?2 AND e.seq BETWEEN ?3 AND ?4",
                    &seqs,
                    &mut effects,
                )?;
            }
            effects.add_range(*range);
        }
        Ok(effects)
    }

    /// What the whole file means for the catalog, when commits are missing in between.
    pub(crate) fn replay_all(&self, commit: i64) -> Result<Effects, StoreError> {
        let mut effects = Effects::new(self.day, commit);
        self.count_rows("1", &[], &mut effects)?;
        let mut statement = self.conn.prepare(
            "SELECT machine, epoch, seq, flags FROM entries ORDER BY machine, epoch, seq",
        )?;
        let mut rows = statement.query([])?;
        let mut ranges = Vec::new();
        while let Some(row) = rows.next()? {
            let (machine, epoch, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let flags = run_flags(row.get(3)?);
            extend(
                &mut ranges,
                Range {
                    kind: RangeKind::New,
                    machine,
                    epoch,
                    first: seq,
                    last: seq,
                    flags,
                },
            );
        }
        ranges
            .into_iter()
            .for_each(|range| effects.add_range(range));
        Ok(effects)
    }

    fn count_rows(
        &self,
        condition: &str,
        bound: &[i64],
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT e.machine, e.filed, e.epoch, e.seq, e.level, e.template, e.params, e.context,
                 e.skew, e.delay, e.flags, c.no, c.name, t.text
             FROM entries e JOIN templates t ON t.no = e.template
             JOIN components c ON c.no = t.component WHERE {condition}"
        ))?;
        let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
        while let Some(row) = rows.next()? {
            let entry = entries::read(self.day, row)?;
            let component: String = row.get(12)?;
            let new = NewRow {
                machine: entry.key.machine,
                filed_at: entry.key.filed_at,
                received_at: entry.received_at,
                level: entry.level,
                component: (row.get(11)?, &component),
                by_wifi: entry.flags & BY_WIFI != 0,
            };
            effects.count(&new, || {
                let text = row.get_ref(13)?.as_str().map_err(rusqlite::Error::from)?;
                template::join(text, &entry.params)
                    .map_err(|error| StoreError::Failed(error.to_string()))
            })?;
        }
        Ok(())
    }
}

fn make_row(
    planned: &PlannedRow,
    batch: &NewEntries,
    place: Place,
) -> Result<EntryRow, StoreError> {
    let entry = &batch.entries[planned.source.1];
    let context = (!entry.context.is_empty()).then(|| serde_json::to_string(&entry.context));
    let context = context
        .transpose()
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    let key = EntryKey {
        filed_at: planned.filed_at,
        epoch: planned.epoch,
        seq: planned.seq,
        machine: planned.machine,
    };
    Ok(EntryRow {
        key,
        level: entry.level,
        template: place.template,
        params: place.params,
        context,
        timestamp: entry.timestamp,
        received_at: batch.received_at,
        flags: entries::clock_flags(entry.clock) | row_flags(path_flag(batch.path)) | FULL,
    })
}

fn note(receipt: &mut Receipt, row: &PlannedRow, batch: &NewEntries, new: bool) {
    let index = row.source.1;
    if !new {
        receipt.duplicates.push(index);
        receipt.duplicates.sort_unstable();
        return;
    }
    receipt.accepted += 1;
    receipt.by_level[usize::from(batch.entries[index].level.as_u8())] += 1;
    let at = row.filed_at;
    receipt.filed = Some(
        receipt
            .filed
            .map_or((at, at), |(from, to)| (from.min(at), to.max(at))),
    );
}

fn add_to_ranges(ranges: &mut Vec<Range>, kind: RangeKind, row: &PlannedRow, flags: i64) {
    let PlannedRow {
        machine,
        epoch,
        seq,
        ..
    } = *row;
    extend(
        ranges,
        Range {
            kind,
            machine,
            epoch,
            first: seq,
            last: seq,
            flags,
        },
    );
}

/// Adds a range of one seq, to the last one when it continues it.
fn extend(ranges: &mut Vec<Range>, next: Range) {
    if let Some(last) = ranges.last_mut()
        && last.last.checked_add(1) == Some(next.first)
        && (Range {
            first: next.first,
            last: next.last,
            ..*last
        }) == next
    {
        last.last = next.last;
    } else {
        ranges.push(next);
    }
}

/// A row's flags for the ledger's paths.
fn row_flags(run: i64) -> i64 {
    use crate::catalog::runs::{RUN_CELL, RUN_WIFI};
    (if run & RUN_WIFI != 0 { BY_WIFI } else { 0 })
        | (if run & RUN_CELL != 0 { BY_CELL } else { 0 })
}

/// The ledger's flags of a row.
fn run_flags(row: i64) -> i64 {
    use crate::catalog::runs::{RUN_CELL, RUN_WIFI};
    (if row & BY_WIFI != 0 { RUN_WIFI } else { 0 })
        | (if row & BY_CELL != 0 { RUN_CELL } else { 0 })
        | (if row & FULL != 0 { RUN_FULL } else { 0 })
}
