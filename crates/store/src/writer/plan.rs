//! What is to be done with a group of arrivals: the ledger decides what is new and what is better
//! than what is there, the filed time decides the day. Nothing is written here.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use wire::Micros;

use crate::catalog::ledger;
use crate::catalog::runs::{Known, Merge, RUN_FULL, RUN_PATHS, RUN_REFUSED, Run, fidelity};
use crate::cell::arrived::Arrival;
use crate::day::Day;
use crate::day::commits::{Range, RangeKind};
use crate::day::entries::UNNUMBERED_EPOCH;
use crate::day::stored::OldRow;
use crate::entry::{Receipt, filed_at};
use crate::error::StoreError;
use crate::shared::{MachineNo, Registry, Shared};
use crate::writer::days::OpenDays;
use crate::writer::effects::path_flag;
use crate::writer::queue::Outcome;

/// A group of arrivals, planned.
#[derive(Default)]
pub(crate) struct Plan {
    /// What each arrival is answered, as far as it is known before the rows are written.
    pub(crate) outcomes: Vec<Result<Outcome, StoreError>>,
    /// What each day file gets.
    pub(crate) days: BTreeMap<Day, DayPlan>,
    /// Seqs that were refused: machine, epoch, seq, day of arrival.
    pub(crate) refused: Vec<(MachineNo, i64, i64, Day)>,
    /// Whose arrivals came, with their place in the group.
    pub(crate) senders: Vec<(MachineNo, usize)>,
}

/// What one day file gets.
#[derive(Default)]
pub(crate) struct DayPlan {
    /// Rows to insert.
    pub(crate) rows: Vec<PlannedRow>,
    /// Rows that came again by another path, and when.
    pub(crate) seen: Vec<(Range, Micros)>,
}

/// An entry that is new, or better than the row that is there.
pub(crate) struct PlannedRow {
    pub(crate) machine: MachineNo,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) filed_at: Micros,
    /// Which arrival of the group, and which entry of it.
    pub(crate) source: (usize, usize),
    /// The row that makes way.
    pub(crate) old: Option<Box<OldRow>>,
}

/// Plans a group. No two arrivals of one machine in it may come by a drop; see `Writer::append`.
///
/// # Errors
/// The catalog or a day cannot be read. What is wrong with one arrival is that arrival's outcome.
pub(crate) fn plan(
    catalog: &Connection,
    shared: &Shared,
    days: &mut OpenDays,
    arrivals: &[&Arrival],
) -> Result<Plan, StoreError> {
    let machines: Vec<Result<MachineNo, StoreError>> = {
        let registry = shared.registry();
        arrivals.iter().map(|it| check(&registry, it)).collect()
    };
    let mut known = load_known(catalog, &machines, arrivals)?;
    let mut plan = Plan::default();
    for (place, (arrival, machine)) in arrivals.iter().zip(machines).enumerate() {
        let outcome = match machine {
            Ok(machine) => {
                plan.senders.push((machine, place));
                let sender = Sender {
                    machine,
                    place,
                    arrival,
                };
                Ok(Outcome {
                    receipt: sender.plan(&mut plan, &mut known, shared, days)?,
                    drop: None,
                })
            }
            Err(error) => Err(error),
        };
        plan.outcomes.push(outcome);
    }
    Ok(plan)
}

type KnownSeqs = HashMap<(MachineNo, i64), Known>;

/// What is wrong with an arrival as a whole, or the number of its machine.
fn check(registry: &Registry, arrival: &Arrival) -> Result<MachineNo, StoreError> {
    let new = &arrival.new;
    let machine = registry
        .registered(&new.machine)
        .ok_or_else(|| StoreError::NoSuchMachine(new.machine.clone()))?;
    let fits = |number: u64| i64::try_from(number).is_ok();
    let good = if arrival.has_seqs() {
        new.epoch.is_none_or(fits)
            && new.entries.iter().all(|entry| entry.seq.is_some_and(fits))
            && new.refused_seqs.iter().all(|&seq| fits(seq))
            && arrival.has_good_header()
    } else {
        new.refused_seqs.is_empty()
    };
    if good {
        Ok(machine)
    } else {
        Err(StoreError::BadNumber)
    }
}

