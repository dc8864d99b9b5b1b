//! What is to be done with a group of batches: the ledger decides what is new, the filed time
//! decides the day. Nothing is written here.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use wire::Micros;

use crate::catalog::ledger;
use crate::catalog::runs::{Known, RUN_FULL, RUN_PATHS, RUN_REFUSED};
use crate::day::Day;
use crate::day::commits::{Range, RangeKind};
use crate::day::entries::UNNUMBERED_EPOCH;
use crate::entry::{NewEntries, Receipt, filed_at};
use crate::error::StoreError;
use crate::shared::{MachineNo, Registry};
use crate::writer::effects::path_flag;

/// A group of batches, planned.
#[derive(Default)]
pub(crate) struct Plan {
    /// What each batch is answered, as far as it is known before the rows are written.
    pub(crate) outcomes: Vec<Result<Receipt, StoreError>>,
    /// What each day file gets.
    pub(crate) days: BTreeMap<Day, DayPlan>,
    /// Seqs that were refused: machine, epoch, seq, day of arrival.
    pub(crate) refused: Vec<(MachineNo, i64, i64, Day)>,
    /// Whose batches came, with their place in the group.
    pub(crate) senders: Vec<(MachineNo, usize)>,
}

/// What one day file gets.
#[derive(Default)]
pub(crate) struct DayPlan {
    /// Rows to insert.
    pub(crate) rows: Vec<PlannedRow>,
    /// Rows that came again by another path.
    pub(crate) seen: Vec<Range>,
}

/// An entry that is new.
#[derive(Clone, Copy)]
pub(crate) struct PlannedRow {
    pub(crate) machine: MachineNo,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) filed_at: Micros,
    /// Which batch of the group, and which entry of it.
    pub(crate) source: (usize, usize),
}

/// Plans a group.
///
/// # Errors
/// The catalog cannot be read. What is wrong with one batch is that batch's outcome.
pub(crate) fn plan(
    catalog: &Connection,
    registry: &Registry,
    batches: &[&NewEntries],
) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let mut known = load_known(catalog, registry, batches)?;
    for (place, batch) in batches.iter().enumerate() {
        let outcome = match check(registry, batch) {
            Ok(machine) => {
                plan.senders.push((machine, place));
                Ok(plan_batch(&mut plan, &mut known, machine, place, batch))
            }
            Err(error) => Err(error),
        };
        plan.outcomes.push(outcome);
    }
    Ok(plan)
}

type KnownSeqs = HashMap<(MachineNo, i64), Known>;

/// What is wrong with a batch as a whole, or the number of its machine.
fn check(registry: &Registry, batch: &NewEntries) -> Result<MachineNo, StoreError> {
    let machine = registry
        .registered(&batch.machine)
        .ok_or_else(|| StoreError::NoSuchMachine(batch.machine.clone()))?;
    let fits = |number: u64| i64::try_from(number).is_ok();
    let good = match batch.epoch {
        Some(epoch) => {
            fits(epoch)
                && batch
                    .entries
                    .iter()
                    .all(|entry| entry.seq.is_some_and(fits))
                && batch.refused_seqs.iter().all(|&seq| fits(seq))
        }
        None => batch.refused_seqs.is_empty(),
    };
    if good {
        Ok(machine)
    } else {
        Err(StoreError::BadNumber)
    }
}

/// Loads what the ledger knows around the seqs of the group, one window a machine and epoch.
fn load_known(
    catalog: &Connection,
    registry: &Registry,
    batches: &[&NewEntries],
) -> Result<KnownSeqs, StoreError> {
    let mut windows: HashMap<(MachineNo, i64), Option<(i64, i64)>> = HashMap::new();
    for batch in batches {
        let Ok(machine) = check(registry, batch) else {
            continue;
        };
        let Some(epoch) = batch.epoch else {
            windows.insert((machine, UNNUMBERED_EPOCH), None);
            continue;
        };
        let seqs = batch.entries.iter().filter_map(|entry| entry.seq);
        for seq in seqs
            .chain(batch.refused_seqs.iter().copied())
            .map(|seq| seq as i64)
        {
            let window = windows
                .entry((machine, epoch as i64))
                .or_insert(Some((seq, seq)));
            if let Some((from, to)) = window {
                (*from, *to) = (seq.min(*from), seq.max(*to));
            }
        }
    }
    let mut known = HashMap::new();
    for ((machine, epoch), window) in windows {
        let window = match window {
            Some(window) => window,
            None => {
                let last = ledger::last_seq(catalog, machine, epoch)?;
                (last, last)
            }
        };
        let runs = ledger::runs_near(catalog, machine, epoch, window)?;
        known.insert((machine, epoch), Known::new(runs));
    }
    Ok(known)
}

fn plan_batch(
    plan: &mut Plan,
    known: &mut KnownSeqs,
    machine: MachineNo,
    place: usize,
    batch: &NewEntries,
) -> Receipt {
    let mut receipt = Receipt::default();
    let epoch = batch.epoch.map_or(UNNUMBERED_EPOCH, |epoch| epoch as i64);
    let known = known.entry((machine, epoch)).or_default();
    let mut next_unnumbered = known.last().saturating_add(1);
    let path = path_flag(batch.path);
    for (index, entry) in batch.entries.iter().enumerate() {
        let seq = entry
            .seq
            .filter(|_| batch.epoch.is_some())
            .map_or(next_unnumbered, |seq| seq as i64);
        if let Some(run) = known.find(seq) {
            receipt.duplicates.push(index);
            if run.flags & RUN_REFUSED == 0 && run.flags & path == 0 {
                let flags = run.flags | path;
                let seen = Range {
                    kind: RangeKind::Seen,
                    machine,
                    epoch,
                    first: seq,
                    last: seq,
                    flags,
                };
                plan.days.entry(Day(run.day)).or_default().seen.push(seen);
                known.add_paths(seq, path & RUN_PATHS);
            }
            continue;
        }
        let filed_at = filed_at(entry.timestamp, batch.received_at);
        let day = Day::of(filed_at);
        known.insert(seq, day.0, path | RUN_FULL);
        next_unnumbered = next_unnumbered.saturating_add(1);
        let row = PlannedRow {
            machine,
            epoch,
            seq,
            filed_at,
            source: (place, index),
        };
        plan.days.entry(day).or_default().rows.push(row);
    }
    let arrival = Day::of(batch.received_at);
    for seq in batch.refused_seqs.iter().map(|&seq| seq as i64) {
        if known.find(seq).is_none() {
            known.insert(seq, arrival.0, RUN_REFUSED);
            plan.refused.push((machine, epoch, seq, arrival));
        }
    }
    receipt
}
