//! Pages: both ways, over machines and days, with equal times, while entries come in.

mod support;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::{EntryQuery, NewEntries, Order, PageRequest, Store, StoreError, StoredEntry};
use support::{AMPLE, NOON, Place, all, batch, entry, everything, id};
use wire::Level;

const HOUR: i64 = 3_600_000_000;

/// Entries of three machines over three days, many at the same instant.
fn fill(store: &Store) -> usize {
    let mut count = 0;
    for (place, name) in ["VM001", "VM002", "VM003"].into_iter().enumerate() {
        for epoch in [1, 2] {
            let mut new: NewEntries = batch(name, epoch, 1..=150);
            for (index, entry) in new.entries.iter_mut().enumerate() {
                let step = (index as i64 / 3) * (17 + place as i64) * 60_000_000;
                entry.timestamp = NOON.plus_us(-50 * HOUR + step);
            }
            count += new.entries.len();
            store.append_wait(new).unwrap();
        }
    }
    count
}

fn place_of(entry: &StoredEntry) -> (i64, Option<u64>, Option<u64>) {
    (entry.filed_at.0, entry.epoch, entry.seq)
}

#[test]
fn pages_of_any_size_put_together_are_everything_in_order() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    let count = fill(&store);
    let asc = all(&store, &everything(), Order::Asc, 1_000);
    assert_eq!(asc.len(), count);
    assert!(
        asc.windows(2)
            .all(|pair| place_of(&pair[0]) <= place_of(&pair[1])),
        "in order"
    );
    for limit in [1, 7, 100] {
        assert_eq!(
            all(&store, &everything(), Order::Asc, limit),
            asc,
            "by {limit}"
        );
        let mut desc = all(&store, &everything(), Order::Desc, limit);
        desc.reverse();
        assert_eq!(desc, asc, "backwards by {limit}");
    }
}

#[test]
fn filters_give_the_same_as_picking_from_everything() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    fill(&store);
    let everything = all(&store, &everything(), Order::Desc, 1_000);
    let (from, to) = (NOON.plus_us(-30 * HOUR), NOON.plus_us(-20 * HOUR));
    for machines in [
        vec![],
        vec!["VM002"],
        vec!["VM003", "VM001"],
        vec!["NOBODY"],
    ] {
        for min_level in [
            None,
            Some(Level::Info),
            Some(Level::Warn),
            Some(Level::Critical),
        ] {
            for components in [vec![], vec!["payment"], vec!["usb", "door"]] {
                for range in [(None, None), (Some(from), Some(to)), (Some(to), None)] {
                    let query = EntryQuery {
                        machines: machines.iter().map(|name| id(name)).collect(),
                        min_level,
                        components: components.iter().map(|name| name.to_string()).collect(),
                        from: range.0,
                        to: range.1,
                        q: String::new(),
                    };
                    let wanted: Vec<_> = everything
                        .iter()
                        .filter(|entry| {
                            (machines.is_empty() || machines.contains(&entry.machine_id.as_str()))
                                && min_level.is_none_or(|level| entry.level >= level)
                                && (components.is_empty()
                                    || components.contains(&entry.component.as_str()))
                                && range.0.is_none_or(|from| entry.filed_at >= from)
                                && range.1.is_none_or(|to| entry.filed_at < to)
                        })
                        .cloned()
                        .collect();
                    assert_eq!(all(&store, &query, Order::Desc, 50), wanted, "{query:?}");
                    let mut asc = all(&store, &query, Order::Asc, 33);
                    asc.reverse();
                    assert_eq!(asc, wanted, "ascending {query:?}");
                }
            }
        }
    }
}

#[test]
fn warnings_of_many_machines_come_merged() {
    let names: Vec<String> = (0..20).map(|n| format!("M{n:02}")).collect();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let place = Place::new();
    let store = place.with_machines(&refs);
    for name in &refs {
        store.append_wait(batch(name, 1, 1..=60)).unwrap();
    }
    let query = EntryQuery {
        min_level: Some(Level::Warn),
        ..everything()
    };
    let found = all(&store, &query, Order::Desc, 37);
    let wanted: Vec<_> = all(&store, &everything(), Order::Desc, 1_000)
        .into_iter()
        .filter(|entry| entry.level >= Level::Warn)
        .collect();
    assert_eq!(found, wanted);
    let mut asc = all(&store, &query, Order::Asc, 41);
    asc.reverse();
    assert_eq!(asc, wanted);
}

