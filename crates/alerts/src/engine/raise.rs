//! Findings become alerts: they begin, wait, fire and end.

use wire::Micros;
use wire::time::MINUTE_US;

use super::{Engine, Place};
use crate::config::condition::Condition;
use crate::config::rule::{Deliver, Rule, Severity};
use crate::evaluate::{Finding, Ready};
use crate::life::{Alert, AlertKind, By, History, Phase, Planned, What, Why, act};
use crate::tell::recipients::{Target, targets};
use crate::tell::when;

/// What began late and lasts is told when so much time went by: a backlog comes in pieces, and its end may
/// be in the next one.
const SETTLED_US: i64 = 2 * MINUTE_US;

impl Engine {
    /// Takes a finding of a rule for a place.
    pub(super) fn found(&mut self, ready: &Ready, place: &Place, finding: Finding, now: Micros) {
        let open = self.by_place.get(place).copied();
        match (finding, open) {
            (Finding::Clear, open) => self.clear(ready, place, open, now),
            (finding @ Finding::Holds { .. }, Some(id)) => self.again(id, finding, now),
            (finding @ Finding::Holds { .. }, None) => self.begin(ready, place, finding, now),
        }
    }

    fn begin(&mut self, ready: &Ready, place: &Place, finding: Finding, now: Micros) {
        let rule = &ready.rule;
        let Finding::Holds {
            since,
            count,
            words,
            log_id,
            is_late,
            ..
        } = finding
        else {
            return;
        };
        let cooldown_us = rule.cooldown_s.saturating_mul(1_000_000);
        let cools_until = self
            .ended
            .get(place)
            .map(|ended| ended.plus_us(cooldown_us))
            .filter(|until| *until > now && rule.severity != Severity::Critical);
        let alert = Alert {
            id: self.next_id(),
            rule: rule.id.clone(),
            issue: rule.name.clone(),
            severity: rule.severity,
            kind: AlertKind::Machine,
            machines: vec![place.machine.clone()],
            part: place.part.to_string(),
            log_id,
            phase: Phase::Waiting,
            since,
            raised_at: now,
            fired_at: None,
            last_at: now,
            count,
            facts: words,
            is_late,
            cools_until,
            acknowledged: None,
            silenced_until: None,
            resolved: None,
            group: None,
            planned: Vec::new(),
            change: 0,
            told: 0,
        };
        let id = alert.id;
        self.by_place.insert(place.clone(), id);
        self.add(alert, What::Began, now);
        // What a later entry of the same batch may end waits for the tick.
        let may_end = matches!(
            ready.rule.when,
            Condition::Stays { .. } | Condition::Value { .. }
        );
        if !may_end {
            self.fire_when_held(ready, id, now);
        }
    }

