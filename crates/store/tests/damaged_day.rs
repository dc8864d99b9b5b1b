//! A day file that cannot be read: what is refused because of it leaves nothing behind.

mod support;

use std::fs;

use store::NewEntries;
use support::{NOON, Place, batch, entry};
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

#[test]
fn a_refused_batch_leaves_no_rows_in_the_days_that_are_whole() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(unnumbered(&[1, 2])).unwrap();
    store.close();
    let damaged = place.data().join("days/2026-11-19.db");
    fs::write(&damaged, vec![7; 16 * 1024]).unwrap();

    let store = place.open();
    for _ in 0..3 {
        store.append_wait(unnumbered(&[1, 2, 3])).unwrap_err();
    }
    assert_eq!(store.total_entries().unwrap(), 2, "no try left a row");
    let receipt = store.append_wait(unnumbered(&[0, 2])).unwrap();
    assert_eq!(receipt.accepted, 2, "other days are written as before");
}
