//! What the status of machines is judged from: a handful of queries for the whole fleet.

use std::collections::HashMap;

use alerts::{Alert, AlertKind};
use rusqlite::{Connection, params};
use wire::time::{DAY_US, HOUR_US};
use wire::{Heartbeat, Level, MachineId, Micros};

use crate::catalog::alerts::rows;
use crate::catalog::cell::facts::{self as cell, LastDrop};
use crate::catalog::machines::{self, Machine};
use crate::catalog::rollups::{hour_of, minute_of, read_counts};
use crate::error::StoreError;
use crate::shared::MachineNo;

/// Hours of the spark line.
const HOURS: i64 = 24;
const MINUTES_PER_HOUR: i64 = 60;

/// What the status of a machine is judged from.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineFacts {
    /// The machine.
    pub machine: Machine,
    /// Last batch or heartbeat over WiFi, by our clock.
    pub last_wifi: Option<Micros>,
    /// Arrival of the last drop that was newer than those before it, by our clock: one that comes late
    /// or again says nothing new of the machine.
    pub last_cell: Option<Micros>,
    /// The newest drop.
    pub last_drop: Option<LastDrop>,
    /// Last heartbeat, by our clock, and what it said.
    pub heartbeat: Option<(Micros, Heartbeat)>,
    /// Entries by level filed in the last 60 minutes, by whole minutes with the current one.
    pub last_hour: [u64; 5],
    /// Entries by level filed in the last 24 hours, to the minute.
    pub last_day: [u64; 5],
    /// Entries by level for each of the last 24 whole hours, oldest first, the current hour last.
    pub hours: Vec<[u64; 5]>,
    /// The newest CRITICAL of the last hour: when it was filed, component and message.
    pub last_critical: Option<(Micros, String, String)>,
    /// The newest ERROR of the last hour: when it was filed, component and message.
    pub last_error: Option<(Micros, String, String)>,
    /// Alerts that are not over, of this machine and of the paths it is heard by; not those of groups,
    /// which speak for these.
    pub alerts: Vec<Alert>,
}

/// The facts of every registered machine by id, or of one.
pub(crate) fn read(
    conn: &Connection,
    only: Option<MachineNo>,
    now: Micros,
) -> Result<Vec<MachineFacts>, StoreError> {
    let (numbers, mut facts) = registered(conn, only)?;
    let place: HashMap<MachineNo, usize> = numbers
        .iter()
        .enumerate()
        .map(|(place, &no)| (no, place))
        .collect();
    let minute = minute_of(now);
    sum_minutes(
        conn,
        only,
        (minute - MINUTES_PER_HOUR + 1, i64::MAX),
        |no, counts| {
            if let Some(&at) = place.get(&no) {
                facts[at].last_hour = counts;
            }
        },
    )?;
    // The day is the minutes of its first, broken hour and the whole hours after it.
    let first_hour = hour_of(now) - HOURS + 1;
    let edge = (
        minute_of(now.plus_us(-DAY_US)) + 1,
        first_hour * MINUTES_PER_HOUR,
    );
    sum_minutes(conn, only, edge, |no, counts| {
        if let Some(&at) = place.get(&no) {
            facts[at].last_day = counts;
        }
    })?;
    each_hour(conn, only, first_hour, |no, hour, counts| {
        if let Some(&at) = place.get(&no) {
            // What is filed a few minutes ahead of our clock belongs to the current hour.
            let slot = (hour - first_hour).clamp(0, HOURS - 1) as usize;
            add(&mut facts[at].hours[slot], counts);
            add(&mut facts[at].last_day, counts);
        }
    })?;
    cell::each_last(conn, only, |no, drop| {
        if let Some(&at) = place.get(&no) {
            facts[at].last_drop = Some(drop);
        }
    })?;
    newest(conn, only, now.plus_us(-HOUR_US), |no, level, said| {
        if let Some(&at) = place.get(&no) {
            match level {
                Level::Critical => facts[at].last_critical = Some(said),
                _ => facts[at].last_error = Some(said),
            }
        }
    })?;
    add_alerts(conn, &mut facts)?;
    Ok(facts)
}

