//! States, alerts and their history as rows. What a row means stands in the JSON beside its columns,
//! which are only for finding it.

use alerts::config::rule::Severity;
use alerts::{Alert, AlertConfig, Away, Changes, History, Memory, Phase, Place, RuleState};
use rusqlite::{Connection, Row, params, params_from_iter};
use serde::de::DeserializeOwned;
use wire::time::DAY_US;
use wire::{MachineId, Micros};

use crate::catalog::alerts::deliveries;
use crate::catalog::settings;
use crate::day::Day;
use crate::day::entries::EntryKey;
use crate::error::StoreError;

const CONFIG: &str = "alerts.config";
const MEMORY: &str = "alerts.memory";
/// The longest cooldown that a rule can have.
const COOLDOWN_MAX_US: i64 = 31 * DAY_US;
/// Alerts read for their cooldown; the newest.
const COOLING_READ: i64 = 5_000;
/// Alerts that are over are kept so long, with their history and deliveries.
const ALERTS_KEPT_US: i64 = 400 * DAY_US;

/// The configuration that was set; `None` before the first time.
pub(crate) fn config(conn: &Connection) -> Result<Option<AlertConfig>, StoreError> {
    setting(conn, CONFIG)
}

pub(crate) fn set_config(conn: &Connection, config: &AlertConfig) -> Result<(), StoreError> {
    Ok(settings::set(conn, CONFIG, json(config)?.as_bytes())?)
}

pub(crate) fn memory(conn: &Connection) -> Result<Memory, StoreError> {
    Ok(setting(conn, MEMORY)?.unwrap_or_default())
}

fn setting<T: DeserializeOwned>(conn: &Connection, name: &str) -> Result<Option<T>, StoreError> {
    let Some(bytes) = settings::get(conn, name)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&bytes);
    value.map(Some).map_err(|error| broken(name, &error))
}

/// Everything that rules remember.
pub(crate) fn states(conn: &Connection) -> Result<Vec<(Place, RuleState)>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT rule, machine, part, state FROM alert_states")?;
    let mut rows = statement.query([])?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        let machine: String = row.get(1)?;
        let Ok(machine) = machine.parse::<MachineId>() else {
            continue;
        };
        let place = Place {
            rule: row.get::<_, String>(0)?.into(),
            machine,
            part: row.get::<_, String>(2)?.into(),
        };
        let state: String = row.get(3)?;
        match serde_json::from_str(&state) {
            Ok(state) => states.push((place, state)),
            Err(error) => tracing::error!(%error, "a state of alerts cannot be read"),
        }
    }
    Ok(states)
}

/// Alerts that are not over, or of which a digest still has to tell.
pub(crate) fn open(conn: &Connection) -> Result<Vec<Alert>, StoreError> {
    find(conn, "WHERE is_live = 1 ORDER BY id", &[])
}

/// Alerts that are not over, or of which a digest still has to tell, and those that ended so lately that
/// their places may still cool down. One that cannot be read is left out and logged.
pub(crate) fn live(conn: &Connection, now: Micros) -> Result<Vec<Alert>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT alert FROM alerts WHERE is_live = 1
         UNION ALL
         SELECT alert FROM (SELECT alert FROM alerts WHERE is_live = 0 AND resolved_at > ?1
                            ORDER BY resolved_at DESC LIMIT ?2)",
    )?;
    let mut rows = statement.query([now.plus_us(-COOLDOWN_MAX_US).0, COOLING_READ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        match read_json(row, 0) {
            Ok(alert) => found.push(alert),
            Err(error) => tracing::error!(%error, "an alert cannot be read"),
        }
    }
    Ok(found)
}

pub(crate) fn get(conn: &Connection, id: u64) -> Result<Option<Alert>, StoreError> {
    Ok(find(conn, "WHERE id = ?1", &[&(id as i64)])?.pop())
}

/// Alerts found by a condition over the columns.
pub(crate) fn find(
    conn: &Connection,
    condition: &str,
    bound: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Alert>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT alert FROM alerts {condition}"))?;
    let mut rows = statement.query(params_from_iter(bound))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_json(row, 0)?);
    }
    Ok(found)
}

/// What happened to an alert, the oldest first.
pub(crate) fn history(conn: &Connection, id: u64) -> Result<Vec<History>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT line FROM alert_history WHERE alert = ?1 ORDER BY id")?;
    let mut rows = statement.query([id as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_json(row, 0)?);
    }
    Ok(found)
}

