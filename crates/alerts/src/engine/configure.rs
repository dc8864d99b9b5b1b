//! A new configuration while alerts are open. Nothing that fires hangs on a rule that is gone, and
//! nothing is told twice because a name was changed.

use std::sync::Arc;

use wire::Micros;

use super::raise::plan;
use super::{Engine, Place};
use crate::config::AlertConfig;
use crate::config::condition::Condition;
use crate::config::filter::Scope;
use crate::config::people::Address;
use crate::config::rule::{Rule, Severity, Tell};
use crate::evaluate::Ready;
use crate::life::{Alert, AlertKind, By, Planned, Why};
use crate::tell::recipients::{Target, targets};

impl Engine {
    /// Uses a new configuration from now on. Alerts of rules that are gone or turned off end; a rule whose
    /// condition was changed is judged anew, and its alerts end by the new one.
    pub fn configure(&mut self, config: AlertConfig, now: Micros) {
        let before: Vec<Arc<Ready>> = self.rules.clone();
        self.set_config(config);
        for old in before {
            let new = self.ready(&old.rule.id).cloned();
            let places: Vec<Place> = self
                .states
                .keys()
                .filter(|place| *place.rule == *old.rule.id)
                .cloned()
                .collect();
            match new {
                None => {
                    self.end_all(&old.rule.id, "the rule was turned off or removed", now);
                    for place in places {
                        self.states.remove(&place);
                        self.touched_states.insert(place);
                    }
                }
                Some(new) if new.rule.when != old.rule.when => {
                    for place in places {
                        if let Some(state) = self.states.get_mut(&place) {
                            state.times.clear();
                            self.touched_states.insert(place);
                        }
                    }
                    self.end_paths(&old.rule.id, now);
                    if !is_same_reading(&new.rule.when, &old.rule.when)
                        || std::mem::discriminant(&new.rule.when)
                            != std::mem::discriminant(&old.rule.when)
                    {
                        self.end_all(&old.rule.id, "the rule became another one", now);
                        self.states.retain(|place, _| *place.rule != *old.rule.id);
                    }
                }
                Some(_) => {}
            }
            if self.has_ticked {
                self.end_out_of_scope(&old.rule.id, now);
            }
        }
        self.tell_anew(now);
    }

    /// Messages go to whom the rules mean now, where they are reached now; an alert that nobody could be
    /// told of is told.
    fn tell_anew(&mut self, now: Micros) {
        let mut untold = Vec::new();
        let ids: Vec<u64> = self.alerts.keys().copied().collect();
        for id in ids {
            let Some(planned) = self.alerts.get(&id).map(|alert| self.redirected(alert)) else {
                continue;
            };
            let Some(alert) = self.alerts.get_mut(&id) else {
                continue;
            };
            if alert.planned != planned {
                alert.planned = planned;
                self.touched_alerts.insert(id);
            }
            // A group speaks for its members, but not for critical ones.
            let speaks_for_itself = alert.group.is_none() || alert.severity == Severity::Critical;
            let is_mute = alert.planned.is_empty() && alert.told == 0 && speaks_for_itself;
            if alert.is_firing() && is_mute {
                untold.push((id, alert.rule.clone()));
            }
        }
        for (id, rule) in untold {
            if let Some(ready) = self.ready(&rule).cloned() {
                self.plan_first(&ready.rule, id, now);
                self.touch(id);
            }
        }
        self.send_due(now);
    }

    /// What is planned of an alert, with whom the configuration means now instead of those it does not mean
    /// any more. What it planned at the same time and for the same reason stays one.
    fn redirected(&self, alert: &Alert) -> Vec<Planned> {
        let Some(rule) = self.ready(&alert.rule).map(|ready| &ready.rule) else {
            // What is left of a rule that is gone are lines of a digest.
            let is_there = |planned: &&Planned| self.is_reached(planned);
            return alert.planned.iter().filter(is_there).cloned().collect();
        };
        let machines: Vec<_> = alert
            .machines
            .iter()
            .map(|m| self.machines.get(m))
            .collect();
        let mut kept: Vec<Planned> = Vec::new();
        let mut lost: Vec<&Planned> = Vec::new();
        for planned in &alert.planned {
            let tell = match planned.why {
                Why::Escalation(step) => step_of(rule, step),
                _ => &rule.tell,
            };
            let means = targets(&self.config, tell, &machines);
            if means.iter().any(|target| is_to(planned, target)) {
                kept.push(planned.clone());
            } else {
                lost.push(planned);
            }
        }
        for gone in lost {
            let tell = match gone.why {
                Why::Escalation(step) => step_of(rule, step),
                _ => &rule.tell,
            };
            for target in targets(&self.config, tell, &machines) {
                let is_planned = |p: &Planned| is_same_reason(p.why, gone.why) && is_to(p, &target);
                if !kept.iter().any(is_planned) {
                    kept.push(plan(target, gone.due, gone.why));
                }
            }
        }
        kept
    }

