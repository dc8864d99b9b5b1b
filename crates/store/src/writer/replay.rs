//! Taking over what day files committed and the catalog does not have: after a crash, or after the
//! catalog could not be written.

use rusqlite::Connection;

use crate::catalog::{days, machines, rollups};
use crate::day::{Day, commits};
use crate::error::StoreError;
use crate::shared::Shared;
use crate::writer::days::{DayFile, OpenDays};
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
        if !shared.days().contains(&day) {
            continue;
        }
        let file = match open.get(shared, day) {
            Ok(file) => file,
            Err(StoreError::DiskFull) => return Err(StoreError::DiskFull),
            Err(error) => {
                tracing::error!(day = %day.name(), %error, "the day file cannot be opened");
                continue;
            }
        };
        replay_day(catalog, day, file)?;
        open.trim();
    }
    shared.set_registry(machines::registry(catalog)?);
    Ok(())
}

fn replay_day(catalog: &Connection, day: Day, file: &DayFile) -> Result<(), StoreError> {
    let applied = days::applied_commit(catalog, day)?;
    let missing = commits::after(&file.conn, applied)?;
    let Some(&(newest, _)) = missing.last() else {
        return Ok(());
    };
    let whole = missing
        .first()
        .is_some_and(|(first, _)| *first == applied + 1)
        && missing.iter().all(|(_, ranges)| ranges.is_some());
    tracing::info!(
        day = %day.name(), applied, newest, whole,
        "taking over commits of the day file that the catalog does not have"
    );
    transaction(catalog, |catalog| {
        for (no, id) in file.machines()? {
            machines::restore_number(catalog, no, &id)?;
        }
        if whole {
            for (no, ranges) in &missing {
                file.replay(*no, ranges.as_deref().unwrap_or_default())?
                    .apply(catalog)?;
            }
            return Ok(());
        }
        // Commits in between are gone: count the day from its rows.
        rollups::clear_day(catalog, day)?;
        days::clear_entries(catalog, day)?;
        Ok(file.replay_all(newest)?.apply(catalog)?)
    })
}
