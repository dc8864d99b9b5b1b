//! The day files that the writer has open.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};
use wire::{Level, Micros};

use crate::catalog::newest;
use crate::catalog::runs::{RUN_CELL, RUN_FULL, RUN_WIFI};
use crate::cell::arrived::Arrival;
use crate::day::Day;
use crate::day::commits::{self, Range, RangeKind};
use crate::day::entries::{self, BY_CELL, BY_WIFI, CELL_FIRST, EntryKey, EntryRow, FULL};
use crate::day::stored::{self, Number, OldRow};
use crate::day::templates::{Place, TemplateBook};
use crate::entry::Receipt;
use crate::error::StoreError;
use crate::shared::{MachineNo, Shared};
use crate::sqlite::{self, Kind};
use crate::writer::effects::{Effects, NewRow, path_flag};
use crate::writer::judge::Fresh;
use crate::writer::plan::{DayPlan, PlannedRow};
use crate::writer::queue::Outcome;

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

    /// The row with this number in a day's file; `None` when it or the file is not there. Between
    /// groups only: it may close other days.
    pub(crate) fn find(
        &mut self,
        shared: &Shared,
        day: Day,
        number: Number,
    ) -> Result<Option<OldRow>, StoreError> {
        if !shared.days().contains(&day) {
            return Ok(None);
        }
        if !self.open.contains_key(&day) {
            self.trim();
        }
        let file = self.get(shared, day)?;
        Ok(stored::find(&file.conn, day, number)?)
    }

    /// Looks up a machine's newest entry of a level, on this day or the one before: a status asks for
    /// no older ones.
    pub(crate) fn look_up_newest(
        &mut self,
        shared: &Shared,
        catalog: &Connection,
        (machine, level): (MachineNo, Level),
        day: Day,
    ) -> Result<(), StoreError> {
        for day in [day, Day(day.0 - 1)] {
            if !shared.days().contains(&day) {
                continue;
            }
            if let Some(found) = self.get(shared, day)?.newest(machine, level)? {
                newest::offer(catalog, machine, level, &found)?;
                break;
            }
        }
        Ok(())
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
    pub(crate) day: Day,
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
        arrivals: &[&Arrival],
        outcomes: &mut [Result<Outcome, StoreError>],
    ) -> Result<Effects, StoreError> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let commit = commits::newest(&self.conn)?.max(applied) + 1;
        let mut effects = Effects::new(self.day, commit);
        // In this order runs of seqs come out whole, and rows lie nearly as they are clustered.
        plan.rows
            .sort_unstable_by_key(|row| (row.machine, row.epoch, row.seq));
        self.mirror_machines(shared, &plan.rows)?;
        let mut ranges = self.insert_rows(&plan.rows, arrivals, outcomes, &mut effects)?;
        for (seen, at) in plan.seen {
            let flags = row_flags(seen.flags);
            let seqs = (seen.first, seen.last);
            let whose = (seen.machine, seen.epoch);
            entries::add_flags(&self.conn, self.day, whose, seqs, flags, at)?;
            extend(&mut ranges, seen);
        }
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
        arrivals: &[&Arrival],
        outcomes: &mut [Result<Outcome, StoreError>],
        effects: &mut Effects,
    ) -> Result<Vec<Range>, StoreError> {
        let mut insert = self.conn.prepare_cached(entries::INSERT)?;
        let mut ranges: Vec<Range> = Vec::new();
        for row in rows {
            let arrival = arrivals[row.source.0];
            let batch = &arrival.new;
            let entry = &batch.entries[row.source.1];
            if let Some(old) = row.old.as_ref().filter(|old| old.day == self.day) {
                stored::delete(&self.conn, (row.machine, row.epoch, row.seq))?;
                self.templates.unuse(old.row.template);
                effects.uncount(old);
            }
            let place = self
                .templates
                .place(&self.conn, &entry.component, &entry.message)?;
            let (component, template) = (place.component, place.template);
            let made = make_row(row, arrival, place)?;
            let new = entries::insert(&mut insert, self.day, &made)?;
            if new {
                let counted = NewRow {
                    machine: row.machine,
                    filed_at: row.filed_at,
                    received_at: made.received_at,
                    level: entry.level,
                    component: (component, &entry.component),
                    wifi_at: made.wifi_at(),
                };
                effects.count(&counted, || Ok(entry.message.clone()))?;
                if row.old.is_none() {
                    effects.add_fresh(Fresh {
                        source: row.source,
                        key: made.key,
                    });
                }
            } else {
                self.templates.unuse(template);
                tracing::warn!(
                    machine = %batch.machine, row.epoch, row.seq, day = %self.day.name(),
                    "the day file has an entry that the ledger did not know"
                );
            }
            let kind = match &row.old {
                Some(old) if old.day != self.day => RangeKind::Moved { from: old.day.0 },
                Some(_) => RangeKind::Replaced,
                None if new => RangeKind::New,
                None => RangeKind::Seen,
            };
            add_to_ranges(&mut ranges, kind, row, run_flags(made.flags));
            if let Ok(outcome) = &mut outcomes[row.source.0] {
                note(&mut outcome.receipt, row, arrival, new);
            }
        }
        Ok(ranges)
    }

    /// Removes rows that moved to other days, in one transaction, and says what it means for the
    /// catalog; `None` when none of them is there any more.
    pub(crate) fn remove(
        &mut self,
        applied: i64,
        moved: &[Range],
    ) -> Result<Option<Effects>, StoreError> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let commit = commits::newest(&self.conn)?.max(applied) + 1;
        let mut effects = Effects::new(self.day, commit);
        let mut ranges = Vec::new();
        for range in moved {
            for seq in range.first..=range.last {
                let number = (range.machine, range.epoch, seq);
                let Some(old) = stored::find(&self.conn, self.day, number)? else {
                    continue;
                };
                stored::delete(&self.conn, number)?;
                self.templates.unuse(old.row.template);
                effects.uncount(&old);
                let left = Range {
                    kind: RangeKind::Left,
                    first: seq,
                    last: seq,
                    ..*range
                };
                extend(&mut ranges, left);
            }
        }
        if ranges.is_empty() {
            self.conn.execute_batch("ROLLBACK")?;
            return Ok(None);
        }
        self.templates.write_counts(&self.conn)?;
        commits::insert(&self.conn, commit, &ranges, applied)?;
        self.conn.execute_batch("COMMIT")?;
        Ok(Some(effects))
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
}

