//! What a crash leaves between a day file's commit and the catalog's is taken over on open.

mod support;

use std::fs;

use store::{EntryQuery, Histogram, MachineFacts, Order, Store, StoredEntry};
use support::{AMPLE, NOON, Place, add_machine, all, batch, everything, sample};

/// All that the catalog knows of the entries, and the entries.
#[derive(Debug, PartialEq)]
struct Picture {
    facts: Vec<MachineFacts>,
    hours: Histogram,
    minutes: Histogram,
    total: u64,
    components: Vec<String>,
    entries: Vec<StoredEntry>,
}

fn picture(store: &Store) -> Picture {
    let histogram = |query: EntryQuery, bins| store.histogram(&query, bins, NOON, AMPLE).unwrap();
    let payment = EntryQuery {
        components: vec!["payment".to_owned()],
        ..everything()
    };
    Picture {
        facts: store.fleet_facts(NOON).unwrap(),
        hours: histogram(payment, 3),
        minutes: histogram(everything(), 500),
        total: store.total_entries().unwrap(),
        components: store.components(&[]).unwrap(),
        entries: all(store, &everything(), Order::Asc, 1_000),
    }
}

/// Puts the catalog back to what it was, as a crash before its commit would have left it.
fn with_older_catalog(place: &Place, work: impl FnOnce(&Store)) -> Picture {
    let catalog = place.data().join("catalog.db");
    let aside = place.data().join("catalog.before");
    fs::copy(&catalog, &aside).unwrap();
    let store = place.open();
    work(&store);
    let wanted = picture(&store);
    store.close();
    assert!(
        !place.data().join("catalog.db-wal").exists(),
        "closing takes the log in"
    );
    fs::rename(&aside, &catalog).unwrap();
    wanted
}

#[test]
fn the_catalog_catches_up_with_one_commit() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002"]);
    store.append_wait(batch("VM001", 1, 1..=100)).unwrap();
    store.close();
    let wanted = with_older_catalog(&place, |store| {
        // Old, new and repeated seqs, of two machines, in one call each.
        store.append_wait(batch("VM001", 1, 50..=300)).unwrap();
        store.append_wait(batch("VM002", 4, 200..=250)).unwrap();
    });
    let store = place.open();
    assert_eq!(picture(&store), wanted);
    let again = store.append_wait(batch("VM001", 1, 1..=300)).unwrap();
    assert_eq!(
        (again.accepted, again.duplicates.len()),
        (0, 300),
        "the ledger caught up too"
    );
    store.close();
    assert_eq!(
        picture(&place.open()).total,
        wanted.total,
        "once, not again on the next open"
    );
}

#[test]
fn it_catches_up_over_several_days_and_unnumbered_entries() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    let wanted = with_older_catalog(&place, |store| {
        let mut new = batch("VM001", 1, 1..=30);
        for (day, entry) in new.entries.iter_mut().enumerate() {
            entry.timestamp = entry.timestamp.plus_us(-(day as i64 % 5) * 86_400_000_000);
        }
        store.append_wait(new.clone()).unwrap();
        new.epoch = None;
        store.append_wait(new.clone()).unwrap();
        store.append_wait(new).unwrap();
    });
    let store = place.open();
    assert_eq!(wanted.total, 90);
    assert_eq!(picture(&store), wanted);
    let mut more = batch("VM001", 1, 1..=5);
    more.epoch = None;
    assert_eq!(
        store.append_wait(more).unwrap().accepted,
        5,
        "internal numbers go on"
    );
    assert_eq!(store.total_entries().unwrap(), 95);
}

#[test]
fn it_catches_up_with_so_many_commits_that_their_records_are_gone() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    let wanted = with_older_catalog(&place, |store| {
        for seq in 1..=1_200 {
            let mut one = batch("VM001", 1, []);
            one.entries = vec![sample(seq)];
            store.append_wait(one).unwrap();
        }
    });
    let store = place.open();
    assert_eq!(wanted.total, 1_200);
    assert_eq!(picture(&store), wanted);
    assert_eq!(
        store
            .append_wait(batch("VM001", 1, 1..=1_200))
            .unwrap()
            .accepted,
        0
    );
}

#[test]
fn a_day_file_that_is_gone_is_no_obstacle() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(batch("VM001", 1, 1..=100)).unwrap();
    store.close();
    fs::remove_file(place.data().join("days/2026-11-20.db")).unwrap();
    let store = place.open();
    assert_eq!(all(&store, &everything(), Order::Desc, 10).len(), 0);
    let receipt = store.append_wait(batch("VM001", 1, 1..=120)).unwrap();
    assert_eq!(
        receipt.accepted, 20,
        "the ledger still knows what was there"
    );
    store.close();
    assert_eq!(all(&place.open(), &everything(), Order::Desc, 10).len(), 20);
}

#[test]
fn a_catalog_that_is_older_than_a_machine_takes_its_number_back() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    with_older_catalog(&place, |store| {
        add_machine(store, "VM002");
        store.append_wait(batch("VM002", 1, 1..=20)).unwrap();
    });
    let store = place.open();
    assert_eq!(all(&store, &everything(), Order::Asc, 100).len(), 20);
    add_machine(&store, "VM002");
    let again = store.append_wait(batch("VM002", 1, 1..=21)).unwrap();
    assert_eq!((again.accepted, again.duplicates.len()), (1, 20));
}
