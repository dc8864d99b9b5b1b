//! Messages whose time has come. What must wait (quiet hours, silence, maintenance) is put off; what is
//! of no use any more is dropped.

use std::collections::BTreeMap;

use wire::Micros;
use wire::time::{DAY_US, MINUTE_US};

use super::Engine;
use super::raise::plan;
use crate::config::people::Person;
use crate::config::rule::{Deliver, Severity};
use crate::life::{Alert, AlertKind, History, Phase, Planned, What, Why};
use crate::tell::recipients::targets;
use crate::tell::when;
use crate::tell::{Item, Outgoing, Subject};

/// Repeats of an alert at the rule's pace.
const REPEATS_MAX: u32 = 48;

/// An alert that was given back, of a rule that does not repeat, is told again after this: long enough to
/// take a slip of the finger back.
const GIVEN_BACK_US: i64 = 5 * MINUTE_US;

/// A first message that went later than this after its time was held back.
const HELD_US: i64 = MINUTE_US;

/// The alerts of a digest by whom and how it is told.
type Digests = BTreeMap<(String, String, String, bool), Vec<u64>>;

impl Engine {
    /// Hands out every message that is due. What has to wait stays as it is, so that it goes as soon as
    /// what holds it ends, however that comes.
    pub(super) fn send_due(&mut self, now: Micros) {
        let due: Vec<u64> = self
            .alerts
            .values()
            .filter(|alert| alert.planned.iter().any(|planned| planned.due <= now))
            .map(|alert| alert.id)
            .collect();
        let mut digests = Digests::new();
        for id in due {
            let Some(alert) = self.alerts.get_mut(&id) else {
                continue;
            };
            // Steps count from the first message: they are not looked at before it is out.
            let is_first = |planned: &Planned| planned.why == Why::First;
            let is_untold = alert.told == 0 && alert.planned.iter().any(is_first);
            let (ready, later): (Vec<_>, Vec<_>) = std::mem::take(&mut alert.planned)
                .into_iter()
                .partition(|planned| {
                    let is_step = matches!(planned.why, Why::Escalation(_));
                    planned.due <= now && !(is_step && is_untold)
                });
            alert.planned = later;
            for planned in ready {
                self.send(id, planned, &mut digests, now);
            }
        }
        for ((person, channel, to, is_daily), alerts) in digests {
            self.send_digest((person, channel, to), is_daily, &alerts, now);
        }
    }

    fn send(&mut self, id: u64, planned: Planned, digests: &mut Digests, now: Micros) {
        let Some(alert) = self.alerts.get(&id) else {
            return;
        };
        if !is_of_use(alert, planned.why) {
            self.touch(id);
            return;
        }
        if self.has_to_wait(alert, &planned, now) {
            if let Some(alert) = self.alerts.get_mut(&id) {
                alert.planned.push(planned);
            }
            return;
        }
        self.touch(id);
        if matches!(planned.why, Why::Hourly | Why::Daily) {
            let is_daily = planned.why == Why::Daily;
            let key = (planned.person, planned.channel, planned.to, is_daily);
            digests.entry(key).or_default().push(id);
            return;
        }
        self.shift_steps(id, &planned, now);
        self.hand_out(id, &planned, now);
        self.plan_repeat(id, planned, now);
    }

