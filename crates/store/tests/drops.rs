//! What a store knows of drops: which came, which did not, how well they come and what they cost.

mod support;

use proptest::prelude::*;
use store::{Delivery, DropGap, Store, StoreError};
use support::cell::{SIZE, bare, drop, drop_of, empty, in_drop, picture};
use support::{NOON, Place, entry, everything, id, page, sample};
use wire::Level;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Bytes that each drop of [`SIZE`] counts.
const COUNTED: u64 = SIZE + wire::drops::DROP_OVERHEAD_BYTES;

fn store_with(place: &Place, drops: impl IntoIterator<Item = store::ArrivedDrop>) -> Store {
    let store = place.with_machines(&["VM001"]);
    for drop in drops {
        store.cell().append_drop(drop).unwrap();
    }
    store
}

fn gaps(store: &Store) -> Vec<DropGap> {
    store.cell().facts(&id("VM001"), NOON).unwrap().gaps
}

/// Drop `number`, made at that hour before or after noon.
fn hourly(number: u64) -> store::ArrivedDrop {
    empty("VM001", (7, number), (number as i64 - 24) * 60)
}

#[test]
fn a_drop_is_kept_with_all_that_it_says_of_itself() {
    let place = Place::new();
    let mut first = drop("VM001", (7, 3), [3, 4, 5]);
    first.read.header.as_mut().unwrap().covers.first = 1;
    let store = store_with(&place, [first.clone()]);
    let kept = store.cell().drops(None, None, 10).unwrap().pop().unwrap();
    assert_eq!((kept.epoch, kept.number), (Some(7), Some(3)));
    assert_eq!(
        (kept.name.as_str(), kept.source.as_str()),
        ("VM001-7-3.txt", "s1")
    );
    assert_eq!((kept.size_bytes, kept.entries, kept.accepted), (SIZE, 3, 3));
    assert_eq!((kept.covers, kept.counts), (Some((1, 5)), [0, 2, 0, 0, 1]));
    assert_eq!(
        (kept.made_at, kept.arrived_at),
        (Some(NOON), first.received_at)
    );
    assert_eq!(
        (kept.uptime_s, kept.repeats, kept.is_conflict),
        (Some(3 * 3_600), 0, false)
    );
    let facts = store.machine_facts(&id("VM001"), NOON).unwrap();
    assert_eq!(facts.last_cell, Some(first.received_at));
    let last = facts.last_drop.unwrap();
    assert_eq!((last.number, last.made_at), (Some(3), Some(NOON)));
    assert_eq!(
        store.cell().facts(&id("VM001"), NOON).unwrap().last_drop,
        Some(last)
    );
}

#[test]
fn a_drop_that_comes_again_is_a_repeat_by_whatever_source_and_counts_nothing() {
    let place = Place::new();
    let store = store_with(&place, [drop("VM001", (7, 1), 1..=9)]);
    let before = (
        picture(&store),
        store.cell().facts(&id("VM001"), NOON).unwrap(),
    );
    for (source, minutes) in [("s1", 2), ("s2", 50), ("s2", 20_000)] {
        let mut again = drop("VM001", (7, 1), 1..=9);
        again.source = source.to_owned();
        again.size_bytes += 90;
        again.received_at = NOON.plus_us(minutes * MINUTE);
        let receipt = store.cell().append_drop(again).unwrap();
        assert!(receipt.is_repeat && !receipt.is_conflict);
        assert_eq!((receipt.accepted, receipt.duplicates), (0, 9));
    }
    let after = (
        picture(&store),
        store.cell().facts(&id("VM001"), NOON).unwrap(),
    );
    assert_eq!(after, before);
    let kept = store.cell().drops(Some(&id("VM001")), None, 10).unwrap();
    assert_eq!(
        (kept.len(), kept[0].repeats, kept[0].source.as_str()),
        (1, 3, "s1")
    );
    let last = store.machine_facts(&id("VM001"), NOON).unwrap().last_cell;
    assert_eq!(
        last,
        Some(NOON.plus_us(MINUTE)),
        "a repeat is no sign of life"
    );
}

#[test]
fn only_a_drop_newer_than_the_others_is_a_sign_of_life() {
    let place = Place::new();
    let store = store_with(&place, [hourly(20), hourly(22)]);
    let facts = || store.machine_facts(&id("VM001"), NOON).unwrap();
    let number = |drop: Option<store::LastDrop>| drop.unwrap().number;
    let before = facts().last_cell;
    let mut late = drop_of("VM001", (7, 21), vec![in_drop(sample(5))], -180);
    late.received_at = NOON.plus_us(14 * DAY);
    assert_eq!(store.cell().append_drop(late).unwrap().accepted, 1);
    assert_eq!(
        (facts().last_cell, number(facts().last_drop)),
        (before, Some(22))
    );
    // The machine's clock was set back: the number tells that this one is newer.
    let mut next = empty("VM001", (7, 23), -9 * 60);
    next.received_at = NOON;
    store.cell().append_drop(next).unwrap();
    assert_eq!(
        (facts().last_cell, number(facts().last_drop)),
        (Some(NOON), Some(23))
    );
    // A new spool numbers from one.
    store
        .cell()
        .append_drop(empty("VM001", (9, 1), 30))
        .unwrap();
    assert_eq!(facts().last_cell, Some(NOON.plus_us(31 * MINUTE)));
    assert_eq!(number(facts().last_drop), Some(1));
}

