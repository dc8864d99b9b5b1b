//! Counts by level per hour and minute, so that no panel scans rows. Machine 0 is the whole fleet.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::time::{HOUR_US, MINUTE_US};
use wire::{Level, Micros};

use crate::day::Day;
use crate::shared::MachineNo;

/// The whole fleet, in the place of a machine.
pub(crate) const FLEET: MachineNo = 0;
/// Minutes are counted for entries that are at most this old on arrival, and kept as long: two
/// days and what a query may lag.
pub(crate) const MINUTES_KEPT_US: i64 = 50 * HOUR_US;

const HOURS_PER_DAY: i64 = 24;

/// The hour an instant lies in, whole hours since 1970.
pub(crate) fn hour_of(at: Micros) -> i64 {
    at.0.div_euclid(HOUR_US)
}

/// The minute an instant lies in, whole minutes since 1970.
pub(crate) fn minute_of(at: Micros) -> i64 {
    at.0.div_euclid(MINUTE_US)
}

const ADD: &str = "DO UPDATE SET debug = debug + excluded.debug, info = info + excluded.info,
    warn = warn + excluded.warn, error = error + excluded.error,
    critical = critical + excluded.critical";

/// Counts that became zero are no counts: a row of them would be an hour in which nothing was said.
const IS_EMPTY: &str = "debug = 0 AND info = 0 AND warn = 0 AND error = 0 AND critical = 0";

fn is_nothing(n: [i64; 5]) -> bool {
    n == [0; 5]
}

fn takes_away(n: [i64; 5]) -> bool {
    n.iter().any(|&count| count < 0)
}

/// Adds counts of a machine (or the fleet) to an hour.
pub(crate) fn add_hour(
    conn: &Connection,
    machine: MachineNo,
    hour: i64,
    n: [i64; 5],
) -> rusqlite::Result<()> {
    if is_nothing(n) {
        return Ok(());
    }
    conn.prepare_cached(&format!(
        "INSERT INTO machine_hours VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (machine, hour) {ADD}"
    ))?
    .execute([machine, hour, n[0], n[1], n[2], n[3], n[4]])?;
    if takes_away(n) {
        conn.prepare_cached(&format!(
            "DELETE FROM machine_hours WHERE machine = ?1 AND hour = ?2 AND {IS_EMPTY}"
        ))?
        .execute([machine, hour])?;
    }
    Ok(())
}

/// Adds counts of a machine (or the fleet) to a minute.
pub(crate) fn add_minute(
    conn: &Connection,
    machine: MachineNo,
    minute: i64,
    n: [i64; 5],
) -> rusqlite::Result<()> {
    if is_nothing(n) {
        return Ok(());
    }
    if takes_away(n) {
        // A minute that was forgotten meanwhile has nothing to take away from.
        conn.prepare_cached(
            "UPDATE machine_minutes SET debug = debug + ?3, info = info + ?4, warn = warn + ?5,
                 error = error + ?6, critical = critical + ?7
             WHERE machine = ?1 AND minute = ?2",
        )?
        .execute([machine, minute, n[0], n[1], n[2], n[3], n[4]])?;
        conn.prepare_cached(&format!(
            "DELETE FROM machine_minutes WHERE machine = ?1 AND minute = ?2 AND {IS_EMPTY}"
        ))?
        .execute([machine, minute])?;
        return Ok(());
    }
    conn.prepare_cached(&format!(
        "INSERT INTO machine_minutes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (machine, minute) {ADD}"
    ))?
    .execute([machine, minute, n[0], n[1], n[2], n[3], n[4]])?;
    Ok(())
}

/// Adds counts of a component on a machine (or on the fleet) to an hour.
pub(crate) fn add_component_hour(
    conn: &Connection,
    component: i64,
    machine: MachineNo,
    hour: i64,
    n: [i64; 5],
) -> rusqlite::Result<()> {
    if is_nothing(n) {
        return Ok(());
    }
    conn.prepare_cached(&format!(
        "INSERT INTO component_hours VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (component, machine, hour) {ADD}"
    ))?
    .execute([component, machine, hour, n[0], n[1], n[2], n[3], n[4]])?;
    if takes_away(n) {
        conn.prepare_cached(&format!(
            "DELETE FROM component_hours
             WHERE component = ?1 AND machine = ?2 AND hour = ?3 AND {IS_EMPTY}"
        ))?
        .execute([component, machine, hour])?;
    }
    Ok(())
}

/// The number of a component, made when it is new, and its machine remembered.
pub(crate) fn component_number(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    if let Some(no) = find_component(conn, name)? {
        return Ok(no);
    }
    conn.prepare_cached("INSERT INTO components (name) VALUES (?1)")?
        .execute([name])?;
    Ok(conn.last_insert_rowid())
}

/// The number of a component that was ever seen.
pub(crate) fn find_component(conn: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT no FROM components WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Remembers that a machine spoke as this component.
pub(crate) fn note_component(
    conn: &Connection,
    machine: MachineNo,
    component: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO machine_components (machine, component) VALUES (?1, ?2)
         ON CONFLICT (machine, component) DO NOTHING",
    )?
    .execute([machine, component])?;
    Ok(())
}

/// Forgets that a machine spoke as this component, when nothing that it said so is counted any more.
pub(crate) fn forget_silent(
    conn: &Connection,
    machine: MachineNo,
    component: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM machine_components WHERE machine = ?1 AND component = ?2 AND NOT EXISTS (
             SELECT 1 FROM component_hours WHERE component = ?2 AND machine = ?1)",
    )?
    .execute([machine, component])?;
    Ok(())
}

