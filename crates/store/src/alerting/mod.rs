//! The calls of the store for alerts. Judging happens on the writer's thread, in the transaction of what
//! is judged: an entry is stored with what it set off, or neither is.

mod facts;

use std::sync::{Arc, mpsc};

use alerts::{
    Act, ActError, Alert, AlertConfig, Away, Changes, Engine, History, MachineNow, Outgoing, Phase,
};
use wire::{MachineId, Micros};

use crate::catalog::alerts::deliveries::{self, Message, Tried};
use crate::catalog::alerts::rows;
use crate::error::StoreError;
use crate::store::Store;

/// The alerts of a store.
#[derive(Clone)]
pub struct Alerts(Store);

/// Which alerts are asked for.
#[derive(Debug, Clone, Default)]
pub struct AlertQuery {
    /// In one of these phases; none means all.
    pub phases: Vec<Phase>,
    /// Of this machine.
    pub machine: Option<MachineId>,
    /// Of this rule.
    pub rule: Option<String>,
    /// With a smaller number than this.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// An alert with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeAlert {
    /// The alert.
    pub alert: Alert,
    /// What happened to it, the oldest first.
    pub history: Vec<History>,
    /// Who was told, the newest first.
    pub deliveries: Vec<Message>,
}

/// What a transaction changed of the alerts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertsChanged {
    /// Alerts that began or changed, as they are now. One that waited and never fired is told as resolved
    /// and is gone.
    pub alerts: Vec<Alert>,
    /// Messages that came into the outbox.
    pub messages: usize,
}

impl AlertsChanged {
    /// Whether nothing did.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.messages == 0
    }

    pub(crate) fn add(&mut self, changes: Changes) {
        self.alerts.extend(changes.alerts);
        self.messages += changes.outgoing.len();
    }
}

/// Deliveries that are answered with an alert.
const DELIVERIES_SHOWN: usize = 200;

impl Store {
    /// Its alerts.
    pub fn alerts(&self) -> Alerts {
        Alerts(self.clone())
    }
}

impl Alerts {
    /// The configuration in use; that of a new installation where none was set.
    ///
    /// # Errors
    /// The store failed.
    pub fn config(&self) -> Result<AlertConfig, StoreError> {
        let config = self.0.catalog(rows::config)?;
        Ok(config.unwrap_or_else(alerts::config::defaults::config))
    }

    /// Calls this after each transaction that changed alerts or wrote messages, once it is durable, on
    /// the writer's thread: it must be quick. It stands instead of the one before.
    pub fn on_change(&self, listener: impl Fn(&AlertsChanged) + Send + Sync + 'static) {
        self.0.shared().set_listener(Arc::new(listener));
    }

    /// Uses a configuration from now on. It has been checked.
    ///
    /// # Errors
    /// The store failed; the one before stays in use.
    pub fn configure(&self, config: AlertConfig, now: Micros) -> Result<(), StoreError> {
        self.0.judge(move |engine, catalog| {
            rows::set_config(catalog, &config)?;
            engine.configure(config, now);
            Ok(())
        })
    }

    /// Judges what time alone changes; to be called every few seconds. `machines` is every machine that
    /// is registered.
    ///
    /// # Errors
    /// The store failed; the next tick makes up for it.
    pub fn tick(&self, machines: Vec<MachineNow>, now: Micros) -> Result<(), StoreError> {
        self.0.judge(move |engine, _| {
            engine.tick(machines, now);
            Ok(())
        })
    }

    /// Does what somebody does to an alert, and answers it.
    ///
    /// # Errors
    /// The store failed; inside, what cannot be done.
    pub fn act(
        &self,
        id: u64,
        act: Act,
        who: &str,
        note: &str,
        now: Micros,
    ) -> Result<Result<Alert, ActError>, StoreError> {
        let (who, note) = (who.to_owned(), note.to_owned());
        let (sender, receiver) = mpsc::sync_channel(1);
        self.0.judge(move |engine, _| {
            let _ = sender.send(engine.act(id, &act, &who, &note, now));
            Ok(())
        })?;
        let outcome = receiver.recv().unwrap_or(Err(ActError::NoSuchAlert(id)));
        let alert = self.0.catalog(|catalog| rows::get(catalog, id))?;
        Ok(match (outcome, alert) {
            (Err(ActError::NoSuchAlert(id)), Some(alert)) if !alert.is_open() => {
                Err(ActError::Over(id))
            }
            (outcome, alert) => outcome.and(alert.ok_or(ActError::NoSuchAlert(id))),
        })
    }

