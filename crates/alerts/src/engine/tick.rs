//! Time passes: silence is judged, what was waited for is over, messages come due.

use std::collections::BTreeSet;
use std::sync::Arc;

use wire::time::{DAY_US, MINUTE_US};
use wire::{MachineId, Micros};

use super::{Away, Engine, Place};
use crate::evaluate::{Input, Listening, Ready, evaluate};
use crate::input::MachineNow;
use crate::life::{By, Phase};

/// Ticks further apart than this, or a clock that went back by as much, mean that nobody watched.
pub const AWAY_US: i64 = 2 * MINUTE_US;
/// What is remembered is kept so often while nothing else changes.
const KEEP_EVERY_US: i64 = MINUTE_US;

impl Engine {
    /// Judges everything by the time that it is now. `machines` is every machine that is registered.
    pub fn tick(&mut self, machines: Vec<MachineNow>, now: Micros) {
        self.note_away(now);
        self.take_machines(machines, now);
        for n in 0..self.rules.len() {
            let ready = Arc::clone(&self.rules[n]);
            self.end_out_of_scope(&ready.rule.id, now);
            self.judge_paths(&ready.rule, now);
            if ready.watches() {
                self.watch(&ready, n, now);
            }
        }
        self.judge_what_holds(now);
        self.fire_what_waited(now);
        self.summarise_late(now);
        self.send_due(now);
        let day_us = DAY_US;
        self.ended
            .retain(|_, ended| (0..31 * day_us).contains(&now.since_us(*ended)));
    }

    /// Notices that nobody watched for a while; silence of that time is not the machines'.
    pub(super) fn note_away(&mut self, now: Micros) {
        if let Some(last) = self.memory.last_tick {
            let past_us = now.since_us(last);
            if !(-AWAY_US..=AWAY_US).contains(&past_us) {
                let (from, to) = (last.min(now), now);
                self.changes.away = Some(Away { from, to });
                self.listening = Listening::from(now);
                self.memory_changed = true;
                for state in self.states.values_mut() {
                    // A clock that went back must not leave signs in the future.
                    state.last_sign = state.last_sign.map(|sign| sign.min(now));
                }
            }
        }
        self.memory.last_tick = Some(now);
        self.memory.listening = Some(self.listening);
        let is_due = self
            .memory_kept_at
            .is_none_or(|kept| now.since_us(kept).abs() >= KEEP_EVERY_US);
        if is_due {
            self.memory_kept_at = Some(now);
            self.forget_old_states(now);
            self.memory_changed = true;
        }
    }

    fn take_machines(&mut self, machines: Vec<MachineNow>, now: Micros) {
        self.machines = machines.into_iter().map(|m| (m.id.clone(), m)).collect();
        self.has_ticked = true;
        let places = self.by_place.keys().chain(self.states.keys());
        let gone: BTreeSet<MachineId> = places
            .map(|place| &place.machine)
            .filter(|id| !self.machines.contains_key(*id))
            .cloned()
            .collect();
        for id in gone {
            let open: Vec<u64> = self
                .by_place
                .iter()
                .filter(|(place, _)| place.machine == id)
                .map(|(_, alert)| *alert)
                .collect();
            for alert in open {
                self.finish(alert, By::Configuration, "", "the machine was removed", now);
            }
            let places: Vec<Place> = self
                .states
                .keys()
                .filter(|place| place.machine == id)
                .cloned()
                .collect();
            for place in places {
                self.states.remove(&place);
                self.touched_states.insert(place);
            }
        }
    }

    /// Judges a rule of which time alone may change what is found.
    fn watch(&mut self, ready: &Ready, n: usize, now: Micros) {
        let ids: Vec<_> = self
            .machines
            .values()
            .filter(|machine| ready.rule.scope.has(&machine.id, Some(machine)))
            .map(|machine| machine.id.clone())
            .collect();
        for id in ids {
            let place = Place {
                rule: Arc::clone(&self.ids[n]),
                machine: id,
                part: Arc::from(""),
            };
            self.judge(ready, &place, now);
        }
    }

    /// Judges what holds by entries, which ends when no more of them come.
    fn judge_what_holds(&mut self, now: Micros) {
        let places: Vec<Place> = self
            .states
            .iter()
            .filter(|(_, state)| state.holds.is_some())
            .map(|(place, _)| place.clone())
            .collect();
        for place in places {
            let Some(ready) = self.ready(&place.rule).cloned() else {
                continue;
            };
            if !ready.watches() {
                self.judge(&ready, &place, now);
            }
        }
    }

    fn judge(&mut self, ready: &Ready, place: &Place, now: Micros) {
        let unknown;
        let machine = match self.machines.get(&place.machine) {
            Some(machine) => machine,
            None => {
                unknown = MachineNow::new(place.machine.clone());
                &unknown
            }
        };
        let state = self.states.entry(place.clone()).or_default();
        let before = state.clone();
        let input = Input::Tick {
            machine,
            listening: &self.listening,
        };
        let finding = evaluate(ready, state, input, &place.part, now);
        let kept = |state: &crate::RuleState| {
            let mut state = state.clone();
            (state.contact, state.last_sign) = (None, None);
            state
        };
        if kept(state) != kept(&before) {
            self.touched_states.insert(place.clone());
        }
        let is_silence = matches!(
            ready.rule.when,
            crate::config::condition::Condition::Silence { .. }
        );
        let is_new = !self.by_place.contains_key(place);
        if let Some(finding) = finding {
            if is_silence && is_new && self.is_explained(&ready.rule.id, &place.machine) {
                if let Some(state) = self.states.get_mut(place) {
                    state.holds = None;
                }
                return;
            }
            self.found(ready, place, finding, now);
        }
    }

    fn fire_what_waited(&mut self, now: Micros) {
        let waiting: Vec<(u64, String)> = self
            .alerts
            .values()
            .filter(|alert| alert.phase == Phase::Waiting)
            .map(|alert| (alert.id, alert.rule.clone()))
            .collect();
        for (id, rule) in waiting {
            if let Some(ready) = self.ready(&rule).cloned() {
                self.fire_when_held(&ready, id, now);
            }
        }
    }
}

impl Engine {
    /// Forgets what no window can reach any more.
    fn forget_old_states(&mut self, now: Micros) {
        let reach_us = |place: &Place| match self.ready(&place.rule)?.rule.when {
            crate::config::condition::Condition::Entries { within_s, .. } => {
                Some(within_s.saturating_mul(1_000_000).saturating_add(DAY_US))
            }
            _ => None,
        };
        let is_old = |place: &Place, state: &crate::RuleState| {
            let newest = state.times.last().copied().unwrap_or(Micros(i64::MIN));
            state.holds.is_none() && reach_us(place).is_some_and(|us| now.since_us(newest) > us)
        };
        let old: Vec<Place> = self
            .states
            .iter()
            .filter(|(place, state)| is_old(place, state))
            .map(|(place, _)| place.clone())
            .collect();
        for place in old {
            self.states.remove(&place);
            self.touched_states.insert(place);
        }
    }

    /// Whether any rule holds.
    pub(crate) fn any_holds(&self) -> bool {
        self.states.values().any(|state| state.holds.is_some())
    }

    /// Played-back time passes in leaps, in which somebody did watch.
    pub(crate) fn pretend_watched(&mut self, now: Micros) {
        self.memory.last_tick = Some(now);
    }
}