/// [`forget_silent`] for every machine and component.
pub(crate) fn forget_all_silent(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute(
        "DELETE FROM machine_components WHERE NOT EXISTS (
             SELECT 1 FROM component_hours h WHERE h.component = machine_components.component
                 AND h.machine = machine_components.machine)",
        [],
    )?;
    Ok(())
}

/// The components seen on a machine, or on any.
pub(crate) fn components(
    conn: &Connection,
    machine: Option<MachineNo>,
) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached(
        "SELECT DISTINCT c.name FROM machine_components m JOIN components c ON c.no = m.component
         WHERE ?1 IS NULL OR m.machine = ?1 ORDER BY c.name",
    )?
    .query_map([machine], |row| row.get(0))?
    .collect()
}

/// Removes minutes that are too old to be asked for: before now, and before the newest that is
/// counted. A clock of ours that ran ahead for a while does not cost those that are asked for when it
/// is right again.
pub(crate) fn forget_minutes(conn: &Connection, now: Micros) -> rusqlite::Result<()> {
    let newest = last_minute(conn, FLEET)?.unwrap_or(i64::MAX);
    let oldest = minute_of(now).min(newest) - MINUTES_KEPT_US / MINUTE_US;
    conn.execute(
        "DELETE FROM machine_minutes WHERE minute < ?1 AND machine IN (
             SELECT no FROM machine_numbers UNION ALL SELECT 0)",
        [oldest],
    )?;
    Ok(())
}

/// Removes the hours of a day, before they are counted again.
pub(crate) fn clear_day(conn: &Connection, day: Day) -> rusqlite::Result<()> {
    let first = day.0 * HOURS_PER_DAY;
    let bounds = [first, first + HOURS_PER_DAY];
    conn.execute(
        "DELETE FROM machine_hours WHERE hour >= ?1 AND hour < ?2",
        bounds,
    )?;
    conn.execute(
        "DELETE FROM component_hours WHERE hour >= ?1 AND hour < ?2",
        bounds,
    )?;
    let minutes = [hour_of(day.start()) * 60, hour_of(day.end()) * 60];
    conn.execute(
        "DELETE FROM machine_minutes WHERE minute >= ?1 AND minute < ?2",
        minutes,
    )?;
    Ok(())
}

/// The first hour that has entries of the machine (or the fleet).
pub(crate) fn first_hour(conn: &Connection, machine: MachineNo) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT min(hour) FROM machine_hours WHERE machine = ?1")?
        .query_row([machine], |row| row.get(0))
}

/// The last minute that is counted of the machine (or the fleet).
pub(crate) fn last_minute(conn: &Connection, machine: MachineNo) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT max(minute) FROM machine_minutes WHERE machine = ?1")?
        .query_row([machine], |row| row.get(0))
}

/// The next hour, this one included, with entries of this level or graver: of a machine (or the
/// fleet), and of a component when one is given.
pub(crate) fn next_hour(
    conn: &Connection,
    (component, machine): (Option<i64>, MachineNo),
    hour: i64,
    min_level: Level,
    forward: bool,
) -> rusqlite::Result<Option<i64>> {
    let table = match component {
        Some(_) => "component_hours WHERE component = ?1 AND",
        None => "machine_hours WHERE ?1 IS NULL AND",
    };
    let (side, direction) = if forward {
        (">=", "ASC")
    } else {
        ("<=", "DESC")
    };
    conn.prepare_cached(&format!(
        "SELECT hour FROM {table} machine = ?2 AND hour {side} ?3
         AND critical + (?4 < 4) * error + (?4 < 3) * warn + (?4 < 2) * info
             + (?4 < 1) * debug > 0
         ORDER BY hour {direction} LIMIT 1"
    ))?
    .query_row(
        params![component, machine, hour, min_level.as_u8()],
        |row| row.get(0),
    )
    .optional()
}

/// Counts of a machine (or the fleet) in hours `from..to`; `each` gets the hour and its counts.
pub(crate) fn hours(
    conn: &Connection,
    machine: MachineNo,
    (from, to): (i64, i64),
    mut each: impl FnMut(i64, [u64; 5]),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT hour, debug, info, warn, error, critical FROM machine_hours
         WHERE machine = ?1 AND hour >= ?2 AND hour < ?3",
    )?;
    let mut rows = statement.query([machine, from, to])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, read_counts(row, 1)?);
    }
    Ok(())
}

/// Counts of a machine (or the fleet) in minutes `from..to`.
pub(crate) fn minutes(
    conn: &Connection,
    machine: MachineNo,
    (from, to): (i64, i64),
    mut each: impl FnMut(i64, [u64; 5]),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT minute, debug, info, warn, error, critical FROM machine_minutes
         WHERE machine = ?1 AND minute >= ?2 AND minute < ?3",
    )?;
    let mut rows = statement.query([machine, from, to])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, read_counts(row, 1)?);
    }
    Ok(())
}

/// Counts of a component on a machine (or on the fleet) in hours `from..to`.
pub(crate) fn component_hours(
    conn: &Connection,
    component: i64,
    machine: MachineNo,
    (from, to): (i64, i64),
    mut each: impl FnMut(i64, [u64; 5]),
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT hour, debug, info, warn, error, critical FROM component_hours
         WHERE component = ?1 AND machine = ?2 AND hour >= ?3 AND hour < ?4",
    )?;
    let mut rows = statement.query(params![component, machine, from, to])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, read_counts(row, 1)?);
    }
    Ok(())
}

/// Five counts from this column on.
pub(crate) fn read_counts(row: &Row<'_>, first: usize) -> rusqlite::Result<[u64; 5]> {
    let mut counts = [0; 5];
    for (level, count) in counts.iter_mut().enumerate() {
        *count = row.get::<_, i64>(first + level)?.max(0) as u64;
    }
    Ok(counts)
}
