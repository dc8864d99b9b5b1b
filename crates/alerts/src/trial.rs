//! A rule tried on what was stored before it is saved: "would have fired 4 times". Entries are played
//! again by their arrival. What is not kept as history (links, data plans, gaps) cannot be tried.

use std::collections::BTreeMap;

use wire::time::MINUTE_US;
use wire::{MachineId, Micros};

use crate::config::AlertConfig;
use crate::config::condition::Condition;
use crate::config::rule::Rule;
use crate::engine::Engine;
use crate::input::{EntryFacts, MachineNow};
use crate::life::Phase;

/// Firings that are described one by one.
const SHOWN: usize = 20;
/// Acknowledged by itself after this time, as somebody would have done.
const TAKEN_AFTER_US: i64 = 30 * MINUTE_US;

/// A trial.
#[derive(Debug)]
pub struct Trial {
    engine: Engine,
    machines: Vec<MachineNow>,
    clock: Micros,
    outcome: Outcome,
}

/// What a trial found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// How often it would have fired.
    pub fired: u64,
    /// By machine.
    pub machines: BTreeMap<MachineId, u64>,
    /// The first of them: machine, since when, what.
    pub shown: Vec<(MachineId, Micros, String)>,
    /// Entries that were looked at.
    pub entries: u64,
}

impl Trial {
    /// A trial of a rule that begins at this time; `None` when its kind cannot be tried. `machines` are
    /// as they are today.
    pub fn new(rule: Rule, machines: Vec<MachineNow>, from: Micros) -> Option<Trial> {
        let can = matches!(
            rule.when,
            Condition::Entries { .. }
                | Condition::Stays { .. }
                | Condition::Value { .. }
                | Condition::None { .. }
        );
        let rule = Rule {
            enabled: true,
            tell: Vec::new(),
            escalate: Vec::new(),
            ..rule
        };
        let config = AlertConfig {
            rules: vec![rule],
            group_at: usize::MAX,
            ..AlertConfig::default()
        };
        let mut engine = Engine::new(config, from);
        engine.tick(machines.clone(), from);
        can.then_some(Trial {
            engine,
            machines,
            clock: from,
            outcome: Outcome::default(),
        })
    }

    /// The next entry by arrival.
    pub fn entry(&mut self, entry: &EntryFacts<'_>) {
        if !self.machines.iter().any(|m| m.id == *entry.machine) {
            // Removed since, or never registered: its entries count all the same.
            self.machines.push(MachineNow::new(entry.machine.clone()));
            self.engine.tick(self.machines.clone(), self.clock);
        }
        self.pass(entry.arrival);
        self.outcome.entries += 1;
        for machine in self.machines.iter_mut().filter(|m| m.id == *entry.machine) {
            for way in &mut machine.ways {
                way.last = way.last.max(entry.arrival);
            }
        }
        self.engine.entry(entry, entry.arrival);
        self.count();
    }

    /// What was found, up to now.
    pub fn finish(mut self, now: Micros) -> Outcome {
        self.pass(now);
        self.outcome
    }

    /// Lets time pass up to this: ticks each minute while something is open, and in one step when nothing is.
    pub fn pass(&mut self, at: Micros) {
        while self.clock.plus_us(MINUTE_US) <= at {
            let is_idle = self.engine.open().next().is_none() && !self.engine.any_holds();
            let step = self.clock.plus_us(MINUTE_US);
            self.clock = if is_idle { at.max(step) } else { step };
            self.engine.pretend_watched(self.clock);
            self.engine.tick(self.machines.clone(), self.clock);
            self.take_old();
            self.count();
        }
    }

    /// As somebody would have done.
    fn take_old(&mut self) {
        let old: Vec<u64> = self
            .engine
            .open()
            .filter(|alert| alert.phase == Phase::Firing)
            .filter(|alert| self.clock.since_us(alert.raised_at) >= TAKEN_AFTER_US)
            .map(|alert| alert.id)
            .collect();
        for id in old {
            let taken = crate::life::Act::Acknowledge;
            // It is there and open: it was just listed.
            let _ = self.engine.act(id, &taken, "", "", self.clock);
        }
    }

    fn count(&mut self) {
        let changes = self.engine.take_changes();
        let fired = changes
            .history
            .iter()
            .filter(|line| line.what == crate::life::What::Fired);
        for line in fired {
            let Some(alert) = changes.alerts.iter().find(|alert| alert.id == line.alert) else {
                continue;
            };
            let Some(machine) = alert.machines.first() else {
                continue;
            };
            self.outcome.fired += 1;
            *self.outcome.machines.entry(machine.clone()).or_default() += 1;
            if self.outcome.shown.len() < SHOWN {
                let shown = (machine.clone(), alert.since, line.note.clone());
                self.outcome.shown.push(shown);
            }
        }
    }
}