#[test]
fn two_drops_of_one_number_are_both_kept_and_marked() {
    let place = Place::new();
    let store = store_with(&place, [drop("VM001", (7, 1), 1..=4)]);
    let other = drop("VM001", (7, 1), 3..=6);
    let receipt = store.cell().append_drop(other.clone()).unwrap();
    assert!(receipt.is_conflict && !receipt.is_repeat);
    assert_eq!(
        (receipt.accepted, receipt.duplicates),
        (2, 2),
        "entries go by their seqs"
    );
    assert!(store.cell().append_drop(other).unwrap().is_repeat);
    let kept = store.cell().drops(None, None, 10).unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|drop| drop.is_conflict));
    let facts = store.cell().facts(&id("VM001"), NOON).unwrap();
    assert_eq!(
        facts.by_cell,
        Some(Delivery {
            expected: 1,
            arrived: 1
        })
    );
    assert_eq!(facts.data.used_bytes, 2 * COUNTED, "both were sent");
}

#[test]
fn drops_come_by_pages_newest_first() {
    let place = Place::new();
    let store = store_with(&place, (1..=25).map(hourly));
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.cell().drops(Some(&id("VM001")), before, 10).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.into_iter().filter_map(|drop| drop.number));
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(
        store.cell().drops(Some(&id("VM009")), None, 1),
        Err(StoreError::NoSuchMachine(id("VM009")))
    );
}

#[test]
fn a_gap_is_named_with_the_times_around_it_and_vanishes_when_its_drops_come() {
    let place = Place::new();
    let made = |number: u64| Some(NOON.plus_us((number as i64 - 24) * HOUR));
    let store = store_with(&place, [1, 2, 6, 7].map(hourly));
    let gap = |first, last, after: u64, before: u64| DropGap {
        epoch: 7,
        first,
        last,
        after: made(after),
        before: made(before),
    };
    assert_eq!(gaps(&store), [gap(3, 5, 2, 6)]);
    store.cell().append_drop(hourly(4)).unwrap();
    assert_eq!(
        gaps(&store),
        [gap(5, 5, 4, 6), gap(3, 3, 2, 4)],
        "the newest first"
    );
    let mut two_weeks_late = hourly(5);
    two_weeks_late.received_at = NOON.plus_us(14 * DAY);
    store.cell().append_drop(two_weeks_late).unwrap();
    assert_eq!(gaps(&store), [gap(3, 3, 2, 4)]);
    store.cell().append_drop(hourly(3)).unwrap();
    assert_eq!(gaps(&store), []);
}

