//! A day's templates, components and machines for the readers: numbers back to words.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use crate::shared::MachineNo;

/// What the numbers in a day's rows mean. Grows only; a newer one knows all that an older one knew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sentences {
    by_no: HashMap<i64, Arc<Sentence>>,
    newest: i64,
    machines: Vec<MachineNo>,
}

/// A template and who says it.
#[derive(Debug, Clone)]
pub(crate) struct Sentence {
    pub(crate) component: String,
    pub(crate) template: String,
}

impl Sentences {
    /// Whether the file has learnt nothing since.
    pub(crate) fn is_current(&self, conn: &Connection) -> rusqlite::Result<bool> {
        let newest: i64 = conn
            .prepare_cached("SELECT coalesce(max(no), 0) FROM templates")?
            .query_row([], |row| row.get(0))?;
        let machines: i64 = conn
            .prepare_cached("SELECT count(*) FROM machines")?
            .query_row([], |row| row.get(0))?;
        Ok(newest == self.newest && machines == self.machines.len() as i64 && machines > 0)
    }

    /// What is known plus what the file has learnt since.
    pub(crate) fn refreshed(&self, conn: &Connection) -> rusqlite::Result<Sentences> {
        let mut next = self.clone();
        let mut statement = conn.prepare_cached(
            "SELECT t.no, c.name, t.text FROM templates t JOIN components c ON c.no = t.component
             WHERE t.no > ?1 ORDER BY t.no",
        )?;
        let mut rows = statement.query([self.newest])?;
        while let Some(row) = rows.next()? {
            let no = row.get(0)?;
            let sentence = Sentence {
                component: row.get(1)?,
                template: row.get(2)?,
            };
            next.by_no.insert(no, Arc::new(sentence));
            next.newest = no;
        }
        let mut statement = conn.prepare_cached("SELECT no FROM machines ORDER BY no")?;
        next.machines = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(next)
    }

    pub(crate) fn get(&self, template: i64) -> Option<&Arc<Sentence>> {
        self.by_no.get(&template)
    }

    /// Whether any entry of the day is of one of these components.
    pub(crate) fn has_component(&self, names: &[String]) -> bool {
        self.by_no
            .values()
            .any(|sentence| names.contains(&sentence.component))
    }

    /// The machines that have entries on this day.
    pub(crate) fn machines(&self) -> &[MachineNo] {
        &self.machines
    }
}
