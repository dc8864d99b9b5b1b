//! Plays stored entries again to a rule that is tried. The store hands them out by the time they are filed,
//! so they are put in the order of their arrival here, as they were judged, or would have been.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use ::alerts::config::condition::Condition;
use ::alerts::config::filter::{Filter, Matcher};
use ::alerts::config::rule::Rule;
use ::alerts::trial::{Outcome, Trial};
use ::alerts::{EntryFacts, MachineNow};
use store::{EntryQuery, Order, Store, StoreError, StoredEntry};
use wire::time::HOUR_US;
use wire::{MachineId, Micros};

/// Entries that the rule is about that are played, the newest: more are too much memory (about 50 MB).
const PLAYED_MAX: usize = 50_000;
/// Reading may take so long, and playing as long again: somebody waits.
const BUDGET: Duration = Duration::from_secs(8);
/// Entries that are read between two looks at the time.
const LOOK_EVERY: u64 = 1_000;

/// What a rule would have done.
#[derive(Debug)]
pub struct Tried {
    /// What was found.
    pub outcome: Outcome,
    /// Entries that were looked at.
    pub entries: u64,
    /// The time that was looked at.
    pub from: Micros,
    /// Its end.
    pub to: Micros,
}

/// Tries a rule, whose filters can be used, on what was filed in this time. `None` when its kind cannot be
/// tried.
///
/// # Errors
/// The store failed.
pub fn run(
    store: &Store,
    rule: Rule,
    mut machines: Vec<MachineNow>,
    (from, to): (Micros, Micros),
) -> Result<Option<Tried>, StoreError> {
    let Some(filters) = filters(&rule) else {
        return Ok(None);
    };
    machines.retain(|machine| rule.scope.has(&machine.id, Some(machine)));
    let mut found = Found {
        entries: Vec::new(),
        looked_at: 0,
        from,
    };
    if !machines.is_empty() {
        found.read(store, query(&filters, &rule, &machines, from), &filters)?;
    }
    found
        .entries
        .sort_by_key(|entry| (entry.received_at, entry.epoch, entry.seq));
    // A machine of which there is nothing does nothing.
    let there: HashSet<&MachineId> = found.entries.iter().map(|e| &e.machine_id).collect();
    machines.retain(|machine| there.contains(&machine.id));
    let first = found.entries.first().map(|entry| entry.received_at);
    let begin = first.map_or(found.from, |first| first.min(found.from));
    let Some(trial) = Trial::new(rule, machines, begin) else {
        return Ok(None);
    };
    let (outcome, to) = play(trial, &found.entries, begin, to);
    Ok(Some(Tried {
        outcome,
        entries: found.looked_at,
        from: found.from,
        to,
    }))
}

/// Which entries a rule is about; `None` for a kind that is not judged by entries.
fn filters(rule: &Rule) -> Option<Vec<&Filter>> {
    match &rule.when {
        Condition::Entries { filter, .. }
        | Condition::Value { filter, .. }
        | Condition::None { filter, .. } => Some(vec![filter]),
        Condition::Stays { begins, ends } => Some(vec![begins, ends]),
        Condition::Silence { .. }
        | Condition::Flapping { .. }
        | Condition::Gap { .. }
        | Condition::Budget { .. } => None,
    }
}

/// Asks the store for as little as can be.
fn query(filters: &[&Filter], rule: &Rule, machines: &[MachineNow], from: Micros) -> EntryQuery {
    let is_everywhere = rule.scope == Default::default();
    let levels: Option<Vec<_>> = filters.iter().map(|filter| filter.level).collect();
    let in_some = filters.iter().all(|filter| !filter.components.is_empty());
    let mut components: Vec<String> = Vec::new();
    if in_some {
        components.extend(filters.iter().flat_map(|filter| filter.components.clone()));
    }
    EntryQuery {
        machines: if is_everywhere {
            Vec::new()
        } else {
            machines.iter().map(|machine| machine.id.clone()).collect()
        },
        min_level: levels.and_then(|levels| levels.into_iter().min_by_key(|level| level.as_u8())),
        components,
        from: Some(from),
        ..EntryQuery::default()
    }
}

/// What was found to be played.
struct Found {
    entries: Vec<StoredEntry>,
    looked_at: u64,
    /// From when on all of it was found.
    from: Micros,
}

impl Found {
    /// The newest first, so that what is left out is the oldest.
    fn read(
        &mut self,
        store: &Store,
        query: EntryQuery,
        filters: &[&Filter],
    ) -> Result<(), StoreError> {
        let matchers: Vec<Matcher> = filters
            .iter()
            .filter_map(|filter| Matcher::new(filter).ok())
            .collect();
        let started = Instant::now();
        for entry in store.entries(query, Order::Desc) {
            let entry = entry?;
            self.looked_at += 1;
            let is_late = self.looked_at.is_multiple_of(LOOK_EVERY) && started.elapsed() > BUDGET;
            if is_late || self.entries.len() >= PLAYED_MAX {
                self.from = entry.filed_at;
                return Ok(());
            }
            if matchers
                .iter()
                .any(|matcher| matcher.matches(&facts(&entry, &String::new)))
            {
                self.entries.push(entry);
            }
        }
        Ok(())
    }
}

/// Plays in steps of an hour at most, to be able to end between them; answers how far it came.
fn play(mut trial: Trial, entries: &[StoredEntry], begin: Micros, to: Micros) -> (Outcome, Micros) {
    let started = Instant::now();
    let mut clock = begin;
    let ends = entries
        .iter()
        .map(|entry| (entry.received_at, Some(entry)))
        .chain([(to, None)]);
    for (at, entry) in ends {
        while clock.plus_us(HOUR_US) < at {
            clock = clock.plus_us(HOUR_US);
            trial.pass(clock);
            if started.elapsed() > BUDGET {
                return (trial.finish(clock), clock);
            }
        }
        if let Some(entry) = entry {
            let id = || entry.id.clone();
            trial.entry(&facts(entry, &id));
        }
        clock = clock.max(at);
        if started.elapsed() > BUDGET {
            return (trial.finish(clock), clock);
        }
    }
    (trial.finish(to), to)
}

fn facts<'a>(entry: &'a StoredEntry, id: &'a dyn Fn() -> String) -> EntryFacts<'a> {
    EntryFacts {
        machine: &entry.machine_id,
        id,
        level: entry.level,
        component: &entry.component,
        message: &entry.message,
        template: &entry.template,
        context: &entry.context,
        event: entry.filed_at,
        arrival: entry.received_at,
        by_cell: entry.wifi_at.is_none(),
    }
}
