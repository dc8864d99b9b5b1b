//! Taking over what day files committed and the catalog does not have: after a crash, or after the
//! catalog could not be written.

use rusqlite::Connection;

use crate::catalog::alerts::rows::{self, Unjudged};
use crate::catalog::runs::fidelity;
use crate::catalog::{days, machines, newest, rollups};
use crate::day::commits::{Commit, Range, RangeKind};
use crate::day::{Day, commits};
use crate::error::StoreError;
use crate::shared::Shared;
use crate::writer::days::{DayFile, OpenDays, run_flags};
use crate::writer::transaction;

/// Brings the catalog up to these day files. One that cannot be read is logged and left for its own
/// repair; the others are served.
///
/// # Errors
/// The catalog cannot be written.
pub(crate) fn replay(
    shared: &Shared,
    catalog: &Connection,
    open: &mut OpenDays,
    days: impl IntoIterator<Item = Day>,
) -> Result<(), StoreError> {
    for day in days {
        replay_day(shared, catalog, open, day)?;
    }
    shared.set_registry(machines::registry(catalog)?);
    Ok(())
}

/// The day's file; `None` when it is gone or cannot be opened.
fn open_day<'a>(
    shared: &Shared,
    open: &'a mut OpenDays,
    day: Day,
) -> Result<Option<&'a mut DayFile>, StoreError> {
    if !shared.days().contains(&day) {
        return Ok(None);
    }
    open.trim();
    match open.get(shared, day) {
        Ok(file) => Ok(Some(file)),
        Err(StoreError::DiskFull) => Err(StoreError::DiskFull),
        Err(error) => {
            tracing::error!(day = %day.name(), %error, "the day file cannot be opened");
            Ok(None)
        }
    }
}

fn replay_day(
    shared: &Shared,
    catalog: &Connection,
    open: &mut OpenDays,
    day: Day,
) -> Result<(), StoreError> {
    let Some(file) = open_day(shared, open, day)? else {
        return Ok(());
    };
    let applied = days::applied_commit(catalog, day)?;
    let missing = commits::after(&file.conn, applied)?;
    let Some(&(newest, _)) = missing.last() else {
        return Ok(());
    };
    finish_moves(shared, catalog, open, (day, &missing))?;
    let whole = missing
        .first()
        .is_some_and(|(first, _)| *first == applied + 1)
        && missing.iter().all(|(_, ranges)| {
            ranges.as_ref().is_some_and(|ranges| {
                let only_added =
                    |range: &Range| matches!(range.kind, RangeKind::New | RangeKind::Seen);
                ranges.iter().all(only_added)
            })
        });
    tracing::info!(
        day = %day.name(), applied, newest, whole,
        "taking over commits of the day file that the catalog does not have"
    );
    transaction(catalog, |catalog| {
        let file = open.get(shared, day)?;
        for (no, id) in file.machines()? {
            machines::restore_number(catalog, no, &id)?;
        }
        for range in missing
            .iter()
            .flat_map(|(_, ranges)| ranges.iter().flatten())
        {
            if range.kind == RangeKind::New {
                let run = Unjudged {
                    day: day.0,
                    machine: range.machine,
                    epoch: range.epoch,
                    first: range.first,
                    last: range.last,
                };
                rows::add_unjudged(catalog, run)?;
            }
        }
        if whole {
            for (no, ranges) in &missing {
                file.replay(*no, ranges.as_deref().unwrap_or_default())?
                    .apply(catalog)?;
            }
            return Ok(());
        }
        // Commits in between are gone, or rows were replaced, and what they were is gone with them:
        // count the day from its rows.
        let lost = newest::forget_day(catalog, day)?;
        rollups::clear_day(catalog, day)?;
        days::clear_entries(catalog, day)?;
        file.replay_all(newest)?.apply(catalog)?;
        rollups::forget_all_silent(catalog)?;
        for place in lost {
            open.look_up_newest(shared, catalog, place, day)?;
        }
        Ok(())
    })
}

/// Ends what a crash left between two day files: rows that took the place of rows in the file of
/// another day are there, and the others must go. Before the catalog hears of it: until then this is
/// found again with every opening.
fn finish_moves(
    shared: &Shared,
    catalog: &Connection,
    open: &mut OpenDays,
    (day, missing): (Day, &[Commit]),
) -> Result<(), StoreError> {
    let ranges = missing
        .iter()
        .flat_map(|(_, ranges)| ranges.iter().flatten());
    for range in ranges {
        let RangeKind::Moved { from } = range.kind else {
            continue;
        };
        let from = Day(from);
        if open_day(shared, open, from)?.is_none() {
            continue;
        }
        let mut stale = Vec::new();
        for seq in range.first..=range.last {
            let number = (range.machine, range.epoch, seq);
            let here = open.find(shared, day, number)?;
            let there = open.find(shared, from, number)?;
            // The row may have moved on since: only the worse one goes.
            if let Some((here, there)) = here.zip(there)
                && fidelity(run_flags(here.row.flags)) > fidelity(run_flags(there.row.flags))
            {
                stale.push(Range {
                    first: seq,
                    last: seq,
                    ..*range
                });
            }
        }
        let applied = days::applied_commit(catalog, from)?;
        if open.get(shared, from)?.remove(applied, &stale)?.is_some() {
            replay_day(shared, catalog, open, from)?;
        }
    }
    Ok(())
}
