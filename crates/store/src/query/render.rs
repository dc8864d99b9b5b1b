//! A row back into the entry that a person reads.

use wire::template;

use crate::day::entries::{self, BY_CELL, BY_WIFI, EntryRow, FULL};
use crate::entry::StoredEntry;
use crate::error::StoreError;
use crate::query::cursor;
use crate::readers::DayReader;
use crate::shared::Registry;

/// The entry of a row.
///
/// # Errors
/// The row names a template or machine that is not there: the file is damaged.
pub(crate) fn entry(
    registry: &Registry,
    day: &DayReader<'_>,
    row: EntryRow,
) -> Result<StoredEntry, StoreError> {
    let broken =
        |what: &str| StoreError::Failed(format!("the day {} is damaged: {what}", day.day.name()));
    let machine_id = registry
        .id(row.key.machine)
        .ok_or_else(|| broken("unknown machine"))?
        .clone();
    let sentence = day
        .sentences
        .get(row.template)
        .ok_or_else(|| broken("unknown template"))?;
    let (message, params) = template::join_with_spans(&sentence.template, &row.params)
        .map_err(|error| broken(&error.to_string()))?;
    let context = match &row.context {
        Some(json) => serde_json::from_str(json).map_err(|_| broken("unreadable context"))?,
        None => serde_json::Map::new(),
    };
    let numbered = row.key.epoch >= 0;
    Ok(StoredEntry {
        id: cursor::id_text(row.key),
        machine_id,
        epoch: numbered.then_some(row.key.epoch as u64),
        seq: numbered.then_some(row.key.seq as u64),
        timestamp: row.timestamp,
        received_at: row.received_at,
        wifi_at: row.wifi_at(),
        cell_at: row.cell_at(),
        filed_at: row.key.filed_at,
        level: row.level,
        component: sentence.component.clone(),
        message,
        template: sentence.template.clone(),
        params,
        context,
        clock: entries::clock_of(row.flags),
        by_wifi: row.flags & BY_WIFI != 0,
        by_cell: row.flags & BY_CELL != 0,
        full: row.flags & FULL != 0,
    })
}