#[test]
fn nothing_is_repeated_or_missed_while_older_and_newer_entries_come_in() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    let before = fill(&store);
    let there: HashSet<String> = all(&store, &everything(), Order::Desc, 1_000)
        .into_iter()
        .map(|entry| entry.id)
        .collect();
    assert_eq!(there.len(), before);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut seq = 1;
            while !stop.load(Ordering::Relaxed) {
                let mut new = batch("VM002", 7, [seq, seq + 1, seq + 2]);
                new.entries[0].timestamp = NOON.plus_us(-60 * HOUR);
                new.entries[1].timestamp = NOON.plus_us(-25 * HOUR + seq as i64);
                store.append_wait(new).unwrap();
                seq += 3;
            }
        });
        for order in [Order::Desc, Order::Asc, Order::Desc] {
            let found: Vec<String> = all(&store, &everything(), order, 13)
                .into_iter()
                .map(|entry| entry.id)
                .collect();
            let different: HashSet<&String> = found.iter().collect();
            assert_eq!(different.len(), found.len(), "no entry twice");
            assert!(there.iter().all(|id| different.contains(id)), "none missed");
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_spent_budget_gives_short_pages_that_still_reach_the_end() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    fill(&store);
    let query = EntryQuery {
        q: "\"row 3 slow\"".to_owned(),
        ..everything()
    };
    let wanted = all(&store, &query, Order::Desc, 1_000);
    assert!(!wanted.is_empty());
    for order in [Order::Desc, Order::Asc] {
        let mut request = PageRequest {
            order,
            limit: 1_000,
            cursor: None,
            budget: Duration::ZERO,
        };
        let (mut found, mut short) = (Vec::new(), 0);
        loop {
            let page = store.page(&query, &request).unwrap();
            found.extend(page.entries);
            let Some(next) = page.next else { break };
            assert!(
                page.searched_to.is_some(),
                "a short page says how far it came"
            );
            assert_ne!(
                Some(&next),
                request.cursor.as_ref(),
                "each page makes some way"
            );
            request.cursor = Some(next);
            short += 1;
        }
        assert!(short > 2, "the budget ended pages");
        if order == Order::Asc {
            found.reverse();
        }
        assert_eq!(found, wanted);
    }
}

#[test]
fn a_damaged_cursor_is_refused_and_the_limit_is_held() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(batch("VM001", 1, 1..=1_500)).unwrap();
    let request = |cursor: Option<&str>, limit| PageRequest {
        order: Order::Desc,
        limit,
        cursor: cursor.map(str::to_owned),
        budget: AMPLE,
    };
    for bad in ["", "?", "AAAA", "Y2Fmw6k"] {
        let error = store
            .page(&everything(), &request(Some(bad), 10))
            .unwrap_err();
        assert_eq!(error, StoreError::BadReference("cursor"), "{bad:?}");
    }
    assert_eq!(
        store
            .page(&everything(), &request(None, 0))
            .unwrap()
            .entries
            .len(),
        1
    );
    assert_eq!(
        store
            .page(&everything(), &request(None, 9_999))
            .unwrap()
            .entries
            .len(),
        1_000
    );
    let last = all(&store, &everything(), Order::Desc, 500);
    assert_eq!(last.len(), 1_500, "a full last page is no endless one");
}

#[test]
fn the_lines_around_an_entry_are_its_machines_over_midnight() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002"]);
    let midnight = NOON.plus_us(12 * HOUR);
    for name in ["VM001", "VM002"] {
        let mut new = batch(name, 1, []);
        new.received_at = midnight.plus_us(HOUR);
        new.entries = (1..=40)
            .map(|n| {
                let at = midnight.plus_us((n as i64 - 20) * 1_000_000);
                entry(n, at, Level::Info, "main", &format!("{name} line {n}"))
            })
            .collect();
        store.append_wait(new).unwrap();
    }
    let query = EntryQuery {
        machines: vec![id("VM001")],
        ..everything()
    };
    let lines = all(&store, &query, Order::Asc, 100);
    for at in [0, 5, 19, 20, 39] {
        let around = store.around(&lines[at].id, 6, 4).unwrap();
        let from = at.saturating_sub(6);
        assert_eq!(around.index, at - from);
        assert_eq!(
            around.entries,
            lines[from..(at + 5).min(40)],
            "around line {at}"
        );
        let on_day = if at < 19 { 19 } else { 21 };
        assert_eq!(around.template_count_on_day, 2 * on_day, "of both machines");
    }
    assert_eq!(
        store.around("nonsense", 1, 1).unwrap_err(),
        StoreError::BadReference("entry id")
    );
}
