//! When every machine of a path falls silent together it is not the machines: it is the path. One alert
//! names it, and those of single machines are not raised meanwhile. When the path is heard again its
//! machines have a whole limit of time to come back.

use wire::{MachineId, Micros};

use super::Engine;
use crate::config::condition::{Condition, Way};
use crate::config::rule::{Deliver, Rule};
use crate::evaluate::duration;
use crate::evaluate::silence::{limit_us, silent_us, ways};
use crate::life::{Alert, AlertKind, By, Phase, What};

/// Fewer machines than this cannot tell the path from themselves.
const MACHINES_LEAST: usize = 3;

impl Engine {
    /// Judges the paths of a rule of silence.
    pub(super) fn judge_paths(&mut self, rule: &Rule, now: Micros) {
        let Condition::Silence { path, .. } = rule.when else {
            return;
        };
        for way in [Way::Wifi, Way::Cell] {
            if path != Way::Any && path != way {
                continue;
            }
            let open = self.outage(&rule.id, way).map(|alert| alert.id);
            let lost = self.lost_together(rule, way, now);
            match (open, lost) {
                (None, Some(machines)) => self.begin_outage(rule, way, machines, now),
                (Some(id), None) if self.is_heard_again(rule, way, now) => {
                    self.finish(id, By::Itself, "", "the path is heard again", now);
                    match way {
                        Way::Wifi => self.listening.wifi = now,
                        _ => self.listening.cell = now,
                    }
                }
                (Some(id), None) if !self.has_way(rule, way) => {
                    let why = "no machine is expected by this path";
                    self.finish(id, By::Configuration, "", why, now);
                }
                _ => {}
            }
        }
    }

    fn has_way(&self, rule: &Rule, way: Way) -> bool {
        self.machines
            .values()
            .any(|machine| rule.scope.has(&machine.id, Some(machine)) && machine.way(way).is_some())
    }

    /// Whether a single machine's silence is explained by its paths.
    pub(super) fn is_explained(&self, rule: &str, machine: &MachineId) -> bool {
        let Some(machine) = self.machines.get(machine) else {
            return false;
        };
        let Some(ready) = self.ready(rule) else {
            return false;
        };
        let mut ways = ways(&ready.rule, machine).peekable();
        ways.peek().is_some() && ways.all(|way| self.outage(rule, way.way).is_some())
    }

    fn outage(&self, rule: &str, way: Way) -> Option<&Alert> {
        self.alerts.values().find(|alert| {
            alert.kind == AlertKind::Path(way) && alert.rule == rule && alert.is_open()
        })
    }

    /// The machines of a path when all of them are late and one is lost; those whose own silence was
    /// told before do not count towards "all together".
    fn lost_together(&self, rule: &Rule, way: Way, now: Micros) -> Option<Vec<MachineId>> {
        let (mut all, mut fresh, mut is_lost) = (Vec::new(), 0, false);
        for machine in self.machines.values() {
            let Some(at) = machine.way(way) else {
                continue;
            };
            if !rule.scope.has(&machine.id, Some(machine)) {
                continue;
            }
            let silent_us = silent_us(at, &self.listening, now);
            if silent_us <= at.late_us {
                return None;
            }
            let is_told = self.alerts.values().any(|alert| {
                alert.rule == rule.id
                    && alert.kind == AlertKind::Machine
                    && alert.is_open()
                    && alert.machines.contains(&machine.id)
            });
            if !is_told {
                fresh += 1;
                is_lost |= silent_us > limit_us(rule, at);
            }
            all.push(machine.id.clone());
        }
        all.sort_unstable();
        (is_lost && fresh >= MACHINES_LEAST).then_some(all)
    }

    /// Whether any machine of the path was heard lately.
    fn is_heard_again(&self, rule: &Rule, way: Way, now: Micros) -> bool {
        self.machines.values().any(|machine| {
            let heard = |at: &crate::input::WayNow| now.since_us(at.last) <= at.late_us;
            rule.scope.has(&machine.id, Some(machine)) && machine.way(way).is_some_and(heard)
        })
    }

    fn begin_outage(&mut self, rule: &Rule, way: Way, machines: Vec<MachineId>, now: Micros) {
        let last = machines
            .iter()
            .filter_map(|id| self.machines.get(id)?.way(way))
            .map(|at| at.last)
            .max()
            .unwrap_or(now);
        let (name, cause) = match way {
            Way::Wifi => (
                "WiFi",
                "Look at our own internet connection and at this server's network first",
            ),
            _ => (
                "cell",
                "Look at the sources of drops, at the vendor's service and at the carrier first",
            ),
        };
        let alert = Alert {
            id: self.next_id(),
            rule: rule.id.clone(),
            issue: format!("{}: all machines on {name}", rule.name),
            severity: rule.severity,
            kind: AlertKind::Path(way),
            count: machines.len() as u64,
            facts: format!(
                "None of {} machines was heard on {name} for {}. {cause}.",
                machines.len(),
                duration(now.since_us(last))
            ),
            machines,
            part: String::new(),
            log_id: None,
            phase: Phase::Firing,
            since: last,
            raised_at: now,
            fired_at: Some(now),
            last_at: now,
            is_late: false,
            cools_until: None,
            acknowledged: None,
            silenced_until: None,
            resolved: None,
            group: None,
            planned: Vec::new(),
            change: 1,
            told: 0,
        };
        let id = alert.id;
        self.add(alert, What::Fired, now);
        let at_once = Rule {
            deliver: Deliver::AtOnce,
            ..rule.clone()
        };
        self.plan_first(&at_once, id, now);
    }
}
