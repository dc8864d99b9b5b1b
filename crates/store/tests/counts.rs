//! Counts come from rollups, and are what counting the entries would give.

mod support;

use std::time::Duration;

use store::{EntryQuery, Histogram, Order, PathKind, Store, StoredEntry};
use support::{AMPLE, NOON, Place, all, batch, entry, everything, id, key_of, machine};
use wire::{Heartbeat, Level, Micros};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Three machines over four days, dense in the last hours; received a minute after noon.
fn fill(store: &Store) {
    for (place, name) in ["VM001", "VM002", "VM003"].into_iter().enumerate() {
        let mut recent = batch(name, 1, 1..=900);
        for (n, entry) in recent.entries.iter_mut().enumerate() {
            entry.timestamp = NOON.plus_us(-(n as i64) * (place as i64 + 1) * 19_700_000);
        }
        store.append_wait(recent).unwrap();
        let mut old = batch(name, 2, 1..=300);
        for (n, entry) in old.entries.iter_mut().enumerate() {
            entry.timestamp = NOON.plus_us(-DAY * 2 - (n as i64) * 571 * 1_000_000);
        }
        store.append_wait(old).unwrap();
    }
}

fn counted(entries: &[StoredEntry], query: &EntryQuery, histogram: &Histogram) -> Vec<[u64; 5]> {
    let mut bins = vec![[0; 5]; histogram.bins.len()];
    for entry in entries {
        let wanted = (query.machines.is_empty() || query.machines.contains(&entry.machine_id))
            && query.min_level.is_none_or(|level| entry.level >= level)
            && (query.components.is_empty() || query.components.contains(&entry.component))
            && query.from.is_none_or(|from| entry.filed_at >= from)
            && query.to.is_none_or(|to| entry.filed_at < to)
            && (query.q.is_empty() || entry.message.to_lowercase().contains(&query.q));
        if wanted {
            let bin = entry
                .filed_at
                .since_us(histogram.from)
                .div_euclid(histogram.step_us);
            bins[bin as usize][entry.level.as_u8() as usize] += 1;
        }
    }
    bins
}

#[test]
fn a_histogram_is_the_same_as_counting() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    fill(&store);
    let entries = all(&store, &everything(), Order::Desc, 1_000);
    let odd = 1_234_567;
    let ranges = [
        (None, None),
        (Some(NOON.plus_us(-DAY)), Some(NOON)),
        (
            Some(NOON.plus_us(-3 * HOUR + odd)),
            Some(NOON.plus_us(-odd)),
        ),
        (Some(NOON.plus_us(-30 * MINUTE)), None),
        (
            Some(NOON.plus_us(-40_000_000)),
            Some(NOON.plus_us(-2_000_000)),
        ),
        (
            Some(NOON.plus_us(-3 * DAY + odd)),
            Some(NOON.plus_us(-2 * DAY - odd)),
        ),
        (
            Some(NOON.plus_us(-2 * DAY - HOUR)),
            Some(NOON.plus_us(-2 * DAY)),
        ),
    ];
    let mut sum = 0;
    for (from, to) in ranges {
        for machines in [vec![], vec![id("VM002")], vec![id("VM001"), id("VM003")]] {
            for components in [vec![], vec!["payment".to_owned(), "usb".to_owned()]] {
                for (min_level, q) in [(None, ""), (Some(Level::Warn), ""), (None, "timeout")] {
                    let (machines, components) = (machines.clone(), components.clone());
                    let query = EntryQuery {
                        machines,
                        min_level,
                        components,
                        from,
                        to,
                        q: q.to_owned(),
                    };
                    for bins in [1, 7, 60] {
                        let found = store.histogram(&query, bins, NOON, AMPLE).unwrap();
                        assert!(
                            found.bins.len() <= bins && found.exact,
                            "{bins} of {query:?}"
                        );
                        assert_eq!(found.bins, counted(&entries, &query, &found), "{query:?}");
                        sum += found.bins.iter().flatten().sum::<u64>();
                    }
                }
            }
        }
    }
    assert!(sum > 10_000, "the ranges must hold entries");
}

#[test]
fn a_spent_budget_is_said() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    fill(&store);
    let query = EntryQuery {
        q: "timeout".to_owned(),
        ..everything()
    };
    let found = store.histogram(&query, 10, NOON, Duration::ZERO).unwrap();
    assert!(!found.exact);
    let rolled = store
        .histogram(&everything(), 10, NOON, Duration::ZERO)
        .unwrap();
    assert_eq!(
        rolled.bins.iter().flatten().sum::<u64>(),
        store.total_entries().unwrap()
    );
}

#[test]
fn an_empty_store_and_odd_ranges_have_a_histogram_too() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    for (from, to) in [
        (None, None),
        (Some(NOON), Some(NOON)),
        (Some(NOON), Some(Micros(0))),
        (Some(Micros(i64::MIN)), Some(Micros(i64::MAX))),
    ] {
        let query = EntryQuery {
            from,
            to,
            ..everything()
        };
        for bins in [0, 1, 60, 100_000] {
            let found = store.histogram(&query, bins, NOON, AMPLE).unwrap();
            assert!(
                (1..=2_000).contains(&found.bins.len()),
                "{} bins",
                found.bins.len()
            );
            assert_eq!(found.bins.iter().flatten().sum::<u64>(), 0);
        }
    }
}

