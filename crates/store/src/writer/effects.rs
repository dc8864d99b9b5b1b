//! What a commit of a day file means for the catalog. The same when it is applied at once and when
//! it is applied again after a crash.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;
use wire::{Level, Micros};

use crate::catalog::newest::{self, Newest};
use crate::catalog::rollups::{self, FLEET, MINUTES_KEPT_US};
use crate::catalog::runs::{RUN_CELL, RUN_WIFI, Run};
use crate::catalog::{contacts, days, ledger};
use crate::day::Day;
use crate::day::commits::Range;
use crate::entry::PathKind;
use crate::shared::MachineNo;

type Counts = [i64; 5];

/// What one or more commits of a day brought.
pub(crate) struct Effects {
    day: Day,
    /// The newest commit among them.
    commit: i64,
    ranges: Vec<Range>,
    entries: i64,
    /// By machine, hour and the day's number of the component.
    hours: HashMap<(MachineNo, i64, i64), Counts>,
    minutes: HashMap<(MachineNo, i64), Counts>,
    components: HashMap<i64, String>,
    contacts: HashMap<(MachineNo, bool), Micros>,
    newest: HashMap<(MachineNo, Level), Newest>,
}

/// A row that is new with a commit, as the catalog sees it.
pub(crate) struct NewRow<'a> {
    pub(crate) machine: MachineNo,
    pub(crate) filed_at: Micros,
    pub(crate) received_at: Micros,
    pub(crate) level: Level,
    /// The component's number in the day file, and its name.
    pub(crate) component: (i64, &'a str),
    pub(crate) by_wifi: bool,
}

impl Effects {
    pub(crate) fn new(day: Day, commit: i64) -> Effects {
        Effects {
            day,
            commit,
            ranges: Vec::new(),
            entries: 0,
            hours: HashMap::new(),
            minutes: HashMap::new(),
            components: HashMap::new(),
            contacts: HashMap::new(),
            newest: HashMap::new(),
        }
    }

    pub(crate) fn add_range(&mut self, range: Range) {
        self.ranges.push(range);
    }

    /// Counts a row. `message` is asked for only when the row is remembered by name.
    pub(crate) fn count(
        &mut self,
        row: &NewRow<'_>,
        message: impl FnOnce() -> Result<String, crate::StoreError>,
    ) -> Result<(), crate::StoreError> {
        let level = usize::from(row.level.as_u8());
        let (component, name) = row.component;
        self.entries += 1;
        let hour = rollups::hour_of(row.filed_at);
        self.hours
            .entry((row.machine, hour, component))
            .or_default()[level] += 1;
        if row.received_at.since_us(row.filed_at) <= MINUTES_KEPT_US {
            let minute = rollups::minute_of(row.filed_at);
            self.minutes.entry((row.machine, minute)).or_default()[level] += 1;
        }
        self.components
            .entry(component)
            .or_insert_with(|| name.to_owned());
        let contact = self
            .contacts
            .entry((row.machine, row.by_wifi))
            .or_insert(row.received_at);
        *contact = row.received_at.max(*contact);
        if newest::remembers(row.level) {
            let kept = self.newest.get(&(row.machine, row.level));
            if kept.is_none_or(|kept| kept.filed_at <= row.filed_at) {
                let newest = Newest {
                    filed_at: row.filed_at,
                    component: name.to_owned(),
                    message: message()?,
                };
                self.newest.insert((row.machine, row.level), newest);
            }
        }
        Ok(())
    }

    /// Writes all of it into the catalog, inside the caller's transaction.
    pub(crate) fn apply(&self, catalog: &Connection) -> rusqlite::Result<()> {
        for range in &self.ranges {
            let run = Run {
                first: range.first,
                last: range.last,
                day: self.day.0,
                flags: range.flags,
            };
            ledger::add(catalog, range.machine, range.epoch, run)?;
        }
        self.apply_counts(catalog)?;
        for (&(machine, by_wifi), &at) in &self.contacts {
            let path = if by_wifi {
                PathKind::Wifi
            } else {
                PathKind::Cell
            };
            contacts::touch(catalog, machine, path, at)?;
        }
        for (&(machine, level), said) in &self.newest {
            newest::offer(catalog, machine, level, said)?;
        }
        days::apply(catalog, self.day, self.commit, self.entries)
    }

    fn apply_counts(&self, catalog: &Connection) -> rusqlite::Result<()> {
        let mut numbers = HashMap::new();
        for (&no, name) in &self.components {
            numbers.insert(no, rollups::component_number(catalog, name)?);
        }
        let mut by_component: HashMap<(i64, MachineNo, i64), Counts> = HashMap::new();
        let mut by_machine: HashMap<(MachineNo, i64), Counts> = HashMap::new();
        let mut speakers = BTreeSet::new();
        for (&(machine, hour, component), &counts) in &self.hours {
            let component = numbers.get(&component).copied().unwrap_or(component);
            for whose in [machine, FLEET] {
                add(
                    by_component.entry((component, whose, hour)).or_default(),
                    counts,
                );
                add(by_machine.entry((whose, hour)).or_default(), counts);
            }
            speakers.insert((machine, component));
        }
        for (machine, component) in speakers {
            rollups::note_component(catalog, machine, component)?;
        }
        for ((component, whose, hour), counts) in by_component {
            rollups::add_component_hour(catalog, component, whose, hour, counts)?;
        }
        for ((whose, hour), counts) in by_machine {
            rollups::add_hour(catalog, whose, hour, counts)?;
        }
        let mut by_minute: HashMap<(MachineNo, i64), Counts> = HashMap::new();
        for (&(machine, minute), &counts) in &self.minutes {
            for whose in [machine, FLEET] {
                add(by_minute.entry((whose, minute)).or_default(), counts);
            }
        }
        for ((whose, minute), counts) in by_minute {
            rollups::add_minute(catalog, whose, minute, counts)?;
        }
        Ok(())
    }
}

fn add(sum: &mut Counts, counts: Counts) {
    for (total, count) in sum.iter_mut().zip(counts) {
        *total += count;
    }
}

/// The ledger's flags for whole entries that came by this path.
pub(crate) fn path_flag(path: PathKind) -> i64 {
    match path {
        PathKind::Wifi => RUN_WIFI,
        PathKind::Cell => RUN_CELL,
    }
}
