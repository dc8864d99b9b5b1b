//! A new configuration while alerts are open. Nothing that fires hangs on a rule that is gone, and
//! nothing is told twice because a name was changed.

use std::sync::Arc;

use wire::Micros;

use super::{Engine, Place};
use crate::config::AlertConfig;
use crate::evaluate::Ready;
use crate::life::By;

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
                    if std::mem::discriminant(&new.rule.when)
                        != std::mem::discriminant(&old.rule.when)
                    {
                        self.end_all(&old.rule.id, "the rule became another one", now);
                        self.states.retain(|place, _| *place.rule != *old.rule.id);
                    }
                }
                Some(_) => {}
            }
            self.end_out_of_scope(&old.rule.id, now);
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

    fn end_out_of_scope(&mut self, rule: &str, now: Micros) {
        let Some(ready) = self.ready(rule).cloned() else {
            return;
        };
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