/// Those of every machine are read also for one: they are few.
fn add_alerts(conn: &Connection, facts: &mut [MachineFacts]) -> Result<(), StoreError> {
    let place: HashMap<MachineId, usize> = facts
        .iter()
        .enumerate()
        .map(|(place, facts)| (facts.machine.id.clone(), place))
        .collect();
    for alert in rows::open(conn)? {
        if !alert.is_open() || alert.kind == AlertKind::Group {
            continue;
        }
        for &at in alert.machines.iter().filter_map(|id| place.get(id)) {
            facts[at].alerts.push(alert.clone());
        }
    }
    Ok(())
}

/// The condition on the machine: `?1` is always bound.
fn which(only: Option<MachineNo>) -> &'static str {
    if only.is_some() {
        "m.no = ?1"
    } else {
        "?1 IS NULL"
    }
}

fn registered(
    conn: &Connection,
    only: Option<MachineNo>,
) -> rusqlite::Result<(Vec<MachineNo>, Vec<MachineFacts>)> {
    let sql = format!(
        "SELECT {}, m.no, c.last_wifi, c.last_cell, c.heartbeat_at, c.heartbeat
         FROM machines m JOIN machine_numbers n ON n.no = m.no
         LEFT JOIN contacts c ON c.machine = m.no WHERE {} ORDER BY n.id",
        machines::COLUMNS,
        which(only)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([only])?;
    let (mut numbers, mut facts) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let after = machines::COLUMN_COUNT;
        numbers.push(row.get(after)?);
        let time =
            |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Micros));
        let beat: Option<String> = row.get(after + 4)?;
        let beat = beat.and_then(|json| serde_json::from_str(&json).ok());
        facts.push(MachineFacts {
            machine: machines::read(row)?,
            last_wifi: time(after + 1)?,
            last_cell: time(after + 2)?,
            last_drop: None,
            heartbeat: time(after + 3)?.zip(beat),
            last_hour: [0; 5],
            last_day: [0; 5],
            hours: vec![[0; 5]; HOURS as usize],
            last_critical: None,
            last_error: None,
            alerts: Vec::new(),
        });
    }
    Ok((numbers, facts))
}

fn sum_minutes(
    conn: &Connection,
    only: Option<MachineNo>,
    (from, to): (i64, i64),
    mut each: impl FnMut(MachineNo, [u64; 5]),
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT m.no, sum(r.debug), sum(r.info), sum(r.warn), sum(r.error), sum(r.critical)
         FROM machines m CROSS JOIN machine_minutes r ON r.machine = m.no
         WHERE {} AND r.minute >= ?2 AND r.minute < ?3 GROUP BY m.no",
        which(only)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![only, from, to])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, read_counts(row, 1)?);
    }
    Ok(())
}

fn each_hour(
    conn: &Connection,
    only: Option<MachineNo>,
    from: i64,
    mut each: impl FnMut(MachineNo, i64, [u64; 5]),
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT m.no, r.hour, r.debug, r.info, r.warn, r.error, r.critical
         FROM machines m CROSS JOIN machine_hours r ON r.machine = m.no
         WHERE {} AND r.hour >= ?2",
        which(only)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![only, from])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?, read_counts(row, 2)?);
    }
    Ok(())
}

fn newest(
    conn: &Connection,
    only: Option<MachineNo>,
    since: Micros,
    mut each: impl FnMut(MachineNo, Level, (Micros, String, String)),
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT m.no, g.level, g.filed_at, g.component, g.message
         FROM machines m JOIN newest_grave g ON g.machine = m.no
         WHERE {} AND g.filed_at >= ?2",
        which(only)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![only, since.0])?;
    while let Some(row) = rows.next()? {
        if let Some(level) = Level::from_u8(row.get(1)?) {
            each(
                row.get(0)?,
                level,
                (Micros(row.get(2)?), row.get(3)?, row.get(4)?),
            );
        }
    }
    Ok(())
}

fn add(sum: &mut [u64; 5], counts: [u64; 5]) {
    for (total, count) in sum.iter_mut().zip(counts) {
        *total += count;
    }
}
