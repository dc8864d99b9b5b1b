//! Many machines that fail the same rule together are one alert that lists them. What of theirs was not
//! told yet is told by it; a critical alert's own first message is never held back.

use wire::Micros;

use super::Engine;
use super::raise::plan;
use crate::config::rule::{Deliver, Rule, Severity};
use crate::life::{Alert, AlertKind, By, History, Phase, Planned, What, Why};
use crate::tell::recipients::targets;

/// Machines named in a group's words; the alert itself lists all.
const NAMED: usize = 10;
/// A group of a rule that tells at once waits so long for others to join before it is told.
const GATHER_US: i64 = 60 * 1_000_000;

impl Engine {
    /// Sees whether an alert that fires now is one of many.
    pub(super) fn group(&mut self, rule: &Rule, id: u64, now: Micros) {
        let within_us = self.config.group_within_s.saturating_mul(1_000_000);
        let fires = |alert: &&Alert| {
            alert.rule == rule.id && alert.kind == AlertKind::Machine && alert.is_firing()
        };
        let open_group = self
            .alerts
            .values()
            .rev()
            .find(|alert| {
                // One that is taken or silenced speaks for nobody new.
                alert.rule == rule.id
                    && alert.kind == AlertKind::Group
                    && alert.is_firing()
                    && alert.silenced_until.is_none()
                    && now.since_us(alert.last_at) <= within_us
            })
            .map(|group| group.id);
        if let Some(group) = open_group {
            self.join(rule, group, &[id], now);
            self.tell_growth(rule, group, now);
            return;
        }
        let together: Vec<u64> = self
            .alerts
            .values()
            .filter(fires)
            .filter(|alert| alert.group.is_none())
            .filter(|alert| {
                alert
                    .fired_at
                    .is_some_and(|at| now.since_us(at) <= within_us)
            })
            .map(|alert| alert.id)
            .collect();
        let mut machines: Vec<_> = together
            .iter()
            .filter_map(|id| self.alerts.get(id)?.machines.first())
            .collect();
        machines.sort_unstable();
        machines.dedup();
        if machines.len() < self.config.group_at.max(2) {
            return;
        }
        let alert = Alert {
            id: self.next_id(),
            rule: rule.id.clone(),
            issue: rule.name.clone(),
            severity: rule.severity,
            kind: AlertKind::Group,
            machines: Vec::new(),
            part: String::new(),
            log_id: None,
            phase: Phase::Firing,
            since: now,
            raised_at: now,
            fired_at: Some(now),
            last_at: now,
            count: 0,
            facts: String::new(),
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
        let group = alert.id;
        self.add(alert, What::Fired, now);
        let soonest = together
            .iter()
            .filter_map(|id| self.alerts.get(id))
            .flat_map(|alert| &alert.planned)
            .filter(|planned| planned.why == Why::First)
            .map(|planned| planned.due)
            .min();
        self.join(rule, group, &together, now);
        // The members of a critical rule have told themselves, and those of a digest stand in it.
        if rule.severity != Severity::Critical {
            self.plan_first(rule, group, now);
            self.leave_to_the_digest(group);
            let due = soonest.unwrap_or(now).max(now.plus_us(GATHER_US));
            if let Some(group) = self.alerts.get_mut(&group) {
                for planned in &mut group.planned {
                    if planned.why == Why::First {
                        planned.due = due;
                    }
                }
            }
        }
    }

    fn join(&mut self, rule: &Rule, group: u64, members: &[u64], now: Micros) {
        let mut joined = Vec::new();
        for id in members {
            let Some(alert) = self.alerts.get_mut(id) else {
                continue;
            };
            alert.group = Some(group);
            if rule.severity != Severity::Critical {
                let goes_on = |why: Why| matches!(why, Why::Hourly | Why::Daily);
                alert.planned.retain(|planned| goes_on(planned.why));
            }
            joined.extend(alert.machines.iter().cloned().map(|m| (m, alert.since)));
            self.touch(*id);
            self.log(History {
                alert: *id,
                at: now,
                what: What::Grouped,
                who: String::new(),
                note: format!("alert {group} speaks for it"),
            });
        }
        let Some(alert) = self.alerts.get_mut(&group) else {
            return;
        };
        for (machine, since) in joined {
            alert.since = alert.since.min(since);
            if !alert.machines.contains(&machine) {
                alert.machines.push(machine);
            }
        }
        alert.last_at = now;
        alert.count = alert.machines.len() as u64;
        alert.facts = words(alert);
        self.touch(group);
    }

    /// Tells of machines that joined to whom nothing of the group is planned: those who were told before,
    /// and the owners of the new machines; together with what follows at once.
    fn tell_growth(&mut self, rule: &Rule, group: u64, now: Micros) {
        if rule.severity == Severity::Critical {
            return;
        }
        let Some(alert) = self.alerts.get(&group) else {
            return;
        };
        let machines = alert.machines.iter().map(|m| self.machines.get(m));
        let machines: Vec<_> = machines.collect();
        let mut whom = targets(&self.config, &rule.tell, &machines);
        whom.retain(|target| {
            let is_first_to = |planned: &Planned| {
                planned.why == Why::First
                    && (&planned.person, &planned.channel) == (&target.person, &target.channel)
            };
            !alert.planned.iter().any(is_first_to)
        });
        if whom.is_empty() || matches!(rule.deliver, Deliver::Hourly | Deliver::Daily) {
            return;
        }
        if let Some(alert) = self.alerts.get_mut(&group) {
            alert.change += 1;
            let due = now.plus_us(GATHER_US);
            let told = whom.into_iter().map(|target| plan(target, due, Why::First));
            alert.planned.extend(told);
        }
    }

    /// What is told in digests stands there machine by machine; only the steps are the group's.
    fn leave_to_the_digest(&mut self, group: u64) {
        if let Some(group) = self.alerts.get_mut(&group) {
            let is_digest = |why: Why| matches!(why, Why::Hourly | Why::Daily);
            group.planned.retain(|planned| !is_digest(planned.why));
        }
    }

    /// Ends a group when none of its members is open.
    pub(super) fn finish_group_when_empty(&mut self, group: u64, now: Micros) {
        let has_open = self
            .alerts
            .values()
            .any(|alert| alert.group == Some(group) && alert.is_open());
        if !has_open {
            self.finish(group, By::Itself, "", "it is over on all machines", now);
        }
    }
}

fn words(alert: &Alert) -> String {
    let names: Vec<&str> = alert
        .machines
        .iter()
        .take(NAMED)
        .map(|m| m.as_str())
        .collect();
    let more = alert.machines.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let count = alert.machines.len();
    format!("{count} machines together: {}{more}", names.join(", "))
}