    fn is_reached(&self, planned: &Planned) -> bool {
        self.person(&planned.person).is_some_and(|person| {
            let is_it = |a: &Address| a.channel == planned.channel && a.to == planned.to;
            person.addresses.iter().any(is_it)
        })
    }

    fn end_paths(&mut self, rule: &str, now: Micros) {
        let of_path = |alert: &&Alert| {
            alert.rule == rule && matches!(alert.kind, AlertKind::Path(_)) && alert.is_open()
        };
        let ids: Vec<u64> = self.alerts.values().filter(of_path).map(|a| a.id).collect();
        for id in ids {
            self.finish(id, By::Configuration, "", "the rule was changed", now);
        }
    }

    pub(super) fn set_config(&mut self, config: AlertConfig) {
        self.rules = config
            .rules
            .iter()
            .filter(|rule| rule.enabled)
            .filter_map(|rule| Ready::new(rule.clone()).ok())
            .map(Arc::new)
            .collect();
        self.ids = self
            .rules
            .iter()
            .map(|ready| Arc::from(ready.rule.id.as_str()))
            .collect();
        self.config = config;
    }

    fn end_all(&mut self, rule: &str, why: &str, now: Micros) {
        let ids: Vec<u64> = self
            .alerts
            .values()
            .filter(|alert| alert.rule == rule && alert.is_open())
            .map(|alert| alert.id)
            .collect();
        for id in ids {
            self.finish(id, By::Configuration, "", why, now);
        }
    }

    pub(super) fn end_out_of_scope(&mut self, rule: &str, now: Micros) {
        let Some(ready) = self.ready(rule).cloned() else {
            return;
        };
        if ready.rule.scope == Scope::default() {
            return;
        }
        let outside: Vec<(u64, Place)> = self
            .by_place
            .iter()
            .filter(|(place, _)| *place.rule == *rule)
            .filter(|(place, _)| {
                let machine = self.machines.get(&place.machine);
                !ready.rule.scope.has(&place.machine, machine)
            })
            .map(|(place, id)| (*id, place.clone()))
            .collect();
        for (id, place) in outside {
            let why = "the rule is no longer about this machine";
            self.finish(id, By::Configuration, "", why, now);
            self.forget_state(&place);
        }
    }
}

/// Whom a step tells; nobody when the rule has no such step any more.
fn step_of(rule: &Rule, step: u32) -> &[Tell] {
    let before = usize::try_from(step.saturating_sub(1)).unwrap_or(usize::MAX);
    rule.escalate
        .get(before)
        .map_or(&[], |escalation| &escalation.tell)
}

fn is_to(planned: &Planned, target: &Target) -> bool {
    (&planned.person, &planned.channel, &planned.to)
        == (&target.person, &target.channel, &target.to)
}

/// Whether two messages are told for the same reason; the count of a repeat is each person's own.
fn is_same_reason(one: Why, other: Why) -> bool {
    one == other || matches!((one, other), (Why::Repeat(_), Why::Repeat(_)))
}

/// Whether readings of the old rule are readings of the new one; only values hang on what was read.
fn is_same_reading(new: &Condition, old: &Condition) -> bool {
    match (new, old) {
        (
            Condition::Value {
                filter, field, of, ..
            },
            Condition::Value {
                filter: old_filter,
                field: old_field,
                of: old_of,
                ..
            },
        ) => filter == old_filter && field == old_field && of == old_of,
        _ => true,
    }
}