#[test]
fn the_facts_of_the_fleet_are_what_counting_gives() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    fill(&store);
    store
        .add_machine(&machine("SILENT"), &key_of("SILENT", "s", NOON))
        .unwrap();
    let entries = all(&store, &everything(), Order::Desc, 1_000);
    for now in [
        NOON,
        NOON.plus_us(17 * MINUTE + 31_000_000),
        NOON.plus_us(5 * HOUR),
    ] {
        let facts = store.fleet_facts(now).unwrap();
        assert_eq!(facts.len(), 4);
        for fact in &facts {
            assert_eq!(*fact, store.machine_facts(&fact.machine.id, now).unwrap());
            let count = |from: i64| {
                let mut counts = [0u64; 5];
                entries
                    .iter()
                    .filter(|e| e.machine_id == fact.machine.id && e.filed_at.0 >= from)
                    .for_each(|e| counts[e.level.as_u8() as usize] += 1);
                counts
            };
            let minute = now.0.div_euclid(MINUTE) * MINUTE;
            assert_eq!(
                fact.last_hour,
                count(minute - 59 * MINUTE),
                "{}",
                fact.machine.id
            );
            let yesterday = (now.0 - DAY).div_euclid(MINUTE) * MINUTE + MINUTE;
            assert_eq!(fact.last_day, count(yesterday), "{}", fact.machine.id);
            let hour = now.0.div_euclid(HOUR) * HOUR;
            assert_eq!(fact.hours.len(), 24);
            let mut sum = [0; 5];
            for hours in &fact.hours {
                (0..5).for_each(|level| sum[level] += hours[level]);
            }
            assert_eq!(sum, count(hour - 23 * HOUR));
            let newest = |level: Level| {
                entries
                    .iter()
                    .filter(|e| e.machine_id == fact.machine.id && e.level == level)
                    .find(|e| e.filed_at.0 >= now.0 - HOUR)
                    .map(|e| (e.filed_at, e.component.clone(), e.message.clone()))
            };
            assert_eq!(fact.last_error, newest(Level::Error));
            assert_eq!(fact.last_critical, newest(Level::Critical));
        }
    }
}

#[test]
fn contacts_are_kept_per_path_and_never_go_back() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let at = |minutes: i64| NOON.plus_us(minutes * MINUTE);
    let mut new = batch("VM001", 1, 1..=5);
    (new.path, new.received_at) = (PathKind::Cell, at(1));
    store.append_wait(new.clone()).unwrap();
    (new.path, new.received_at) = (PathKind::Wifi, at(3));
    store.append_wait(new.clone()).unwrap();
    new.received_at = at(2);
    store.append_wait(new).unwrap();
    let facts = store.machine_facts(&id("VM001"), at(4)).unwrap();
    assert_eq!(
        (facts.last_wifi, facts.last_cell, facts.heartbeat),
        (Some(at(3)), Some(at(1)), None)
    );

    let mut beat = Heartbeat::new(id("VM001"));
    beat.cpu_temperature_c = Some(54.3);
    beat.uptime_s = Some(86_400);
    store.record_heartbeat(&beat, at(5)).unwrap();
    store
        .record_heartbeat(&Heartbeat::new(id("VM001")), at(4))
        .unwrap();
    let facts = store.machine_facts(&id("VM001"), at(6)).unwrap();
    assert_eq!(facts.last_wifi, Some(at(5)));
    assert_eq!(
        facts.heartbeat,
        Some((at(5), beat)),
        "an older one does not replace it"
    );
    let unknown = store.record_heartbeat(&Heartbeat::new(id("NOBODY")), at(5));
    assert_eq!(unknown, Err(store::StoreError::NoSuchMachine(id("NOBODY"))));
}

#[test]
fn components_are_listed_by_machine_and_over_all() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002"]);
    for (name, component) in [("VM001", "motor"), ("VM001", "door"), ("VM002", "payment")] {
        let mut new = batch(name, 1, []);
        new.epoch = None;
        new.entries = vec![entry(1, NOON, Level::Info, component, "x")];
        store.append_wait(new).unwrap();
    }
    assert_eq!(store.components(&[]).unwrap(), ["door", "motor", "payment"]);
    assert_eq!(store.components(&[id("VM001")]).unwrap(), ["door", "motor"]);
    assert_eq!(
        store.components(&[id("NOBODY")]).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn a_clock_of_ours_that_ran_ahead_for_a_while_costs_no_minutes() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(batch("VM001", 1, 1..=50)).unwrap();
    let minutes = || {
        let counted = store.histogram(&everything(), 100, NOON, AMPLE).unwrap();
        assert_eq!(counted.step_us, MINUTE);
        counted.bins.iter().flatten().sum::<u64>()
    };
    let before = minutes();
    let mut ahead = batch("VM001", 1, 51..=51);
    ahead.received_at = NOON.plus_us(5 * DAY);
    store.append_wait(ahead).unwrap();
    assert!(minutes() >= before, "{} of {before}", minutes());
}
