//! A new configuration while alerts are open. Nothing that fires hangs on a rule that is gone, and
//! nothing is told twice because a name was changed.

use std::sync::Arc;

use wire::Micros;

use super::{Engine, Place};
use crate::config::AlertConfig;
use crate::config::condition::Condition;
use crate::config::filter::Scope;
use crate::config::people::Address;
use crate::evaluate::Ready;
use crate::life::{Alert, AlertKind, By, Planned};

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

    /// Messages go where people are reached now; an alert that nobody could be told of is told.
    fn tell_anew(&mut self, now: Micros) {
        let is_there = |planned: &Planned| {
            let person = self.config.people.iter().find(|p| p.id == planned.person);
            person.is_some_and(|person| {
                let is_it = |a: &Address| a.channel == planned.channel && a.to == planned.to;
                person.addresses.iter().any(is_it)
            })
        };
        let mut untold = Vec::new();
        for alert in self.alerts.values_mut() {
            let before = alert.planned.len();
            alert.planned.retain(is_there);
            if alert.planned.len() != before {
                self.touched_alerts.insert(alert.id);
            }
            let is_mute = alert.planned.is_empty() && alert.told == 0 && alert.group.is_none();
            if alert.is_firing() && is_mute {
                untold.push((alert.id, alert.rule.clone()));
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
