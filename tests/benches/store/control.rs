//! The control: the paper's own schema in plain SQLite on disk, asked in the same process. It has no
//! network, no encryption and no check for duplicates to pay for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, params, params_from_iter};
use wire::Micros;
use wire::time::HOUR_US;

use crate::data::Data;
use crate::measure::{Ingest, median, percentile};
use crate::product::BATCH_ROWS;
use crate::questions::{Answer, Ask, Filter, PAGE_ROWS, Row, level_index};

/// As the paper has it; SQLite's words for SERIAL, JSONB and NOW().
const SCHEMA: &str = "
    CREATE TABLE machines (
        id VARCHAR(10) PRIMARY KEY, name VARCHAR(100), location VARCHAR(200),
        last_heartbeat TIMESTAMP, status VARCHAR(20), created_at TIMESTAMP);
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY, machine_id VARCHAR(10) REFERENCES machines(id),
        timestamp TIMESTAMP, level VARCHAR(10), component VARCHAR(50), message TEXT, context TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE INDEX idx_logs_machine_time ON logs(machine_id, timestamp DESC);
    CREATE INDEX idx_logs_level ON logs(level);";

/// The control's database.
pub struct Control {
    path: PathBuf,
    connection: Connection,
}

impl Control {
    /// An empty database with the fleet's machines.
    pub fn create(path: &Path, data: &Data) -> Result<Control> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        for (id, _) in &data.machines {
            connection.execute("INSERT INTO machines (id) VALUES (?)", [id.as_str()])?;
        }
        Ok(Control {
            path: path.to_owned(),
            connection,
        })
    }

    /// How durable a row is once it is taken, as SQLite itself says.
    pub fn durability(&self) -> Result<String> {
        let text = |name: &str| {
            self.connection.pragma_query_value(None, name, |row| {
                row.get_ref(0).map(|value| match value.as_str() {
                    Ok(text) => text.to_owned(),
                    Err(_) => value.as_i64().unwrap_or_default().to_string(),
                })
            })
        };
        Ok(format!(
            "journal_mode={}, synchronous={}",
            text("journal_mode")?,
            text("synchronous")?
        ))
    }

    /// The rows in the batches and the order in which the product gets them, a transaction each.
    pub fn ingest(&mut self, data: &Data) -> Result<Ingest> {
        let (began, cpu) = (Instant::now(), own_cpu());
        let mut batches = Vec::new();
        for (machine, entries) in data.batches(BATCH_ROWS) {
            let began = Instant::now();
            let batch = self.connection.transaction()?;
            let mut insert = batch.prepare_cached(
                "INSERT INTO logs (machine_id, timestamp, level, component, message, context)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?;
            for entry in entries {
                insert.execute(params![
                    machine.as_str(),
                    entry.timestamp.to_rfc3339(),
                    entry.level.as_str(),
                    entry.component,
                    entry.message,
                    serde_json::to_string(&entry.context)?,
                ])?;
            }
            drop(insert);
            batch.commit()?;
            batches.push(began.elapsed());
        }
        let (took, cpu) = (began.elapsed(), own_cpu() - cpu);
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(Ingest {
            took,
            cpu,
            bytes: std::fs::metadata(&self.path)?.len(),
            batch: (median(&mut batches), percentile(&mut batches, 99)),
            batch_rows: BATCH_ROWS,
        })
    }

    /// Asks, and takes the time until the last row is read.
    pub fn ask(&mut self, ask: &Ask) -> Result<(Duration, Answer)> {
        let began = Instant::now();
        let answer = match ask {
            Ask::Page(filter) => self.page(filter)?,
            Ask::Status => {
                let hour = Micros::from_timestamp(jiff::Timestamp::now()).0 / HOUR_US * HOUR_US;
                self.status(Micros(hour - 23 * HOUR_US))?
            }
            Ask::Histogram { from, to } => self.histogram(*from, *to)?,
        };
        Ok((began.elapsed(), answer))
    }

    fn page(&self, filter: &Filter) -> Result<Answer> {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        if let Some(machine) = &filter.machine {
            conditions.push("machine_id = ?");
            values.push(machine.clone());
        }
        if filter.errors {
            conditions.push("level IN ('ERROR', 'CRITICAL')");
        }
        if let Some(word) = &filter.word {
            conditions.push("(message LIKE ? OR component LIKE ? OR context LIKE ?)");
            values.extend([(); 3].map(|()| format!("%{word}%")));
        }
        let filters = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT timestamp, machine_id, level, component, message, context FROM logs
             {filters} ORDER BY timestamp DESC LIMIT {PAGE_ROWS}"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            let _context: String = row.get(5)?;
            Ok(Row {
                timestamp: row.get(0)?,
                rest: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
            })
        })?;
        Ok(Answer::Rows(rows.collect::<Result<_, _>>()?))
    }

    fn status(&self, from: Micros) -> Result<Answer> {
        let mut statement = self.connection.prepare_cached(
            "SELECT machines.id || ' ' || substr(timestamp, 1, 13), level, count(*)
             FROM machines JOIN logs ON logs.machine_id = machines.id AND logs.timestamp >= ?
             GROUP BY 1, 2",
        )?;
        counts(statement.query([from.to_rfc3339()])?)
    }

    fn histogram(&self, from: Micros, to: Micros) -> Result<Answer> {
        let mut statement = self.connection.prepare_cached(
            "SELECT substr(timestamp, 1, 13), level, count(*) FROM logs
             WHERE timestamp >= ? AND timestamp < ? GROUP BY 1, 2",
        )?;
        counts(statement.query([from.to_rfc3339(), to.to_rfc3339()])?)
    }
}

fn counts(mut rows: rusqlite::Rows<'_>) -> Result<Answer> {
    let mut counts: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let level: String = row.get(1)?;
        counts.entry(row.get(0)?).or_default()[level_index(&level)] +=
            row.get::<_, i64>(2)?.unsigned_abs();
    }
    Ok(Answer::Counts(counts))
}

/// Processor time of this thread, which is the control's only one.
fn own_cpu() -> Duration {
    // SAFETY: getrusage writes the whole structure that it is handed, and nothing else.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage
    };
    let time = |at: libc::timeval| {
        Duration::from_secs(at.tv_sec.unsigned_abs())
            + Duration::from_micros(at.tv_usec.unsigned_abs())
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}