#[test]
fn a_new_epoch_numbers_anew_and_its_first_drops_can_be_missing() {
    let place = Place::new();
    let store = store_with(&place, [1, 2, 3].map(hourly));
    store.cell().append_drop(empty("VM001", (9, 3), 0)).unwrap();
    let gap = DropGap {
        epoch: 9,
        first: 1,
        last: 2,
        after: None,
        before: Some(NOON),
    };
    assert_eq!(gaps(&store), [gap]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn gaps_and_delivery_are_right_under_loss_doubling_and_reordering(
        lost in proptest::collection::hash_set(1u64..=60, 0..30),
        order in Just((1u64..=60).chain(1..=6).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let place = Place::new();
        let came = |number: &u64| !lost.contains(number);
        let hours_ago = |number: u64| (number as i64 - 60) * 60;
        let drops = order.into_iter().filter(came)
            .map(|number| empty("VM001", (7, number), hours_ago(number)));
        let store = store_with(&place, drops);
        let arrived: Vec<u64> = (1..=60).filter(came).collect();
        let facts = store.cell().facts(&id("VM001"), NOON).unwrap();
        let last = *arrived.last().unwrap();
        let mut missing = Vec::new();
        for gap in &facts.gaps {
            missing.extend(gap.first..=gap.last);
            let made = |number: u64| NOON.plus_us(hours_ago(number) * MINUTE);
            prop_assert_eq!(gap.before, Some(made(gap.last + 1)));
            prop_assert_eq!(gap.after, (gap.first > 1).then(|| made(gap.first - 1)));
        }
        missing.sort_unstable();
        prop_assert_eq!(missing, (1..last).filter(|number| !came(number)).collect::<Vec<_>>());
        let wanted = Delivery { expected: last - arrived[0] + 1, arrived: arrived.len() as u64 };
        prop_assert_eq!(facts.by_cell, Some(wanted));
        prop_assert_eq!(facts.last_drop.unwrap().number, Some(last));
        prop_assert_eq!(facts.data.drops, arrived.len() as u64);
        prop_assert_eq!(facts.data.missing, wanted.expected - wanted.arrived);
        prop_assert_eq!(facts.data.used_bytes, wanted.expected * COUNTED);
    }
}

#[test]
fn a_bare_drop_counts_once_also_where_only_lines_of_it_come_again() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let line = |n: i64| {
        entry(
            1,
            NOON.plus_us(n * MINUTE),
            Level::Error,
            "motor",
            "Row 3 is stuck",
        )
    };
    let first = bare("VM001", vec![line(-9), line(-9), line(-5)], 0);
    let receipt = store.cell().append_drop(first.clone()).unwrap();
    assert_eq!(
        (receipt.accepted, receipt.is_repeat),
        (3, false),
        "the same line twice is two events"
    );
    let again = store.cell().append_drop(first).unwrap();
    assert_eq!(
        (again.accepted, again.duplicates, again.is_repeat),
        (0, 3, true)
    );
    let longer = bare("VM001", vec![line(-3), line(-9), line(-5), line(-1)], 30);
    let receipt = store.cell().append_drop(longer).unwrap();
    assert_eq!(
        (receipt.accepted, receipt.duplicates, receipt.is_repeat),
        (2, 2, false)
    );
    let entries = page(&store, &everything(), 10).entries;
    assert_eq!(entries.len(), 5);
    assert!(
        entries
            .iter()
            .all(|entry| entry.seq.is_none() && entry.epoch.is_none())
    );
    assert!(entries.iter().all(|entry| entry.by_cell && !entry.full));
    let facts = store.cell().facts(&id("VM001"), NOON).unwrap();
    assert_eq!(
        (facts.gaps, facts.by_cell, facts.data.drops),
        (vec![], None, 2)
    );
    assert_eq!(facts.last_drop.unwrap().number, None);
    let kept = store.cell().drops(None, None, 10).unwrap();
    assert!(
        kept.iter()
            .all(|drop| drop.number.is_none() && !drop.is_conflict)
    );
    // Another machine may say the very same.
    support::add_machine(&store, "VM002");
    let other = bare("VM002", vec![line(-9)], 0);
    assert_eq!(store.cell().append_drop(other).unwrap().accepted, 1);
}

#[test]
fn numbers_that_no_agent_gives_are_refused_and_nothing_is_kept() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let with = |change: fn(&mut store::ArrivedDrop)| {
        let mut drop = drop("VM001", (7, 1), 1..=3);
        change(&mut drop);
        drop
    };
    for bad in [
        with(|drop| drop.read.header.as_mut().unwrap().number = 0),
        with(|drop| drop.read.header.as_mut().unwrap().number = u64::MAX),
        with(|drop| drop.read.header.as_mut().unwrap().epoch = u64::MAX),
        with(|drop| drop.read.header.as_mut().unwrap().epoch = u64::MAX - 1),
        with(|drop| drop.read.header.as_mut().unwrap().covers.last = u64::MAX),
        with(|drop| drop.read.header.as_mut().unwrap().covers.first = 9),
        with(|drop| drop.read.entries[1].entry.seq = None),
        with(|drop| drop.size_bytes = u64::MAX),
    ] {
        assert_eq!(store.cell().append_drop(bad), Err(StoreError::BadNumber));
    }
    let mut unknown = drop("VM001", (7, 1), 1..=3);
    unknown.read.machine = id("VM404");
    let refused = store.cell().append_drop(unknown);
    assert_eq!(refused, Err(StoreError::NoSuchMachine(id("VM404"))));
    assert_eq!(store.total_entries().unwrap(), 0);
    assert_eq!(store.cell().drops(None, None, 10).unwrap(), []);
    let largest = i64::MAX as u64;
    let edge = drop_of("VM001", (largest, largest), vec![in_drop(sample(1))], 0);
    assert_eq!(store.cell().append_drop(edge).unwrap().accepted, 1);
    assert_eq!(gaps(&store)[0].last, largest - 1);
    for epoch in [1, 2, 3] {
        for number in [1, largest] {
            store
                .cell()
                .append_drop(empty("VM001", (epoch, number), 0))
                .unwrap();
        }
    }
    let by_cell = store
        .cell()
        .facts(&id("VM001"), NOON)
        .unwrap()
        .by_cell
        .unwrap();
    assert_eq!(by_cell.arrived, 7, "absurd numbers stop no count");
}
