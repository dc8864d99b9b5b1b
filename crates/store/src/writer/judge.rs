//! The engine of alerts on the writer's thread: fed with what is stored, kept with it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use alerts::{Engine, EntryFacts, Phase};
use rusqlite::Connection;
use wire::{Micros, template};

use crate::alerting::AlertsChanged;
use crate::catalog::alerts::rows::{self, Unjudged};
use crate::cell::arrived::Arrival;
use crate::day::entries::EntryKey;
use crate::entry::PathKind;
use crate::error::StoreError;
use crate::query::cursor;
use crate::shared::Shared;
use crate::writer::days::DayFile;

/// The engine, and what the writer must know beside it.
pub(crate) struct Judge {
    pub(crate) engine: Engine,
    /// The last time that was heard of, for when the engine has to be made again.
    now: Micros,
    /// What changed and nobody was told of yet.
    changed: AlertsChanged,
}

/// An entry that is new with this group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fresh {
    /// The arrival, and the entry's place in it.
    pub(crate) source: (usize, usize),
    pub(crate) key: EntryKey,
}

impl Judge {
    /// The engine as it was kept. A row that cannot be read is left out and logged: a store that judges a
    /// little less is better than one that does not open.
    pub(crate) fn load(catalog: &Connection, now: Micros) -> Result<Judge, StoreError> {
        let config = rows::config(catalog).unwrap_or_else(|error| {
            tracing::error!(%error, "the rules of alerts cannot be read; the ready ones are used");
            None
        });
        let config = config.unwrap_or_else(alerts::config::defaults::config);
        let (states, live) = (rows::states(catalog)?, rows::live(catalog, now)?);
        let memory = rows::memory(catalog).unwrap_or_else(|error| {
            tracing::error!(%error, "what alerts remember cannot be read; it begins anew");
            alerts::Memory::default()
        });
        let engine = Engine::restore(config, states, live, memory, now);
        let changed = AlertsChanged::default();
        Ok(Judge {
            engine,
            now,
            changed,
        })
    }

    /// Makes the engine again from what was kept: what it had in memory was not.
    pub(crate) fn reload(&mut self, catalog: &Connection) -> Result<(), StoreError> {
        let changed = self.take_changed();
        // Not the later of both: a clock that was wrong for a while must not stay so here.
        let now = self.engine.last_tick().unwrap_or(self.now);
        let mut judge = Judge::load(catalog, now)?;
        judge.engine.know_as(&self.engine);
        *self = judge;
        // Being told of what was rolled back does no harm; not being told of what was kept would.
        self.changed = changed;
        Ok(())
    }

    /// What changed since this was last called.
    pub(crate) fn take_changed(&mut self) -> AlertsChanged {
        std::mem::take(&mut self.changed)
    }

    /// Judges new entries and keeps what changed, inside the caller's transaction.
    pub(crate) fn entries(
        &mut self,
        catalog: &Connection,
        fresh: &[Fresh],
        arrivals: &[&Arrival],
    ) -> Result<(), StoreError> {
        if fresh.is_empty() {
            return Ok(());
        }
        if !self.engine.has_ticked() {
            // Judged with the first tick, when it is known whose machines these are.
            let mut run: Option<Unjudged> = None;
            for one in fresh.iter().map(|new| Unjudged::one(new.key)) {
                match run.as_mut().filter(|run| run.continues_with(one)) {
                    Some(run) => run.last = one.last,
                    None => {
                        if let Some(whole) = run.replace(one) {
                            rows::add_unjudged(catalog, whole)?;
                        }
                    }
                }
            }
            if let Some(whole) = run {
                rows::add_unjudged(catalog, whole)?;
            }
            return Ok(());
        }
        let wants_templates = self.engine.wants_templates();
        self.run(catalog, |judge| {
            for new in fresh {
                let batch = &arrivals[new.source.0].new;
                let entry = &batch.entries[new.source.1];
                judge.now = batch.received_at;
                let template = if wants_templates {
                    template::split(&entry.message).template
                } else {
                    String::new()
                };
                let id = || cursor::id_text(new.key);
                let facts = EntryFacts {
                    machine: &batch.machine,
                    id: &id,
                    level: entry.level,
                    component: &entry.component,
                    message: &entry.message,
                    template: &template,
                    context: &entry.context,
                    event: new.key.filed_at,
                    arrival: batch.received_at,
                    by_cell: batch.path == PathKind::Cell,
                };
                judge.engine.entry(&facts, batch.received_at);
            }
            Ok(())
        })
    }

    /// Judges a run of entries that a crash kept from it, inside the caller's transaction.
    pub(crate) fn left(
        &mut self,
        catalog: &Connection,
        shared: &Shared,
        file: &DayFile,
        run: Unjudged,
    ) -> Result<(), StoreError> {
        let Some(machine) = shared.registry().id(run.machine).cloned() else {
            return Ok(());
        };
        let found = file.told_between((run.machine, run.epoch), (run.first, run.last))?;
        self.run(catalog, |judge| {
            for told in &found {
                let id = || cursor::id_text(told.key);
                let facts = EntryFacts {
                    machine: &machine,
                    id: &id,
                    level: told.level,
                    component: &told.component,
                    message: &told.message,
                    template: &told.template,
                    context: &told.context,
                    event: told.key.filed_at,
                    arrival: told.received_at,
                    by_cell: told.by_cell,
                };
                judge.engine.entry(&facts, judge.now.max(told.received_at));
            }
            Ok(())
        })
    }

    /// Runs something on the engine and keeps what changed, inside the caller's transaction. A panic is
    /// an error: it must not end the writer, with which everything would end.
    pub(crate) fn run(
        &mut self,
        catalog: &Connection,
        work: impl FnOnce(&mut Judge) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| work(self)))
            .map_err(|_| StoreError::Failed("judging alerts panicked".to_owned()))??;
        let changes = self.engine.take_changes();
        for &id in &changes.removed {
            if let Some(mut gone) = rows::get(catalog, id)? {
                gone.phase = Phase::Resolved;
                self.changed.alerts.push(gone);
            }
        }
        rows::keep(catalog, &changes)?;
        self.changed.add(changes);
        Ok(())
    }
}
