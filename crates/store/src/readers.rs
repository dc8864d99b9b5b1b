//! Connections that only read: a few of the catalog, a few of the days asked for last.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, ErrorCode};

use crate::day::Day;
use crate::day::sentences::Sentences;
use crate::error::StoreError;
use crate::shared::{Shared, lock};
use crate::sqlite;

/// Idle catalog connections kept; more readers at once open their own for the moment.
const CATALOG_IDLE: usize = 8;
/// Idle day connections kept, of whatever days; each holds up to 4 MiB of pages and three files.
const DAYS_IDLE: usize = 24;
/// Days whose sentences are remembered, a few hundred KiB each at most.
const SENTENCES_KEPT: usize = 32;

/// The pool.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    closed: bool,
    catalog: Vec<Connection>,
    /// The one given back last is at the end.
    days: Vec<(Day, Connection)>,
    sentences: HashMap<Day, Arc<Sentences>>,
}

impl Readers {
    pub(crate) fn new(shared: Arc<Shared>) -> Readers {
        Readers {
            shared,
            idle: Mutex::default(),
        }
    }

    /// Reads the catalog at one moment.
    pub(crate) fn catalog<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let found = {
            let mut idle = lock(&self.idle);
            if idle.closed {
                return Err(StoreError::Closing);
            }
            idle.catalog.pop()
        };
        let conn = match found {
            Some(conn) => conn,
            None => sqlite::open_reader(&self.shared.catalog_path(), &self.shared.key)?,
        };
        conn.execute_batch("BEGIN")?;
        let result = read(&conn);
        if conn.execute_batch("ROLLBACK").is_ok() {
            let mut idle = lock(&self.idle);
            if !idle.closed && idle.catalog.len() < CATALOG_IDLE {
                idle.catalog.push(conn);
            }
        }
        result
    }

    /// A day at one moment; `None` when there is no file of it.
    pub(crate) fn day(&self, day: Day) -> Result<Option<DayReader<'_>>, StoreError> {
        if !self.shared.days().contains(&day) {
            return Ok(None);
        }
        let (found, known) = {
            let mut idle = lock(&self.idle);
            if idle.closed {
                return Err(StoreError::Closing);
            }
            let found = idle.days.iter().rposition(|(other, _)| *other == day);
            (
                found.map(|at| idle.days.remove(at).1),
                idle.sentences.get(&day).cloned(),
            )
        };
        let named = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                StoreError::DayDamaged(day.name())
            }
            _ => StoreError::Failed(format!("the day {} cannot be read: {error}", day.name())),
        };
        let conn = match found {
            Some(conn) => conn,
            None => {
                sqlite::open_reader(&self.shared.day_path(day), &self.shared.key).map_err(named)?
            }
        };
        conn.execute_batch("BEGIN").map_err(named)?;
        let known = known.unwrap_or_default();
        let sentences = if known.is_current(&conn).map_err(named)? {
            known
        } else {
            Arc::new(known.refreshed(&conn).map_err(named)?)
        };
        Ok(Some(DayReader {
            readers: self,
            day,
            conn: Some(conn),
            sentences,
        }))
    }

    /// Closes what is idle; what is in use closes when it is given back.
    pub(crate) fn close(&self) {
        let idle = std::mem::replace(
            &mut *lock(&self.idle),
            Idle {
                closed: true,
                ..Idle::default()
            },
        );
        drop(idle);
    }

    fn give_back(&self, day: Day, conn: Connection, sentences: Arc<Sentences>) {
        if conn.execute_batch("ROLLBACK").is_err() {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.closed {
            return;
        }
        if idle.sentences.len() >= SENTENCES_KEPT && !idle.sentences.contains_key(&day) {
            idle.sentences.clear();
        }
        idle.sentences.insert(day, sentences);
        idle.days.push((day, conn));
        if idle.days.len() > DAYS_IDLE {
            let oldest = idle.days.remove(0);
            drop(idle);
            drop(oldest);
        }
    }
}

/// A connection to a day inside a read transaction; given back when dropped.
pub(crate) struct DayReader<'a> {
    readers: &'a Readers,
    pub(crate) day: Day,
    conn: Option<Connection>,
    pub(crate) sentences: Arc<Sentences>,
}

impl Deref for DayReader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
            .as_ref()
            .expect("the connection is there until the reader is dropped")
    }
}

impl Drop for DayReader<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.readers
                .give_back(self.day, conn, self.sentences.clone());
        }
    }
}