    /// Steps count from when the first of the first messages went: one that was held back for hours leaves
    /// people their time to answer. A step is a change of its own, as it may tell the same people again.
    fn shift_steps(&mut self, id: u64, sent: &Planned, now: Micros) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        if matches!(sent.why, Why::Escalation(_)) {
            alert.change += 1;
        }
        let held_us = now.since_us(sent.due);
        let is_news = sent.why == Why::First && alert.told == 0;
        if is_news && held_us > HELD_US {
            for planned in &mut alert.planned {
                if matches!(planned.why, Why::Escalation(_)) {
                    planned.due = planned.due.plus_us(held_us);
                }
            }
        }
    }

    /// Whether something holds a message back.
    fn has_to_wait(&self, alert: &Alert, planned: &Planned, now: Micros) -> bool {
        let is_worked_on = when::maintenance_until(&self.config, &alert.machines, now).is_some();
        let is_silenced = alert.silenced_until.is_some_and(|until| until > now);
        let is_first = matches!(planned.why, Why::First | Why::Escalation(_));
        let is_urgent = alert.severity == Severity::Critical && is_first;
        let is_quiet = !is_urgent && when::quiet_until(self.person(&planned.person), now).is_some();
        is_worked_on || is_silenced || is_quiet
    }

    pub(super) fn person(&self, id: &str) -> Option<&Person> {
        self.config.people.iter().find(|person| person.id == id)
    }

    fn hand_out(&mut self, id: u64, planned: &Planned, now: Micros) {
        let timezone = self
            .person(&planned.person)
            .map_or_else(String::new, |person| person.timezone.clone());
        let items = self.members(id);
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        alert.told += 1;
        let many = alert.kind != AlertKind::Machine;
        let subject = if many {
            Subject::Group(planned.why)
        } else {
            Subject::Alert(planned.why)
        };
        let outgoing = Outgoing {
            alert: Some(id),
            change: alert.change,
            subject,
            person: planned.person.clone(),
            channel: planned.channel.clone(),
            to: planned.to.clone(),
            timezone,
            at: now,
            severity: alert.severity,
            issue: alert.issue.clone(),
            machines: alert.machines.clone(),
            since: alert.since,
            facts: alert.facts.clone(),
            is_late: alert.is_late,
            items,
        };
        self.changes.outgoing.push(outgoing);
        self.touch(id);
        self.log(History {
            alert: id,
            at: now,
            what: What::Told,
            who: planned.person.clone(),
            note: planned.channel.clone(),
        });
    }

    /// The members of a group as lines; of another alert none.
    fn members(&self, id: u64) -> Vec<Item> {
        self.alerts
            .values()
            .filter(|alert| alert.group == Some(id))
            .filter_map(item)
            .collect()
    }

    fn plan_repeat(&mut self, id: u64, planned: Planned, now: Micros) {
        let n = match planned.why {
            Why::First | Why::Escalation(_) => 1,
            Why::Repeat(n) => n + 1,
            _ => return,
        };
        let Some(alert) = self.alerts.get(&id) else {
            return;
        };
        let every_s = self
            .ready(&alert.rule)
            .map_or(0, |ready| ready.rule.repeat_s);
        if every_s <= 0 {
            return;
        }
        // Beyond that once a day: nobody reads the fiftieth of an hour, and somebody has to in the end.
        let every_us = every_s.saturating_mul(1_000_000);
        let every_us = if n > REPEATS_MAX {
            every_us.max(DAY_US)
        } else {
            every_us
        };
        if let Some(alert) = self.alerts.get_mut(&id) {
            alert.change += 1;
            alert.planned.push(Planned {
                due: now.plus_us(every_us),
                why: Why::Repeat(n),
                ..planned
            });
        }
    }

    /// Plans for an alert that was given back: those told are told again, and the steps begin anew.
    pub(super) fn plan_again(&mut self, id: u64, now: Micros) {
        let Some(alert) = self.alerts.get(&id) else {
            return;
        };
        let Some(ready) = self.ready(&alert.rule).cloned() else {
            return;
        };
        let machines: Vec<_> = alert
            .machines
            .iter()
            .map(|m| self.machines.get(m))
            .collect();
        let whom = |tell: &[_]| targets(&self.config, tell, &machines);
        let repeat_us = Some(ready.rule.repeat_s.saturating_mul(1_000_000));
        let wait_us = repeat_us.filter(|us| *us > 0).unwrap_or(GIVEN_BACK_US);
        let is_told_at_once = !matches!(ready.rule.deliver, Deliver::Hourly | Deliver::Daily);
        let mut planned = Vec::new();
        if is_told_at_once {
            let again = whom(&ready.rule.tell).into_iter();
            planned.extend(again.map(|target| plan(target, now.plus_us(wait_us), Why::Repeat(1))));
        }
        for (step, escalation) in (1..).zip(&ready.rule.escalate) {
            let due = now.plus_us(escalation.after_s.saturating_mul(1_000_000));
            let next = whom(&escalation.tell).into_iter();
            planned.extend(next.map(|target| plan(target, due, Why::Escalation(step))));
        }
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        let is_news = |why: Why| matches!(why, Why::First | Why::Repeat(_) | Why::Escalation(_));
        alert.planned.retain(|planned| !is_news(planned.why));
        alert.change += 1;
        alert.planned.extend(planned);
    }

    fn send_digest(
        &mut self,
        (person, channel, to): (String, String, String),
        is_daily: bool,
        ids: &[u64],
        now: Micros,
    ) {
        let alerts: Vec<&Alert> = ids.iter().filter_map(|id| self.alerts.get(id)).collect();
        let items: Vec<Item> = alerts.iter().filter_map(|alert| item(alert)).collect();
        let Some(severity) = alerts.iter().map(|alert| alert.severity).max() else {
            return;
        };
        let mut issues: Vec<&str> = alerts.iter().map(|alert| alert.issue.as_str()).collect();
        issues.sort_unstable();
        issues.dedup();
        let mut machines: Vec<_> = alerts.iter().flat_map(|a| a.machines.clone()).collect();
        machines.sort_unstable();
        machines.dedup();
        let timezone = self
            .person(&person)
            .map_or_else(String::new, |p| p.timezone.clone());
        let outgoing = Outgoing {
            alert: None,
            change: 0,
            subject: if is_daily {
                Subject::DailyDigest
            } else {
                Subject::HourlyDigest
            },
            at: now,
            severity,
            issue: issues.join(", "),
            since: alerts.iter().map(|a| a.since).min().unwrap_or(now),
            facts: format!("{} alerts of {} machines", alerts.len(), machines.len()),
            machines,
            is_late: false,
            items,
            person: person.clone(),
            channel: channel.clone(),
            to,
            timezone,
        };
        self.changes.outgoing.push(outgoing);
        for &id in ids {
            if let Some(alert) = self.alerts.get_mut(&id) {
                alert.told += 1;
            }
            self.log(History {
                alert: id,
                at: now,
                what: What::Told,
                who: person.clone(),
                note: channel.clone(),
            });
        }
    }
}

/// Whether a message still says what is so.
fn is_of_use(alert: &Alert, why: Why) -> bool {
    match why {
        Why::First | Why::Repeat(_) | Why::Escalation(_) => alert.phase == Phase::Firing,
        Why::Resolved => alert.phase == Phase::Resolved,
        Why::Hourly | Why::Daily => true,
    }
}

fn item(alert: &Alert) -> Option<Item> {
    Some(Item {
        alert: Some(alert.id),
        machine: alert.machines.first()?.clone(),
        issue: alert.issue.clone(),
        since: alert.since,
        facts: alert.facts.clone(),
        count: alert.count,
        is_over: !alert.is_open(),
    })
}
