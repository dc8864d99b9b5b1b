//! Readers that never stop do not make the write-ahead logs grow without end, and nobody is told
//! that a database is busy.

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use store::{EntryQuery, Order};
use support::{NOON, Place, all, batch, everything, sample};

const WAL_MAX_BYTES: u64 = 64 * 1024 * 1024;
const BATCHES: u64 = 40;
const BATCH: u64 = 2_000;

fn largest_wal(data: &Path) -> u64 {
    let wals = [
        data.join("catalog.db-wal"),
        data.join("days/2026-11-20.db-wal"),
    ];
    wals.iter()
        .filter_map(|path| path.metadata().ok())
        .map(|meta| meta.len())
        .max()
        .unwrap_or(0)
}

#[test]
fn logs_stay_bounded_and_nobody_is_refused() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(batch("VM001", 9, 1..=2_000)).unwrap();
    let stop = AtomicBool::new(false);
    let largest = std::thread::scope(|scope| {
        for reader in 0..3 {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                let q = ["", "timeout", "nowhere to be found"][reader].to_owned();
                let query = EntryQuery {
                    q,
                    to: Some(NOON.plus_us(-600_000_000)),
                    ..everything()
                };
                while !stop.load(Ordering::Relaxed) {
                    all(store, &query, Order::Desc, 500);
                    store.fleet_facts(NOON).unwrap();
                }
            });
        }
        let mut largest = 0;
        for number in 0..BATCHES {
            let mut new = batch("VM001", 1, []);
            new.entries = (1..=BATCH).map(|n| sample(number * BATCH + n)).collect();
            for entry in &mut new.entries {
                entry.timestamp = NOON;
            }
            assert_eq!(store.append_wait(new).unwrap().accepted, BATCH);
            largest = largest.max(largest_wal(&place.data()));
        }
        stop.store(true, Ordering::Relaxed);
        largest
    });
    assert!(largest > 0 && largest <= WAL_MAX_BYTES, "{largest} bytes");
    assert_eq!(store.total_entries().unwrap(), 2_000 + BATCHES * BATCH);
}