    /// Adds an alert with the first line of its history.
    pub(super) fn add(&mut self, alert: Alert, what: What, now: Micros) {
        let line = History {
            alert: alert.id,
            at: now,
            what,
            who: String::new(),
            note: alert.facts.clone(),
        };
        self.log(line);
        self.touch(alert.id);
        self.alerts.insert(alert.id, alert);
    }

    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.memory.next_id;
        self.memory.next_id += 1;
        self.memory_changed = true;
        id
    }

    fn again(&mut self, id: u64, finding: Finding, now: Micros) {
        let Finding::Holds {
            since,
            count,
            words,
            is_sign,
            ..
        } = finding
        else {
            return;
        };
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        // Durations in the words grow with each tick; that alone is nothing to keep.
        alert.facts = words;
        if is_sign {
            alert.since = alert.since.min(since);
            alert.count = count;
            alert.last_at = now;
            self.touch(id);
        }
    }

    fn clear(&mut self, ready: &Ready, place: &Place, open: Option<u64>, now: Micros) {
        let waits_for_somebody =
            ready.rule.until_acknowledged && matches!(ready.rule.when, Condition::Entries { .. });
        let firing = open.and_then(|id| self.alerts.get(&id));
        if waits_for_somebody && firing.is_some_and(Alert::is_firing) {
            return;
        }
        if let Some(id) = open {
            self.finish(id, By::Itself, "", "the condition cleared", now);
        }
        self.forget_state(place);
    }

    /// Forgets what is remembered of a place whose rule holds no longer, so that it begins anew; what is
    /// known of the newest entry of its kind stays.
    pub(super) fn forget_state(&mut self, place: &Place) {
        let Some(state) = self.states.get_mut(place) else {
            return;
        };
        state.times.clear();
        state.more = 0;
        state.holds = None;
        state.last_sign = None;
        let says_nothing = state.began.is_none() && state.ended.is_none();
        if says_nothing && state.number.is_none() && state.contact.is_none() {
            self.states.remove(place);
        }
        self.touched_states.insert(place.clone());
    }

    /// Fires an alert that has waited for long enough.
    pub(super) fn fire_when_held(&mut self, ready: &Ready, id: u64, now: Micros) {
        let Some(alert) = self.alerts.get(&id) else {
            return;
        };
        let held_us = match ready.rule.when {
            // By the event's own time, up to when the machine was heard: its end may be on the way.
            Condition::Stays { .. } => {
                let heard = alert.machines.first().and_then(|id| self.machines.get(id));
                let heard = heard.and_then(|m| m.ways.iter().map(|way| way.last).max());
                heard.unwrap_or(now).min(now).since_us(alert.since)
            }
            _ => now.since_us(alert.raised_at),
        };
        if alert.cools_until.is_some_and(|until| now < until) {
            return;
        }
        let lasts = matches!(
            ready.rule.when,
            Condition::Stays { .. } | Condition::Value { .. }
        );
        if lasts && alert.is_late && now.since_us(alert.raised_at) < SETTLED_US {
            return;
        }
        if alert.phase == Phase::Waiting && held_us >= ready.rule.for_s.saturating_mul(1_000_000) {
            self.fire(&ready.rule, id, now);
        }
    }

    fn fire(&mut self, rule: &Rule, id: u64, now: Micros) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        alert.phase = Phase::Firing;
        alert.fired_at = Some(now);
        alert.change += 1;
        let line = History {
            alert: id,
            at: now,
            what: What::Fired,
            who: String::new(),
            note: alert.facts.clone(),
        };
        self.log(line);
        self.touch(id);
        self.plan_first(rule, id, now);
        self.group(rule, id, now);
    }

    /// Plans the first messages of an alert and the steps for when nobody takes it.
    pub(super) fn plan_first(&mut self, rule: &Rule, id: u64, now: Micros) {
        let Some(alert) = self.alerts.get(&id) else {
            return;
        };
        let machines: Vec<_> = alert
            .machines
            .iter()
            .map(|m| self.machines.get(m))
            .collect();
        let whom = |tell: &[_]| targets(&self.config, tell, &machines);
        let person = |id: &str| self.config.people.iter().find(|person| person.id == id);
        let mut planned = Vec::new();
        for target in whom(&rule.tell) {
            let (due, why) = match rule.deliver {
                _ if rule.severity == Severity::Critical => (now, Why::First),
                Deliver::AtOnce => (now, Why::First),
                Deliver::Within { s } => {
                    let hold_us = when::hold_us(s, self.config.group_within_s);
                    (now.plus_us(hold_us), Why::First)
                }
                Deliver::Hourly => (when::next_hour(now), Why::Hourly),
                Deliver::Daily => {
                    let minute = self.config.daily_digest_minute;
                    (
                        when::next_daily(now, minute, person(&target.person)),
                        Why::Daily,
                    )
                }
            };
            planned.push(plan(target, due, why));
        }
        for (step, escalation) in (1..).zip(&rule.escalate) {
            let due = now.plus_us(escalation.after_s.saturating_mul(1_000_000));
            for target in whom(&escalation.tell) {
                planned.push(plan(target, due, Why::Escalation(step)));
            }
        }
        if let Some(alert) = self.alerts.get_mut(&id) {
            alert.planned.extend(planned);
        }
    }

    /// Ends an alert.
    pub(super) fn finish(&mut self, id: u64, by: By, who: &str, note: &str, now: Micros) {
        let Some(alert) = self.alerts.get_mut(&id).filter(|alert| alert.is_open()) else {
            return;
        };
        let was_waiting = alert.phase == Phase::Waiting;
        let was_told = alert.told > 0;
        act::end(alert, by, who, note, now);
        alert.change += 1;
        let (group, place) = (alert.group, super::place_of(alert));
        if let Some(place) = place {
            self.by_place.remove(&place);
            if !was_waiting {
                self.ended.insert(place, now);
            }
        }
        if was_waiting {
            self.alerts.remove(&id);
            self.touched_alerts.remove(&id);
            self.changes.history.retain(|line| line.alert != id);
            self.changes.removed.push(id);
            return;
        }
        self.log(History {
            alert: id,
            at: now,
            what: What::Resolved,
            who: who.to_owned(),
            note: note.to_owned(),
        });
        self.touch(id);
        if was_told {
            self.plan_end(id, now);
        }
        if let Some(group) = group {
            self.finish_group_when_empty(group, now);
        }
    }

    /// Tells the end to whom the beginning was told, where the rule says so.
    pub(super) fn plan_end(&mut self, id: u64, now: Micros) {
        let Some(rule) = self
            .alerts
            .get(&id)
            .and_then(|a| self.ready(&a.rule))
            .filter(|ready| ready.rule.tell_end)
            .cloned()
        else {
            return;
        };
        let Some(alert) = self.alerts.get(&id) else {
            return;
        };
        let machines: Vec<_> = alert
            .machines
            .iter()
            .map(|m| self.machines.get(m))
            .collect();
        let whom = targets(&self.config, &rule.rule.tell, &machines);
        let ends = whom
            .into_iter()
            .map(|target| plan(target, now, Why::Resolved));
        let ends: Vec<Planned> = ends.collect();
        if let Some(alert) = self.alerts.get_mut(&id) {
            alert.planned.extend(ends);
        }
    }
}

/// A message to a target.
pub(super) fn plan(target: Target, due: Micros, why: Why) -> Planned {
    Planned {
        due,
        why,
        person: target.person,
        channel: target.channel,
        to: target.to,
    }
}