/// Spans in which nobody watched, the newest first.
pub(crate) fn away(conn: &Connection, limit: usize) -> Result<Vec<Away>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT from_at, to_at FROM watch_gaps ORDER BY id DESC LIMIT ?1")?;
    let rows = statement.query_map([limit as i64], |row| {
        Ok(Away {
            from: Micros(row.get(0)?),
            to: Micros(row.get(1)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps what an engine changed, inside the caller's transaction.
pub(crate) fn keep(conn: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for (place, state) in &changes.states {
        let key = params![&*place.rule, place.machine.as_str(), &*place.part];
        match state {
            Some(state) => {
                conn.prepare_cached(
                    "INSERT INTO alert_states (rule, machine, part, state) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (rule, machine, part) DO UPDATE SET state = excluded.state",
                )?
                .execute(params![
                    &*place.rule,
                    place.machine.as_str(),
                    &*place.part,
                    json(state)?
                ])?;
            }
            None => {
                conn.prepare_cached(
                    "DELETE FROM alert_states WHERE rule = ?1 AND machine = ?2 AND part = ?3",
                )?
                .execute(key)?;
            }
        }
    }
    for alert in &changes.alerts {
        put(conn, alert)?;
    }
    for id in &changes.removed {
        for sql in [
            "DELETE FROM alerts WHERE id = ?1",
            "DELETE FROM alert_history WHERE alert = ?1",
        ] {
            conn.prepare_cached(sql)?.execute([*id as i64])?;
        }
    }
    for line in &changes.history {
        conn.prepare_cached("INSERT INTO alert_history (alert, line) VALUES (?1, ?2)")?
            .execute(params![line.alert as i64, json(line)?])?;
    }
    for message in &changes.outgoing {
        deliveries::add(conn, message)?;
    }
    if let Some(away) = changes.away {
        conn.prepare_cached("INSERT INTO watch_gaps (from_at, to_at) VALUES (?1, ?2)")?
            .execute([away.from.0, away.to.0])?;
    }
    if let Some(memory) = &changes.memory {
        settings::set(conn, MEMORY, json(memory)?.as_bytes())?;
    }
    Ok(())
}

fn put(conn: &Connection, alert: &Alert) -> Result<(), StoreError> {
    let machines: String = alert.machines.iter().map(|m| format!(" {m} ")).collect();
    conn.prepare_cached(
        "INSERT INTO alerts
             (id, rule, machines, phase, severity, raised_at, resolved_at, is_live, alert)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE SET machines = excluded.machines, phase = excluded.phase,
             resolved_at = excluded.resolved_at, is_live = excluded.is_live,
             alert = excluded.alert",
    )?
    .execute(params![
        alert.id as i64,
        alert.rule,
        machines,
        phase_number(alert.phase),
        severity_number(alert.severity),
        alert.raised_at.0,
        alert.resolved.as_ref().map(|resolved| resolved.at.0),
        alert.is_open() || !alert.planned.is_empty(),
        json(alert)?,
    ])?;
    Ok(())
}

/// Forgets what has been over for long.
pub(crate) fn forget_old(conn: &Connection, now: Micros) -> rusqlite::Result<()> {
    let before = now.plus_us(-ALERTS_KEPT_US).0;
    for sql in [
        "DELETE FROM alert_history WHERE alert IN
             (SELECT id FROM alerts WHERE resolved_at < ?1 AND is_live = 0)",
        "DELETE FROM alerts WHERE resolved_at < ?1 AND is_live = 0",
        "DELETE FROM deliveries WHERE created_at < ?1",
        "DELETE FROM watch_gaps WHERE to_at < ?1",
    ] {
        conn.execute(sql, [before])?;
    }
    Ok(())
}

/// The number of a phase in its column.
pub(crate) fn phase_number(phase: Phase) -> i64 {
    match phase {
        Phase::Waiting => 0,
        Phase::Firing => 1,
        Phase::Acknowledged => 2,
        Phase::Resolved => 3,
    }
}

/// The number of a severity in its column.
pub(crate) fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

/// A run of entries of a day that a crash kept from being judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unjudged {
    pub(crate) day: i64,
    pub(crate) machine: i64,
    pub(crate) epoch: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Unjudged {
    /// One entry.
    pub(crate) fn one(key: EntryKey) -> Unjudged {
        Unjudged {
            day: Day::of(key.filed_at).0,
            machine: key.machine,
            epoch: key.epoch,
            first: key.seq,
            last: key.seq,
        }
    }

    /// Whether another one follows at once.
    pub(crate) fn continues_with(&self, next: Unjudged) -> bool {
        let place = |run: &Unjudged| (run.day, run.machine, run.epoch);
        place(self) == place(&next) && self.last.checked_add(1) == Some(next.first)
    }
}

pub(crate) fn add_unjudged(conn: &Connection, run: Unjudged) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO unjudged (day, machine, epoch, first, last) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?
    .execute([run.day, run.machine, run.epoch, run.first, run.last])?;
    Ok(())
}

pub(crate) fn unjudged(conn: &Connection) -> rusqlite::Result<Vec<Unjudged>> {
    conn.prepare_cached("SELECT day, machine, epoch, first, last FROM unjudged ORDER BY day")?
        .query_map([], |row| {
            Ok(Unjudged {
                day: row.get(0)?,
                machine: row.get(1)?,
                epoch: row.get(2)?,
                first: row.get(3)?,
                last: row.get(4)?,
            })
        })?
        .collect()
}

pub(crate) fn remove_unjudged(conn: &Connection, run: Unjudged) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM unjudged WHERE day = ?1 AND machine = ?2 AND epoch = ?3 AND first = ?4",
    )?
    .execute([run.day, run.machine, run.epoch, run.first])?;
    Ok(())
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

pub(crate) fn read_json<T: DeserializeOwned>(row: &Row<'_>, at: usize) -> Result<T, StoreError> {
    let text: String = row.get(at)?;
    serde_json::from_str(&text).map_err(|error| broken("row", &error))
}

fn broken(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Failed(format!("an alerts {what} cannot be read: {error}"))
}

/// The number of alerts in each phase that is not over.
pub(crate) fn counts(conn: &Connection) -> rusqlite::Result<[u64; 3]> {
    let mut counts = [0; 3];
    let mut statement =
        conn.prepare_cached("SELECT phase, count(*) FROM alerts WHERE is_live = 1 GROUP BY phase")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (phase, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        if let Some(place) = usize::try_from(phase).ok().and_then(|n| counts.get_mut(n)) {
            *place = count as u64;
        }
    }
    Ok(counts)
}
