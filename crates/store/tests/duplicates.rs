//! The ledger decides what is new: whatever the order, the overlap, the repeats, the restarts.

mod support;

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use store::{Store, StoreError};
use support::{Place, add_machine, batch, everything, id, page, seqs};

/// A step of a sender's life.
#[derive(Debug, Clone)]
enum Step {
    /// These seqs of an epoch, in this order, with these refused.
    Send {
        epoch: u64,
        seqs: Vec<u64>,
        refused: Vec<u64>,
    },
    /// The server restarts.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let runs = proptest::collection::vec((1u64..40, 0u64..8), 0..6).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(first, length)| first..=first + length)
            .collect::<Vec<_>>()
    });
    let send = (
        1u64..3,
        runs.prop_shuffle(),
        proptest::collection::vec(1u64..45, 0..3),
    )
        .prop_map(|(epoch, seqs, refused)| Step::Send {
            epoch,
            seqs,
            refused,
        });
    proptest::collection::vec(prop_oneof![9 => send, 1 => Just(Step::Restart)], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_seq_is_stored_once_and_every_repeat_is_named(steps in steps()) {
        let place = Place::new();
        let mut store = place.with_machines(&["VM001"]);
        let mut known: BTreeMap<u64, HashSet<u64>> = BTreeMap::new();
        let mut stored: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for step in steps {
            let Step::Send { epoch, seqs, refused } = step else {
                store.close();
                store = place.open();
                continue;
            };
            let mut new = batch("VM001", epoch, seqs.iter().copied());
            new.refused_seqs = refused.clone();
            let receipt = store.append_wait(new).unwrap();
            let known = known.entry(epoch).or_default();
            let stored = stored.entry(epoch).or_default();
            let mut repeats = Vec::new();
            for (index, seq) in seqs.iter().enumerate() {
                if known.insert(*seq) { stored.push(*seq) } else { repeats.push(index) }
            }
            prop_assert_eq!(receipt.accepted as usize, seqs.len() - repeats.len());
            prop_assert_eq!(receipt.duplicates, repeats);
            known.extend(refused);
        }
        for (epoch, mut wanted) in stored {
            wanted.sort_unstable();
            prop_assert_eq!(seqs(&store, epoch), wanted);
        }
    }
}

#[test]
fn many_senders_at_once_are_stored_once_each() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002", "VM003"]);
    std::thread::scope(|scope| {
        for sender in 0..6 {
            let store: Store = store.clone();
            scope.spawn(move || {
                let name = ["VM001", "VM002", "VM003"][sender % 3];
                for start in (1..=400).step_by(20) {
                    // Two senders of each machine overlap.
                    store
                        .append_wait(batch(name, 9, start..start + 40))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(seqs(&store, 9).len(), 3 * 420);
    assert_eq!(store.total_entries().unwrap(), 3 * 420);
}

#[test]
fn a_machine_that_is_removed_and_added_again_finds_its_entries_and_its_ledger() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(batch("VM001", 1, 1..=10)).unwrap();
    store.remove_machine(&id("VM001")).unwrap();
    assert_eq!(
        store.credential("key-VM001").unwrap(),
        None,
        "its keys are gone"
    );
    assert_eq!(
        store.append_wait(batch("VM001", 1, 11..=12)),
        Err(StoreError::NoSuchMachine(id("VM001")))
    );
    assert_eq!(
        page(&store, &everything(), 100).entries.len(),
        10,
        "its entries stay"
    );

    add_machine(&store, "VM001");
    let receipt = store.append_wait(batch("VM001", 1, 1..=12)).unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates.len()), (2, 10));
}

#[test]
fn numbers_that_cannot_be_kept_are_refused_and_nothing_is_stored() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut without_seq = batch("VM001", 1, 1..=2);
    without_seq.entries[1].seq = None;
    let too_large = batch("VM001", 1, [u64::MAX]);
    for bad in [batch("VM001", u64::MAX, 1..=2), without_seq, too_large] {
        assert_eq!(store.append_wait(bad), Err(StoreError::BadNumber));
    }
    let largest = i64::MAX as u64;
    let mut edge = batch("VM001", largest, [1]);
    edge.entries[0].seq = Some(largest);
    assert_eq!(store.append_wait(edge.clone()).unwrap().accepted, 1);
    assert_eq!(store.append_wait(edge).unwrap().duplicates, [0]);
    assert_eq!(store.total_entries().unwrap(), 1);
}
