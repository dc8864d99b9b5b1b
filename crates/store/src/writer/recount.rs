//! Reading a day file for a catalog that is behind it: what commits brought, or what the whole file
//! holds.

use rusqlite::params;
use wire::{Level, Micros, template};

use crate::catalog::newest::Newest;
use crate::day::commits::{Range, RangeKind};
use crate::day::entries::{self, BY_WIFI, EntryKey};
use crate::error::StoreError;
use crate::shared::MachineNo;
use crate::writer::days::{DayFile, extend, run_flags};
use crate::writer::effects::{Effects, NewRow};

impl DayFile {
    /// The machines that have entries here, for a catalog that does not know them.
    pub(crate) fn machines(&self) -> rusqlite::Result<Vec<(MachineNo, String)>> {
        let mut statement = self.conn.prepare("SELECT no, id FROM machines")?;
        let machines = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        machines.collect()
    }

    /// What a commit of this file that the catalog does not have means for it, when rows were only
    /// added since.
    pub(crate) fn replay(&self, commit: i64, ranges: &[Range]) -> Result<Effects, StoreError> {
        let mut effects = Effects::new(self.day, commit);
        for range in ranges {
            if range.kind == RangeKind::New {
                let seqs = [range.machine, range.epoch, range.first, range.last];
                self.count_rows(
                    "e.machine = ?1 AND e.epoch = ?2 AND e.seq BETWEEN ?3 AND ?4",
                    &seqs,
                    &mut effects,
                )?;
            }
            effects.add_range(*range);
        }
        Ok(effects)
    }

    /// What the whole file means for the catalog, when commits are missing in between.
    pub(crate) fn replay_all(&self, commit: i64) -> Result<Effects, StoreError> {
        let mut effects = Effects::new(self.day, commit);
        self.count_rows("1", &[], &mut effects)?;
        let mut statement = self.conn.prepare(
            "SELECT machine, epoch, seq, flags FROM entries ORDER BY machine, epoch, seq",
        )?;
        let mut rows = statement.query([])?;
        let mut ranges = Vec::new();
        while let Some(row) = rows.next()? {
            let (machine, epoch, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let flags = run_flags(row.get(3)?);
            extend(
                &mut ranges,
                Range {
                    // The file is the truth of where they lie and what they are.
                    kind: RangeKind::Replaced,
                    machine,
                    epoch,
                    first: seq,
                    last: seq,
                    flags,
                },
            );
        }
        ranges
            .into_iter()
            .for_each(|range| effects.add_range(range));
        Ok(effects)
    }

    /// The newest entry of a machine at a level.
    pub(crate) fn newest(
        &self,
        machine: MachineNo,
        level: Level,
    ) -> Result<Option<Newest>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT e.filed, c.name, t.text, e.params
             FROM entries e INDEXED BY entries_grave_of JOIN templates t ON t.no = e.template
             JOIN components c ON c.no = t.component
             WHERE e.machine = ?1 AND e.level = ?2 AND e.level >= 2
             ORDER BY e.filed DESC, e.epoch DESC, e.seq DESC LIMIT 1",
        )?;
        let mut rows = statement.query(params![machine, level.as_u8()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let params = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        Ok(Some(Newest {
            filed_at: self.day.start().plus_us(row.get(0)?),
            component: row.get(1)?,
            message: template::join(text, params)
                .map_err(|error| StoreError::Failed(error.to_string()))?,
        }))
    }

    /// The rows of some seqs, as the rules of alerts are told of them.
    pub(crate) fn told_between(
        &self,
        (machine, epoch): (MachineNo, i64),
        (first, last): (i64, i64),
    ) -> Result<Vec<Told>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT e.machine, e.filed, e.epoch, e.seq, e.level, e.template, e.params, e.context,
                 e.skew, e.delay, e.flags, e.second_delay, c.name, t.text
             FROM entries e JOIN templates t ON t.no = e.template
             JOIN components c ON c.no = t.component
             WHERE e.machine = ?1 AND e.epoch = ?2 AND e.seq BETWEEN ?3 AND ?4 ORDER BY e.seq",
        )?;
        let mut rows = statement.query(params![machine, epoch, first, last])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let entry = entries::read(self.day, row)?;
            let template: String = row.get(13)?;
            let message = template::join(&template, &entry.params)
                .map_err(|error| StoreError::Failed(error.to_string()))?;
            let context = entry
                .context
                .as_deref()
                .map(serde_json::from_str)
                .transpose();
            found.push(Told {
                key: entry.key,
                level: entry.level,
                component: row.get(12)?,
                message,
                template,
                context: context.ok().flatten().unwrap_or_default(),
                received_at: entry.received_at,
                by_cell: entry.flags & BY_WIFI == 0,
            });
        }
        Ok(found)
    }

    fn count_rows(
        &self,
        condition: &str,
        bound: &[i64],
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT e.machine, e.filed, e.epoch, e.seq, e.level, e.template, e.params, e.context,
                 e.skew, e.delay, e.flags, e.second_delay, c.no, c.name, t.text
             FROM entries e JOIN templates t ON t.no = e.template
             JOIN components c ON c.no = t.component WHERE {condition}"
        ))?;
        let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
        while let Some(row) = rows.next()? {
            let entry = entries::read(self.day, row)?;
            let component: String = row.get(13)?;
            let new = NewRow {
                machine: entry.key.machine,
                filed_at: entry.key.filed_at,
                received_at: entry.received_at,
                level: entry.level,
                component: (row.get(12)?, &component),
                wifi_at: entry.wifi_at(),
            };
            effects.count(&new, || {
                let text = row.get_ref(14)?.as_str().map_err(rusqlite::Error::from)?;
                template::join(text, &entry.params)
                    .map_err(|error| StoreError::Failed(error.to_string()))
            })?;
        }
        Ok(())
    }
}

/// A row as the rules of alerts are told of it.
pub(crate) struct Told {
    pub(crate) key: EntryKey,
    pub(crate) level: Level,
    pub(crate) component: String,
    pub(crate) message: String,
    pub(crate) template: String,
    pub(crate) context: serde_json::Map<String, serde_json::Value>,
    pub(crate) received_at: Micros,
    pub(crate) by_cell: bool,
}