/// Loads what the ledger knows around the seqs of the group: for batches one window a machine and
/// epoch, for drops around each seq, as a drop repeats old entries and numbers of bare lines lie
/// anywhere.
fn load_known(
    catalog: &Connection,
    machines: &[Result<MachineNo, StoreError>],
    arrivals: &[&Arrival],
) -> Result<KnownSeqs, StoreError> {
    let mut windows: HashMap<(MachineNo, i64), Vec<(i64, i64)>> = HashMap::new();
    for (arrival, machine) in arrivals.iter().zip(machines) {
        let Ok(machine) = machine else { continue };
        let epoch = arrival.epoch();
        let windows = windows.entry((*machine, epoch)).or_default();
        if !arrival.has_seqs() {
            let last = ledger::last_seq(catalog, *machine, epoch)?;
            windows.push((last, last));
            continue;
        }
        let new = &arrival.new;
        let seqs = new.entries.iter().filter_map(|entry| entry.seq);
        let seqs = seqs
            .chain(new.refused_seqs.iter().copied())
            .map(|seq| seq as i64);
        if arrival.drop.is_some() {
            windows.extend(seqs.map(|seq| (seq, seq)));
        } else if let Some(window) = seqs.fold(None, |window: Option<(i64, i64)>, seq| {
            let (from, to) = window.unwrap_or((seq, seq));
            Some((seq.min(from), seq.max(to)))
        }) {
            windows.push(window);
        }
    }
    let mut known = HashMap::new();
    for ((machine, epoch), windows) in windows {
        let mut runs: Vec<Run> = Vec::new();
        for window in windows {
            runs.append(&mut ledger::runs_near(catalog, machine, epoch, window)?);
        }
        known.insert((machine, epoch), Known::new(runs));
    }
    Ok(known)
}

/// One arrival and who sent it.
struct Sender<'a> {
    machine: MachineNo,
    place: usize,
    arrival: &'a Arrival,
}

impl Sender<'_> {
    fn plan(
        &self,
        plan: &mut Plan,
        known: &mut KnownSeqs,
        shared: &Shared,
        days: &mut OpenDays,
    ) -> Result<Receipt, StoreError> {
        let mut receipt = Receipt::default();
        let Sender {
            machine, arrival, ..
        } = *self;
        let new = &arrival.new;
        let epoch = arrival.epoch();
        let known = known.entry((machine, epoch)).or_default();
        let mut next_unnumbered = known.last().saturating_add(1);
        for (index, entry) in new.entries.iter().enumerate() {
            let numbered = entry.seq.filter(|_| epoch != UNNUMBERED_EPOCH);
            let seq = numbered.map_or(next_unnumbered, |seq| seq as i64);
            if let Some(run) = known.find(seq) {
                receipt.duplicates.push(index);
                if run.flags & RUN_REFUSED == 0 {
                    self.again(plan, known, (seq, index), run, shared, days)?;
                }
                continue;
            }
            let filed_at = filed_at(entry.timestamp, new.received_at);
            let day = Day::of(filed_at);
            known.insert(seq, day.0, self.flags(index));
            next_unnumbered = next_unnumbered.saturating_add(1);
            let row = self.row(seq, index, filed_at, None);
            plan.days.entry(day).or_default().rows.push(row);
        }
        let arrived = Day::of(new.received_at);
        for seq in new.refused_seqs.iter().map(|&seq| seq as i64) {
            if known.find(seq).is_none() {
                known.insert(seq, arrived.0, RUN_REFUSED);
                plan.refused.push((machine, epoch, seq, arrived));
            }
        }
        Ok(receipt)
    }

    /// An entry that is there: it replaces the row when it is better, else the row is marked when
    /// this is a path that it had not come by.
    fn again(
        &self,
        plan: &mut Plan,
        known: &mut Known,
        (seq, index): (i64, usize),
        run: Run,
        shared: &Shared,
        days: &mut OpenDays,
    ) -> Result<(), StoreError> {
        let (machine, epoch) = (self.machine, self.arrival.epoch());
        let new = &self.arrival.new;
        let flags = self.flags(index);
        if fidelity(flags) > fidelity(run.flags) {
            let place = (machine, epoch, seq);
            if let Some(old) = days.find(shared, Day(run.day), place)? {
                // Filed by the event, or by the first arrival when the event cannot be true.
                let filed_at = filed_at(new.entries[index].timestamp, old.row.received_at);
                let day = Day::of(filed_at);
                known.change(seq, day.0, flags, Merge::Replace);
                let row = self.row(seq, index, filed_at, Some(Box::new(old)));
                plan.days.entry(day).or_default().rows.push(row);
                return Ok(());
            }
        }
        let path = path_flag(new.path);
        if run.flags & path == 0 {
            let seen = Range {
                kind: RangeKind::Seen,
                machine,
                epoch,
                first: seq,
                last: seq,
                flags: run.flags | path,
            };
            let day = plan.days.entry(Day(run.day)).or_default();
            day.seen.push((seen, new.received_at));
            known.change(seq, run.day, path & RUN_PATHS, Merge::Keep);
        }
        Ok(())
    }

    fn row(
        &self,
        seq: i64,
        index: usize,
        filed_at: Micros,
        old: Option<Box<OldRow>>,
    ) -> PlannedRow {
        PlannedRow {
            machine: self.machine,
            epoch: self.arrival.epoch(),
            seq,
            filed_at,
            source: (self.place, index),
            old,
        }
    }

    fn flags(&self, index: usize) -> i64 {
        let full = if self.arrival.is_summary(index) {
            0
        } else {
            RUN_FULL
        };
        path_flag(self.arrival.new.path) | full
    }
}
