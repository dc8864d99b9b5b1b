//! What a commit of a day file means for the catalog. The same when it is applied at once and when
//! it is applied again after a crash.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;
use wire::{Level, Micros};

use crate::catalog::newest::{self, Newest};
use crate::catalog::rollups::{self, FLEET, MINUTES_KEPT_US};
use crate::catalog::runs::{Merge, RUN_CELL, RUN_WIFI, Run};
use crate::catalog::{contacts, days, ledger};
use crate::day::Day;
use crate::day::commits::{Range, RangeKind};
use crate::day::stored::OldRow;
use crate::entry::PathKind;
use crate::shared::MachineNo;
use crate::writer::judge::Fresh;

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
    /// Contacts over WiFi that the catalog may have missed; those by drops come with the drop, which is
    /// taken again when its answer was missed.
    contacts: HashMap<MachineNo, Micros>,
    newest: HashMap<(MachineNo, Level), Newest>,
    /// Entries that are new, to be judged by the rules of alerts.
    fresh: Vec<Fresh>,
    /// Grave rows that are gone or were replaced, by when they were filed.
    gone: BTreeSet<(MachineNo, Level, Micros)>,
}

/// A row that is new with a commit, as the catalog sees it.
pub(crate) struct NewRow<'a> {
    pub(crate) machine: MachineNo,
    pub(crate) filed_at: Micros,
    pub(crate) received_at: Micros,
    pub(crate) level: Level,
    /// The component's number in the day file, and its name.
    pub(crate) component: (i64, &'a str),
    pub(crate) wifi_at: Option<Micros>,
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
            fresh: Vec::new(),
            gone: BTreeSet::new(),
        }
    }

    pub(crate) fn add_range(&mut self, range: Range) {
        self.ranges.push(range);
    }

    pub(crate) fn add_fresh(&mut self, fresh: Fresh) {
        self.fresh.push(fresh);
    }

    pub(crate) fn fresh(&self) -> &[Fresh] {
        &self.fresh
    }

    /// Counts a row. `message` is asked for only when the row is remembered by name.
    pub(crate) fn count(
        &mut self,
        row: &NewRow<'_>,
        message: impl FnOnce() -> Result<String, crate::StoreError>,
    ) -> Result<(), crate::StoreError> {
        let (_, name) = row.component;
        let times = (row.filed_at, row.received_at);
        self.add_count(row.machine, times, row.level, row.component, 1);
        if let Some(at) = row.wifi_at {
            let contact = self.contacts.entry(row.machine).or_insert(at);
            *contact = at.max(*contact);
        }
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

    /// Takes back the count of a row that is gone or was replaced.
    pub(crate) fn uncount(&mut self, old: &OldRow) {
        let row = &old.row;
        let (machine, filed_at) = (row.key.machine, row.key.filed_at);
        let component = (old.component.0, old.component.1.as_str());
        let times = (filed_at, row.received_at);
        self.add_count(machine, times, row.level, component, -1);
        if newest::remembers(row.level) {
            self.gone.insert((machine, row.level, filed_at));
        }
    }

    fn add_count(
        &mut self,
        machine: MachineNo,
        (filed_at, received_at): (Micros, Micros),
        level: Level,
        (component, name): (i64, &str),
        change: i64,
    ) {
        let level = usize::from(level.as_u8());
        self.entries += change;
        let hour = rollups::hour_of(filed_at);
        self.hours.entry((machine, hour, component)).or_default()[level] += change;
        if received_at.since_us(filed_at) <= MINUTES_KEPT_US {
            let minute = rollups::minute_of(filed_at);
            self.minutes.entry((machine, minute)).or_default()[level] += change;
        }
        self.components
            .entry(component)
            .or_insert_with(|| name.to_owned());
    }

    pub(crate) fn day(&self) -> Day {
        self.day
    }

    /// Rows that took the place of rows in other days' files: those days, and what they must lose.
    pub(crate) fn moved(&self) -> impl Iterator<Item = (Day, Range)> + '_ {
        self.ranges.iter().filter_map(|range| match range.kind {
            RangeKind::Moved { from } => Some((Day(from), *range)),
            _ => None,
        })
    }

    /// Writes all of it into the catalog, inside the caller's transaction. Answers for which machines
    /// and levels the newest entry is to be looked up, as the one that was kept is gone.
    pub(crate) fn apply(&self, catalog: &Connection) -> rusqlite::Result<Vec<(MachineNo, Level)>> {
        for range in &self.ranges {
            let run = Run {
                first: range.first,
                last: range.last,
                day: self.day.0,
                flags: range.flags,
            };
            let merge = match range.kind {
                RangeKind::New | RangeKind::Seen => Merge::Keep,
                RangeKind::Replaced | RangeKind::Moved { .. } => Merge::Replace,
                // What took their place says where it lies.
                RangeKind::Left => continue,
            };
            ledger::add(catalog, range.machine, range.epoch, run, merge)?;
        }
        self.apply_counts(catalog)?;
        for (&machine, &at) in &self.contacts {
            contacts::touch(catalog, machine, PathKind::Wifi, at)?;
        }
        let mut lost = Vec::new();
        for &(machine, level, filed_at) in &self.gone {
            if newest::forget(catalog, machine, level, filed_at)? {
                lost.push((machine, level, filed_at));
            }
        }
        for (&(machine, level), said) in &self.newest {
            newest::offer(catalog, machine, level, said)?;
        }
        // One that was replaced by itself at the same time or later is the newest still.
        lost.retain(|&(machine, level, filed_at)| {
            self.newest
                .get(&(machine, level))
                .is_none_or(|said| said.filed_at < filed_at)
        });
        days::apply(catalog, self.day, self.commit, self.entries)?;
        Ok(lost
            .into_iter()
            .map(|(machine, level, _)| (machine, level))
            .collect())
    }

    fn apply_counts(&self, catalog: &Connection) -> rusqlite::Result<()> {
        let mut numbers = HashMap::new();
        for (&no, name) in &self.components {
            numbers.insert(no, rollups::component_number(catalog, name)?);
        }
        let mut by_component: HashMap<(i64, MachineNo, i64), Counts> = HashMap::new();
        let mut by_machine: HashMap<(MachineNo, i64), Counts> = HashMap::new();
        let (mut speakers, mut quieter) = (BTreeSet::new(), BTreeSet::new());
        for (&(machine, hour, component), &counts) in &self.hours {
            let component = numbers.get(&component).copied().unwrap_or(component);
            for whose in [machine, FLEET] {
                add(
                    by_component.entry((component, whose, hour)).or_default(),
                    counts,
                );
                add(by_machine.entry((whose, hour)).or_default(), counts);
            }
            if counts.iter().any(|&count| count > 0) {
                speakers.insert((machine, component));
            }
            if counts.iter().any(|&count| count < 0) {
                quieter.insert((machine, component));
            }
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
        for (machine, component) in quieter {
            rollups::forget_silent(catalog, machine, component)?;
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
