//! Entries as they are stored: held against every rule that may hear them.

use std::sync::Arc;

use wire::Micros;

use super::{Engine, Place};
use crate::config::condition::Condition;
use crate::config::rule::Severity;
use crate::evaluate::{Input, Ready, evaluate};
use crate::input::{EntryFacts, is_late};

impl Engine {
    /// Judges an entry that was stored now, for the first time.
    pub fn entry(&mut self, entry: &EntryFacts<'_>, now: Micros) {
        let mut late = None;
        for n in 0..self.rules.len() {
            if !self.rules[n].hears(entry) {
                continue;
            }
            let ready = Arc::clone(&self.rules[n]);
            let machine = self.machines.get(entry.machine);
            if !ready.rule.scope.has(entry.machine, machine) {
                continue;
            }
            let is_late = *late.get_or_insert_with(|| is_late(entry, machine));
            self.hear(&ready, n, entry, is_late, now);
        }
    }

    fn hear(
        &mut self,
        ready: &Ready,
        n: usize,
        entry: &EntryFacts<'_>,
        is_late: bool,
        now: Micros,
    ) {
        let part = ready.part(entry);
        let place = Place {
            rule: Arc::clone(&self.ids[n]),
            machine: entry.machine.clone(),
            part: part.as_str().into(),
        };
        let state = self.states.entry(place.clone()).or_default();
        let before = state.holds;
        let finding = evaluate(ready, state, Input::Entry { entry, is_late }, &part, now);
        let is_history = is_late && finding.is_none() && before.is_none();
        self.touched_states.insert(place.clone());
        if is_history && matches!(ready.rule.when, Condition::Entries { .. }) {
            self.count_late(ready, entry, now);
        }
        if let Some(finding) = finding {
            self.found(ready, &place, finding, now);
            if ready.rule.severity == Severity::Critical {
                self.send_due(now);
            }
        }
    }
}
