//! All rules, all states, all alerts that are not over. What changes is collected and taken by
//! the caller ([`Engine::take_changes`]), who keeps it; an engine is made again from what was kept
//! ([`Engine::restore`]), so that a crash between two changes loses neither.

mod configure;
mod entry;
mod group;
mod late;
mod outage;
mod people;
mod raise;
mod send;
mod tick;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wire::{MachineId, Micros};

use crate::config::AlertConfig;
use crate::evaluate::{Listening, Ready, RuleState};
use crate::input::MachineNow;
use crate::life::{Alert, History};
use crate::tell::Outgoing;

pub use late::LateCount;

/// A rule and what it is judged for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The machine.
    pub machine: MachineId,
    /// What of it; may be empty.
    pub part: Arc<str>,
}

/// A span in which nobody watched: the program was off, the computer slept, the clock was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// The last time somebody watched.
    pub from: Micros,
    /// When the watch began again.
    pub to: Micros,
}

/// What the engine remembers beside states and alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The last tick; after a restart up to a minute older than it was.
    pub last_tick: Option<Micros>,
    /// The next alert's number.
    pub next_id: u64,
    /// Since when each way has been listened to.
    pub listening: Option<Listening>,
    /// Late entries that no summary told of yet.
    pub late: Vec<LateCount>,
    /// When the last summary of late entries went out.
    pub late_told: Option<Micros>,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            last_tick: None,
            next_id: 1,
            listening: None,
            late: Vec::new(),
            late_told: None,
        }
    }
}

/// What changed since it was last asked, to be kept in one transaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// States that changed; `None` is one that needs no row any more.
    pub states: Vec<(Place, Option<RuleState>)>,
    /// Alerts that began or changed.
    pub alerts: Vec<Alert>,
    /// Alerts that waited and never fired: as if they had not been.
    pub removed: Vec<u64>,
    /// What happened to alerts.
    pub history: Vec<History>,
    /// Messages to hand to people.
    pub outgoing: Vec<Outgoing>,
    /// A span in which nobody watched.
    pub away: Option<Away>,
    /// What else is remembered, when it changed.
    pub memory: Option<Memory>,
}

impl Changes {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

/// The engine.
#[derive(Debug)]
pub struct Engine {
    config: AlertConfig,
    rules: Vec<Arc<Ready>>,
    ids: Vec<Arc<str>>,
    machines: HashMap<MachineId, MachineNow>,
    states: HashMap<Place, RuleState>,
    /// Alerts that are not over, or of which a digest still has to tell.
    alerts: BTreeMap<u64, Alert>,
    by_place: HashMap<Place, u64>,
    /// When the last alert of a place ended, for its cooldown.
    ended: HashMap<Place, Micros>,
    memory: Memory,
    memory_kept_at: Option<Micros>,
    memory_changed: bool,
    listening: Listening,
    /// Machines are known: before the first tick nothing can be judged rightly.
    has_ticked: bool,
    touched_states: BTreeSet<Place>,
    touched_alerts: BTreeSet<u64>,
    changes: Changes,
}

impl Engine {
    /// An engine that begins to watch now, with what was kept of the one before. Rules that cannot be
    /// used are left out; the configuration was checked when it was set.
    /// Alerts that are over say until when their places cool down.
    pub fn restore(
        config: AlertConfig,
        states: Vec<(Place, RuleState)>,
        alerts: Vec<Alert>,
        memory: Memory,
        now: Micros,
    ) -> Engine {
        let listening = memory.listening.unwrap_or(Listening::from(now));
        let mut engine = Engine {
            config: AlertConfig::default(),
            rules: Vec::new(),
            ids: Vec::new(),
            machines: HashMap::new(),
            states: states.into_iter().collect(),
            alerts: alerts.into_iter().map(|alert| (alert.id, alert)).collect(),
            by_place: HashMap::new(),
            ended: HashMap::new(),
            memory,
            memory_kept_at: None,
            memory_changed: false,
            listening,
            has_ticked: false,
            touched_states: BTreeSet::new(),
            touched_alerts: BTreeSet::new(),
            changes: Changes::default(),
        };
        let highest = engine.alerts.keys().next_back().copied().unwrap_or(0);
        engine.memory.next_id = engine.memory.next_id.max(highest + 1);
        for alert in engine.alerts.values() {
            if let (Some(place), Some(resolved)) = (place_of(alert), &alert.resolved) {
                let ended = engine.ended.entry(place).or_insert(resolved.at);
                *ended = resolved.at.max(*ended);
            }
        }
        engine
            .alerts
            .retain(|_, alert| alert.is_open() || !alert.planned.is_empty());
        for (place, alert) in engine.alerts.values().filter_map(|alert| {
            let place = place_of(alert)?;
            alert.is_open().then_some((place, alert))
        }) {
            engine.by_place.insert(place, alert.id);
        }
        engine.set_config(config);
        engine.note_away(now);
        engine
    }

    /// An engine without a past.
    pub fn new(config: AlertConfig, now: Micros) -> Engine {
        Engine::restore(config, Vec::new(), Vec::new(), Memory::default(), now)
    }

    /// The configuration in use.
    pub fn config(&self) -> &AlertConfig {
        &self.config
    }

    /// Whether machines are known. Entries that come before that are best judged after it: rules about
    /// some machines would not hear them, and owners would not be told.
    pub fn has_ticked(&self) -> bool {
        self.has_ticked
    }

    /// Takes over what another engine knew of machines, and the time up to which it watched.
    pub fn know_as(&mut self, other: &Engine) {
        self.machines = other.machines.clone();
        self.has_ticked = other.has_ticked;
        self.memory.last_tick = self.memory.last_tick.max(other.memory.last_tick);
        self.listening = other.listening;
    }

    /// The last tick.
    pub fn last_tick(&self) -> Option<Micros> {
        self.memory.last_tick
    }

    /// Alerts that are not over, the newest last.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().filter(|alert| alert.is_open())
    }

    /// What changed since this was last called.
    pub fn take_changes(&mut self) -> Changes {
        let mut changes = std::mem::take(&mut self.changes);
        if std::mem::take(&mut self.memory_changed) {
            changes.memory = Some(self.memory.clone());
        }
        for place in std::mem::take(&mut self.touched_states) {
            let state = self.states.get(&place).cloned();
            changes.states.push((place, state));
        }
        for id in std::mem::take(&mut self.touched_alerts) {
            if let Some(alert) = self.alerts.get(&id) {
                changes.alerts.push(alert.clone());
            }
        }
        self.alerts
            .retain(|_, alert| alert.is_open() || !alert.planned.is_empty());
        changes
    }

    /// Whether any rule asks for sentences without their parameters.
    pub fn wants_templates(&self) -> bool {
        self.rules.iter().any(|ready| ready.wants_templates())
    }

    fn ready(&self, rule: &str) -> Option<&Arc<Ready>> {
        self.rules.iter().find(|ready| ready.rule.id == rule)
    }

    fn touch(&mut self, id: u64) {
        self.touched_alerts.insert(id);
    }

    fn log(&mut self, line: History) {
        self.changes.history.push(line);
    }
}

/// The place of an alert of one machine.
fn place_of(alert: &Alert) -> Option<Place> {
    match (alert.kind, alert.machines.as_slice()) {
        (crate::life::AlertKind::Machine, [machine]) => Some(Place {
            rule: alert.rule.as_str().into(),
            machine: machine.clone(),
            part: alert.part.as_str().into(),
        }),
        _ => None,
    }
}
