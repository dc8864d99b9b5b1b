//! Entries as they are stored: held against every rule that may hear them.

use std::sync::Arc;

use wire::Micros;

use super::{Engine, Place};
use crate::config::condition::Condition;
use crate::config::rule::Severity;
use crate::evaluate::{Input, Ready, RuleState, evaluate};
use crate::input::{EntryFacts, is_late};

/// Parts of one machine that a rule tells apart; a machine that makes up more shares one for the rest.
const PARTS_MAX: usize = 50;
/// Products of one machine whose values a rule knows: more than any machine sells. What is beyond cannot
/// share one, as the value of one product says nothing of another.
const PRODUCTS_MAX: usize = 500;
/// Characters of a part.
const PART_CHARS: usize = 200;
/// Stands for all parts beyond the bound.
const OTHER_PARTS: &str = "\u{2026}";

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
        let Some(part) = self.part(ready, n, entry) else {
            return;
        };
        let place = Place {
            rule: Arc::clone(&self.ids[n]),
            machine: entry.machine.clone(),
            part: part.as_str().into(),
        };
        let state = self.states.entry(place.clone()).or_default();
        let (before, kept_before) = (state.holds, kept(state));
        let finding = evaluate(ready, state, Input::Entry { entry, is_late }, &part, now);
        let is_history = is_late && finding.is_none() && before.is_none();
        let says_nothing = *state == RuleState::default();
        // The end of what never began is of use only to a beginning that is on its way.
        let is_end_only = state.times.is_empty() && state.ended.is_some() && before.is_none();
        if kept(state) != kept_before && !is_end_only {
            self.touched_states.insert(place.clone());
        }
        if says_nothing {
            self.states.remove(&place);
        }
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

    /// What the entry is about; `None` when it is beyond the bounds.
    fn part(&self, ready: &Ready, n: usize, entry: &EntryFacts<'_>) -> Option<String> {
        let part: String = ready.part(entry).chars().take(PART_CHARS).collect();
        if part.is_empty() {
            return Some(part);
        }
        let rule = &self.ids[n];
        let place = Place {
            rule: Arc::clone(rule),
            machine: entry.machine.clone(),
            part: part.as_str().into(),
        };
        if self.states.contains_key(&place) {
            return Some(part);
        }
        let is_of_it = |p: &&Place| p.rule == *rule && p.machine == *entry.machine;
        let known = self.states.keys().filter(is_of_it).count();
        match ready.rule.when {
            Condition::Value { .. } => (known < PRODUCTS_MAX).then_some(part),
            _ if known < PARTS_MAX => Some(part),
            _ => Some(OTHER_PARTS.to_owned()),
        }
    }
}

/// What of a state is worth a row.
fn kept(state: &RuleState) -> (usize, u64, Option<Micros>, [Option<Micros>; 3], Option<u64>) {
    let times = [state.last_sign, state.began, state.ended];
    let number = state.number.map(f64::to_bits);
    (state.times.len(), state.more, state.holds, times, number)
}