    /// Alerts, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn list(&self, query: &AlertQuery) -> Result<Vec<Alert>, StoreError> {
        let before = query.before.map_or(i64::MAX, |id| id as i64);
        let machine = query.machine.as_ref().map(|machine| format!(" {machine} "));
        let limit = query.limit as i64;
        let phases: Vec<String> = query
            .phases
            .iter()
            .map(|phase| rows::phase_number(*phase).to_string())
            .collect();
        let mut condition = "WHERE id < ?1".to_owned();
        if !phases.is_empty() {
            condition.push_str(&format!(" AND phase IN ({})", phases.join(", ")));
        }
        condition.push_str(
            " AND (?2 IS NULL OR instr(machines, ?2) > 0) AND (?3 IS NULL OR rule = ?3)
             ORDER BY id DESC LIMIT ?4",
        );
        self.0.catalog(|catalog| {
            let bound: [&dyn rusqlite::ToSql; 4] = [&before, &machine, &query.rule, &limit];
            rows::find(catalog, &condition, &bound)
        })
    }

    /// An alert with its history and its deliveries.
    ///
    /// # Errors
    /// The store failed.
    pub fn get(&self, id: u64) -> Result<Option<WholeAlert>, StoreError> {
        self.0.catalog(|catalog| {
            let Some(alert) = rows::get(catalog, id)? else {
                return Ok(None);
            };
            Ok(Some(WholeAlert {
                alert,
                history: rows::history(catalog, id)?,
                deliveries: deliveries::newest(catalog, Some(id), None, DELIVERIES_SHOWN)?,
            }))
        })
    }

    /// How many alerts wait, fire and are acknowledged.
    ///
    /// # Errors
    /// The store failed.
    pub fn counts(&self) -> Result<[u64; 3], StoreError> {
        self.0.catalog(|catalog| Ok(rows::counts(catalog)?))
    }

    /// Spans in which nobody watched, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn away(&self, limit: usize) -> Result<Vec<Away>, StoreError> {
        self.0.catalog(|catalog| rows::away(catalog, limit))
    }

    /// Messages whose time has come, the most urgent first, but those of some channels. Those that are
    /// being sent are among them.
    ///
    /// # Errors
    /// The store failed.
    pub fn due(
        &self,
        now: Micros,
        limit: usize,
        but: &[String],
    ) -> Result<Vec<Message>, StoreError> {
        self.0
            .catalog(|catalog| deliveries::due(catalog, now, limit, but))
    }

    /// Messages, the newest first, before a number.
    ///
    /// # Errors
    /// The store failed.
    pub fn deliveries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        self.0
            .catalog(|catalog| deliveries::newest(catalog, None, before, limit))
    }

    /// Says durably that a message is being handed to its provider; `false` when it is not there to be
    /// sent any more.
    ///
    /// # Errors
    /// The store failed: the provider must not be called.
    pub fn begin_delivery(&self, id: u64) -> Result<bool, StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.0.change(false, move |catalog| {
            let _ = sender.send(deliveries::begin(catalog, id)?);
            Ok(())
        })?;
        Ok(receiver.try_recv().unwrap_or(false))
    }

    /// Keeps what became of a try.
    ///
    /// # Errors
    /// The store failed: the message may go once more.
    pub fn finish_delivery(&self, id: u64, tried: Tried, now: Micros) -> Result<(), StoreError> {
        self.0.change(false, move |catalog| {
            Ok(deliveries::finish(catalog, id, &tried, now)?)
        })
    }

    /// Writes a message into the outbox: for another channel of the same person, where one is broken.
    ///
    /// # Errors
    /// The store failed.
    pub fn add_delivery(&self, message: Outgoing) -> Result<(), StoreError> {
        self.0
            .change(false, move |catalog| deliveries::add(catalog, &message))
    }

    /// How many messages a channel sent since then, and their price in millionths where it is known.
    ///
    /// # Errors
    /// The store failed.
    pub fn sent_since(&self, channel: &str, since: Micros) -> Result<(u64, i64), StoreError> {
        self.0
            .catalog(|catalog| Ok(deliveries::sent_since(catalog, channel, since)?))
    }
}

impl Store {
    /// Runs something on the engine, on the writer's thread, and keeps what changed in the same
    /// transaction.
    fn judge(
        &self,
        run: impl FnOnce(&mut Engine, &rusqlite::Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.run_alerts(Box::new(run))
    }
}