/// The row of an entry. One that takes the place of another keeps when that one came.
fn make_row(planned: &PlannedRow, arrival: &Arrival, place: Place) -> Result<EntryRow, StoreError> {
    let batch = &arrival.new;
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
    let path = row_flags(path_flag(batch.path));
    let full = if arrival.is_summary(planned.source.1) {
        0
    } else {
        FULL
    };
    let (received_at, second_at, before) = match &planned.old {
        None => (batch.received_at, None, 0),
        Some(old) => before(&old.row, path, batch.received_at),
    };
    Ok(EntryRow {
        key,
        level: entry.level,
        template: place.template,
        params: place.params,
        context,
        timestamp: entry.timestamp,
        received_at,
        second_at,
        flags: entries::clock_flags(entry.clock) | path | full | before,
    })
}

/// What a row that comes by `path` takes over from the one before it: its arrivals and its flags.
fn before(old: &EntryRow, path: i64, at: Micros) -> (Micros, Option<Micros>, i64) {
    let paths = old.flags & (BY_WIFI | BY_CELL | CELL_FIRST);
    if paths & path != 0 {
        return (old.received_at, old.second_at, paths);
    }
    let first = if paths & BY_CELL != 0 { CELL_FIRST } else { 0 };
    (old.received_at, Some(at), paths | first)
}

fn note(receipt: &mut Receipt, row: &PlannedRow, arrival: &Arrival, new: bool) {
    let index = row.source.1;
    if row.old.is_some() {
        // Its index is among the duplicates already.
        receipt.upgraded += 1;
    } else if !new {
        receipt.duplicates.push(index);
        receipt.duplicates.sort_unstable();
        return;
    } else {
        receipt.accepted += 1;
        let level = arrival.new.entries[index].level;
        receipt.by_level[usize::from(level.as_u8())] += 1;
    }
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
pub(crate) fn extend(ranges: &mut Vec<Range>, next: Range) {
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
    (if run & RUN_WIFI != 0 { BY_WIFI } else { 0 })
        | (if run & RUN_CELL != 0 { BY_CELL } else { 0 })
}

/// The ledger's flags of a row.
pub(crate) fn run_flags(row: i64) -> i64 {
    (if row & BY_WIFI != 0 { RUN_WIFI } else { 0 })
        | (if row & BY_CELL != 0 { RUN_CELL } else { 0 })
        | (if row & FULL != 0 { RUN_FULL } else { 0 })
}
