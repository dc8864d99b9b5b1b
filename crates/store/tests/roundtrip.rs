//! What goes in comes out: every field, every path, numbered or not.

mod support;

use serde_json::{Value, json};
use store::{Order, PathKind, Receipt};
use support::{NOON, Place, all, batch, entry, everything, id};
use wire::{ClockState, Level, Micros};

#[test]
fn every_field_of_an_entry_comes_back() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut odd = entry(
        7,
        NOON.plus_us(-1_234_567),
        Level::Warn,
        "Zahlung ü",
        "Zeile 1\nΩ <int> <<",
    );
    odd.clock = ClockState::Repaired;
    if let Value::Object(context) =
        json!({"n": 0.1, "big": u64::MAX, "deep": {"list": [1, null, "x\"y"]}, "": "", "f": 1e-7})
    {
        odd.context = context;
    }
    let mut new = batch("VM001", 3, []);
    new.entries = vec![odd.clone()];
    let receipt = store.append_wait(new).unwrap();
    assert_eq!((receipt.accepted, receipt.by_level), (1, [0, 0, 1, 0, 0]));
    assert_eq!(receipt.filed, Some((odd.timestamp, odd.timestamp)));

    let found = &all(&store, &everything(), Order::Desc, 10)[0];
    assert_eq!(
        (found.machine_id.clone(), found.epoch, found.seq),
        (id("VM001"), Some(3), Some(7))
    );
    assert_eq!(
        (found.timestamp, found.filed_at),
        (odd.timestamp, odd.timestamp)
    );
    assert_eq!(found.received_at, NOON.plus_us(60_000_000));
    assert_eq!((found.level, found.clock), (odd.level, odd.clock));
    assert_eq!(
        (&found.component, &found.message),
        (&odd.component, &odd.message)
    );
    assert_eq!(found.context, odd.context);
    assert!(found.by_wifi && !found.by_cell && found.full);
}

#[test]
fn the_parameters_are_marked_in_the_message() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut new = batch("VM001", 1, []);
    new.entries = vec![entry(
        1,
        NOON,
        Level::Error,
        "payment",
        "Authorization timeout after 30s",
    )];
    store.append_wait(new).unwrap();
    let found = &all(&store, &everything(), Order::Desc, 1)[0];
    let marked: Vec<&str> = found
        .params
        .iter()
        .map(|&(a, b)| &found.message[a..b])
        .collect();
    assert_eq!(marked, ["30"], "of template {}", found.template);
}

#[test]
fn everything_is_there_after_closing_and_opening() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002"]);
    store.append_wait(batch("VM001", 1, 1..=500)).unwrap();
    store.append_wait(batch("VM002", 1, 1..=300)).unwrap();
    let before = all(&store, &everything(), Order::Asc, 77);
    store.set_setting("theme", b"dark").unwrap();
    store.close();
    assert!(
        store.append_wait(batch("VM001", 1, 1..=1)).is_err(),
        "a closed store takes nothing"
    );

    let store = place.open();
    assert_eq!(all(&store, &everything(), Order::Asc, 1_000), before);
    assert_eq!(store.total_entries().unwrap(), 800);
    assert_eq!(
        store.setting("theme").unwrap().as_deref(),
        Some(&b"dark"[..])
    );
    assert_eq!(store.machines().unwrap().len(), 2);
}

#[test]
fn entries_without_numbers_are_simply_stored() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut new = batch("VM001", 1, 1..=3);
    new.epoch = None;
    for _ in 0..2 {
        let receipt = store.append_wait(new.clone()).unwrap();
        assert_eq!((receipt.accepted, receipt.duplicates.len()), (3, 0));
    }
    let found = all(&store, &everything(), Order::Desc, 10);
    assert_eq!(found.len(), 6);
    assert!(
        found
            .iter()
            .all(|entry| entry.epoch.is_none() && entry.seq.is_none())
    );
}

#[test]
fn times_of_1970_and_of_next_year_are_filed_by_arrival() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut new = batch("VM001", 1, []);
    let next_year = NOON.plus_us(366 * 86_400_000_000);
    new.entries = vec![
        entry(1, Micros(0), Level::Info, "main", "booted"),
        entry(2, next_year, Level::Info, "main", "future"),
    ];
    store.append_wait(new.clone()).unwrap();
    for found in all(&store, &everything(), Order::Asc, 10) {
        assert_eq!(found.filed_at, new.received_at);
        let sent = &new.entries[found.seq.unwrap() as usize - 1];
        assert_eq!(
            found.timestamp, sent.timestamp,
            "the event time is kept beside it"
        );
    }
}

#[test]
fn an_entry_that_came_both_ways_says_so_and_is_there_once() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut cell = batch("VM001", 1, 3..=5);
    cell.path = PathKind::Cell;
    store.append_wait(cell).unwrap();
    let receipt = store.append_wait(batch("VM001", 1, 1..=9)).unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates), (6, vec![2, 3, 4]));
    for found in all(&store, &everything(), Order::Asc, 100) {
        let both = (3..=5).contains(&found.seq.unwrap());
        assert_eq!(
            (found.by_wifi, found.by_cell),
            (true, both),
            "seq {:?}",
            found.seq
        );
    }
}

#[test]
fn a_batch_of_many_days_is_stored_whole() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut new = batch("VM001", 1, []);
    new.entries = (0..40)
        .map(|day| {
            let at = NOON.plus_us(-day * 86_400_000_000);
            entry(
                day as u64 + 1,
                at,
                Level::Info,
                "main",
                &format!("day {day}"),
            )
        })
        .collect();
    let receipt = store.append_wait(new.clone()).unwrap();
    assert_eq!(receipt.accepted, 40);
    assert_eq!(
        receipt.filed,
        Some((NOON.plus_us(-39 * 86_400_000_000), NOON))
    );
    assert_eq!(all(&store, &everything(), Order::Desc, 7).len(), 40);
    let again = store.append_wait(new).unwrap();
    assert_eq!(
        again,
        Receipt {
            duplicates: (0..40).collect(),
            ..Receipt::default()
        }
    );
}

#[test]
fn a_component_with_endless_templates_is_kept_raw_and_comes_back() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let word = |mut n: u64| {
        let mut word = String::new();
        while n > 0 {
            word.push(char::from(b'a' + (n % 26) as u8));
            n /= 26;
        }
        word
    };
    let mut new = batch("VM001", 1, []);
    new.entries = (1..=2_500)
        .map(|n| {
            entry(
                n,
                NOON,
                Level::Info,
                "noise",
                &format!("says {} here", word(n * 31)),
            )
        })
        .collect();
    store.append_wait(new.clone()).unwrap();
    let found = all(&store, &everything(), Order::Asc, 1_000);
    let raw = found
        .iter()
        .filter(|entry| entry.template == "<raw>")
        .count();
    assert_eq!(raw, 500, "2,000 templates and the rest raw");
    for (found, sent) in found.iter().zip(&new.entries) {
        assert_eq!(found.message, sent.message);
    }
}
