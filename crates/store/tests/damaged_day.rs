//! A day file that cannot be read: what is refused because of it leaves nothing behind.

mod support;

use std::fs;

use store::{EntryQuery, NewEntries, Order, PageRequest, Store, StoreError};
use support::{AMPLE, NOON, Place, batch, entry, everything, page};
use wire::Level;
use wire::time::DAY_US;

/// Entries without numbers, one on each of these days before noon.
fn unnumbered(days: &[i64]) -> NewEntries {
    let mut new = batch("VM001", 1, []);
    new.epoch = None;
    for day in days {
        let at = NOON.plus_us(-day * DAY_US);
        let mut entry = entry(1, at, Level::Info, "door", "opened");
        entry.seq = None;
        new.entries.push(entry);
    }
    new
}

/// Yesterday's file is overwritten while the store is closed.
fn reopened_with_a_damaged_day(place: &Place, store: Store) -> Store {
    store.close();
    let damaged = place.data().join("days/2026-11-19.db");
    fs::write(&damaged, vec![7; 16 * 1024]).unwrap();
    place.open()
}

#[test]
fn a_refused_batch_leaves_no_rows_in_the_days_that_are_whole() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(unnumbered(&[1, 2])).unwrap();
    let store = reopened_with_a_damaged_day(&place, store);
    for _ in 0..3 {
        store.append_wait(unnumbered(&[1, 2, 3])).unwrap_err();
    }
    assert_eq!(store.total_entries().unwrap(), 2, "no try left a row");
    let receipt = store.append_wait(unnumbered(&[0, 2])).unwrap();
    assert_eq!(receipt.accepted, 2, "other days are written as before");
}

#[test]
fn the_days_around_a_damaged_one_are_read_and_it_is_named() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(unnumbered(&[0, 1, 2])).unwrap();
    let store = reopened_with_a_damaged_day(&place, store);

    let first = page(&store, &everything(), 10);
    assert_eq!(first.entries.len(), 1, "what comes before it");
    let second = PageRequest {
        order: Order::Desc,
        limit: 10,
        cursor: first.next,
        budget: AMPLE,
    };
    let error = store.page(&everything(), &second).unwrap_err();
    assert_eq!(error, StoreError::DayDamaged("2026-11-19".to_owned()));
    let older = EntryQuery {
        to: Some(NOON.plus_us(-DAY_US).plus_us(-DAY_US / 2)),
        ..everything()
    };
    assert_eq!(
        page(&store, &older, 10).entries.len(),
        1,
        "what comes after it"
    );
}
