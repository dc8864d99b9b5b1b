//! What came too late to be an alert: history, and one summary of it at most a day.

use serde::{Deserialize, Serialize};
use wire::time::{DAY_US, MINUTE_US};
use wire::{Level, MachineId, Micros};

use super::Engine;
use crate::config::rule::Severity;
use crate::evaluate::Ready;
use crate::input::EntryFacts;
use crate::tell::recipients::targets;
use crate::tell::{Item, Outgoing, Subject, when};

/// The summary waits until nothing late came for so long: a backlog arrives in pieces.
const SETTLED_US: i64 = 5 * MINUTE_US;
/// But no longer than this.
const AT_MOST_US: i64 = 60 * MINUTE_US;
/// Machines and rules that a summary counts apart; more are one line.
const LINES_MAX: usize = 500;

/// Late entries of a rule and a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateCount {
    /// The rule's id.
    pub rule: String,
    /// Whose.
    pub machine: MachineId,
    /// How many.
    pub count: u64,
    /// The gravest.
    pub worst: Level,
    /// The first of them by their own time.
    pub from: Micros,
    /// The last of them by their own time.
    pub to: Micros,
    /// When the first came.
    pub began: Micros,
    /// When the last came.
    pub ended: Micros,
}

impl Engine {
    pub(super) fn count_late(&mut self, ready: &Ready, entry: &EntryFacts<'_>, now: Micros) {
        let late = &mut self.memory.late;
        let of = |l: &&mut LateCount| l.rule == ready.rule.id && l.machine == *entry.machine;
        if let Some(line) = late.iter_mut().find(of) {
            line.count += 1;
            line.worst = line.worst.max(entry.level);
            line.from = line.from.min(entry.event);
            line.to = line.to.max(entry.event);
            line.ended = now;
        } else if late.len() < LINES_MAX {
            late.push(LateCount {
                rule: ready.rule.id.clone(),
                machine: entry.machine.clone(),
                count: 1,
                worst: entry.level,
                from: entry.event,
                to: entry.event,
                began: now,
                ended: now,
            });
        }
        self.memory_changed = true;
    }

    /// Tells of late entries once nothing more comes.
    pub(super) fn summarise_late(&mut self, now: Micros) {
        let late = &self.memory.late;
        let (Some(began), Some(ended)) = (
            late.iter().map(|line| line.began).min(),
            late.iter().map(|line| line.ended).max(),
        ) else {
            return;
        };
        let told_lately = self
            .memory
            .late_told
            .is_some_and(|told| (0..DAY_US).contains(&now.since_us(told)));
        let settled = now.since_us(ended) >= SETTLED_US || now.since_us(began) >= AT_MOST_US;
        if told_lately || !settled {
            return;
        }
        let late = std::mem::take(&mut self.memory.late);
        self.memory.late_told = Some(now);
        self.memory_changed = true;
        let mut whom = Vec::new();
        for line in &late {
            let Some(ready) = self.ready(&line.rule) else {
                continue;
            };
            let machine = [self.machines.get(&line.machine)];
            for target in targets(&self.config, &ready.rule.tell, &machine) {
                if !whom.contains(&target) {
                    whom.push(target);
                }
            }
        }
        // A summary is no news: one address of each person is enough, and their quiet is kept.
        let mut seen = Vec::new();
        whom.retain(|target| {
            let is_new = !seen.contains(&target.person);
            seen.push(target.person.clone());
            is_new
        });
        let items: Vec<Item> = late.iter().map(|line| self.late_item(line)).collect();
        let mut machines: Vec<_> = late.iter().map(|line| line.machine.clone()).collect();
        machines.sort_unstable();
        machines.dedup();
        let count: u64 = late.iter().map(|line| line.count).sum();
        for target in whom {
            let person = self.person(&target.person);
            self.changes.outgoing.push(Outgoing {
                alert: None,
                change: 0,
                subject: Subject::LateEntries,
                timezone: person.map_or_else(String::new, |p| p.timezone.clone()),
                at: when::quiet_until(person, now).unwrap_or(now),
                person: target.person,
                channel: target.channel,
                to: target.to,
                severity: Severity::Info,
                issue: "Late entries".to_owned(),
                machines: machines.clone(),
                since: late.iter().map(|line| line.from).min().unwrap_or(now),
                facts: format!(
                    "{count} entries of {} machines came too late to be alerts",
                    machines.len()
                ),
                is_late: true,
                items: items.clone(),
            });
        }
    }

    fn late_item(&self, line: &LateCount) -> Item {
        let issue = self
            .ready(&line.rule)
            .map_or_else(|| line.rule.clone(), |ready| ready.rule.name.clone());
        Item {
            alert: None,
            machine: line.machine.clone(),
            issue,
            since: line.from,
            facts: format!("{} late, the gravest {}", line.count, line.worst.as_str()),
            count: line.count,
            is_over: true,
        }
    }
}
