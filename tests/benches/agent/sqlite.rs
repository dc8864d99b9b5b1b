//! The control for writing: each line a row in the paper's table, WAL and synchronous=FULL, one
//! transaction each, as a program does that wants every entry durable.

use anyhow::Result;
use rusqlite::Connection;

use crate::disk::Disk;

/// The paper's table and its indexes.
const SCHEMA: &str = "
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY, machine_id VARCHAR(10), timestamp TIMESTAMP, level VARCHAR(10),
        component VARCHAR(50), message TEXT, context TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE INDEX idx_logs_machine_time ON logs(machine_id, timestamp DESC);
    CREATE INDEX idx_logs_level ON logs(level);";

/// An open database on a disk of its own.
pub struct Sqlite {
    connection: Connection,
    /// Its disk.
    pub disk: Disk,
}

impl Sqlite {
    /// A new one.
    pub fn create(disk: Disk) -> Result<Sqlite> {
        let connection = Connection::open(disk.path().join("log.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Sqlite { connection, disk })
    }

    /// A row for each line, each durable before the next.
    pub fn write(&self, lines: &[String]) -> Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO logs (machine_id, timestamp, level, component, message)
             VALUES ('VM001', ?, ?, ?, ?)",
        )?;
        for line in lines {
            let mut parts = line.trim_end().splitn(4, " - ");
            let mut part = || parts.next().unwrap_or_default();
            let (stamp, component, level, message) = (part(), part(), part(), part());
            insert.execute([stamp, level, component, message])?;
        }
        Ok(())
    }
}
