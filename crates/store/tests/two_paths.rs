//! The same entry by a drop and over WiFi is one row, the better of the two, counted once.

mod support;

use proptest::prelude::*;
use store::{Order, PathKind, Store, StoredEntry};
use support::cell::{self, bare, drop, drop_of, in_drop, picture, summary, with_older};
use support::{NOON, Place, all, batch, entry, everything, id, sample};
use wire::{Level, Micros};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const MIDNIGHT: Micros = Micros(NOON.0 + 12 * HOUR);

fn only(store: &Store) -> StoredEntry {
    let mut entries = all(store, &everything(), Order::Asc, 10);
    assert_eq!(entries.len(), 1);
    entries.pop().unwrap()
}

/// A wordy entry between two seconds.
fn exact(seq: u64) -> wire::LogEntry {
    let mut entry = sample(seq);
    entry.timestamp = entry.timestamp.plus_us(437_000);
    entry
}

#[test]
fn the_whole_entry_takes_the_place_of_the_summary_and_both_arrivals_are_kept() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let short = drop_of("VM001", (7, 1), vec![summary(exact(20))], 0);
    let arrived = short.received_at;
    let receipt = store.cell().append_drop(short.clone()).unwrap();
    assert_eq!(
        (receipt.accepted, receipt.upgraded, receipt.duplicates),
        (1, 0, 0)
    );
    let stored = only(&store);
    assert!(!stored.full && stored.by_cell && !stored.by_wifi);
    assert_eq!(stored.message, "Authoriza");
    assert_eq!((stored.cell_at, stored.wifi_at), (Some(arrived), None));

    let mut whole = batch("VM001", 7, []);
    whole.entries = vec![exact(20)];
    whole.received_at = NOON.plus_us(5 * MINUTE);
    let receipt = store.append_wait(whole.clone()).unwrap();
    assert_eq!((receipt.accepted, receipt.upgraded), (0, 1));
    assert_eq!(receipt.duplicates, [0], "it is not stored a second time");
    assert_eq!(
        receipt.filed,
        Some((exact(20).timestamp, exact(20).timestamp))
    );
    let found = only(&store);
    assert!(found.full && found.by_cell && found.by_wifi);
    assert_eq!(found.message, "Authorization timeout after 20s");
    assert_eq!(found.context, exact(20).context);
    assert_eq!(
        (found.timestamp, found.filed_at),
        (exact(20).timestamp, exact(20).timestamp)
    );
    assert_eq!(found.received_at, arrived, "the first arrival stays");
    assert_eq!(
        (found.cell_at, found.wifi_at),
        (Some(arrived), Some(whole.received_at))
    );

    assert!(store.cell().append_drop(short).unwrap().is_repeat);
    let late = drop_of("VM001", (7, 2), vec![summary(exact(20))], 30);
    let receipt = store.cell().append_drop(late).unwrap();
    assert_eq!(
        (receipt.accepted, receipt.upgraded, receipt.duplicates),
        (0, 0, 1)
    );
    assert_eq!(store.append_wait(whole).unwrap().upgraded, 0, "once");
    assert_eq!(
        only(&store),
        found,
        "a summary never takes the whole one's place"
    );
    let around = store.around(&stored.id, 0, 0).unwrap();
    assert_eq!(around.entries, [found], "a link to the summary finds it");
    assert_eq!(around.template_count_on_day, 1);
    picture(&store).check();
}

#[test]
fn a_drop_after_wifi_adds_its_path_and_its_arrival_and_nothing_else() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut whole = batch("VM001", 7, []);
    whole.entries = vec![exact(20)];
    store.append_wait(whole.clone()).unwrap();
    let before = only(&store);
    for shortened in [summary(exact(20)), in_drop(exact(20))] {
        let number = 1 + u64::from(shortened.is_summary);
        let drop = drop_of("VM001", (7, number), vec![shortened], 90);
        let receipt = store.cell().append_drop(drop.clone()).unwrap();
        assert_eq!(
            (receipt.accepted, receipt.upgraded, receipt.duplicates),
            (0, 0, 1)
        );
        let mut wanted = before.clone();
        wanted.by_cell = true;
        wanted.cell_at = Some(drop.received_at);
        assert_eq!(only(&store), wanted);
    }
    assert_eq!(before.wifi_at, Some(whole.received_at));
}

#[test]
fn a_whole_drop_is_better_than_a_summary_and_worse_than_wifi() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let short = drop_of("VM001", (7, 1), vec![summary(exact(20))], 0);
    let whole = drop_of("VM001", (7, 2), vec![in_drop(exact(20))], 60);
    store.cell().append_drop(short.clone()).unwrap();
    assert_eq!(store.cell().append_drop(whole).unwrap().upgraded, 1);
    let found = only(&store);
    assert!(found.full && !found.by_wifi);
    assert_eq!(found.filed_at.0 % 1_000_000, 0, "a drop's time is cut");
    assert_eq!(found.cell_at, Some(short.received_at));
    let mut exact_one = batch("VM001", 7, []);
    exact_one.entries = vec![exact(20)];
    assert_eq!(store.append_wait(exact_one).unwrap().upgraded, 1);
    assert_eq!(only(&store).filed_at, exact(20).timestamp);
}

#[test]
fn counts_and_the_newest_error_follow_what_a_better_row_changes() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let earlier = entry(
        1,
        NOON.plus_us(-20 * MINUTE),
        Level::Error,
        "motor",
        "Row 3 is stuck",
    );
    let wrong = entry(2, NOON.plus_us(-10 * MINUTE), Level::Error, "door", "Door");
    let drop = drop_of("VM001", (7, 1), vec![in_drop(earlier), summary(wrong)], 0);
    store.cell().append_drop(drop).unwrap();
    let newest = |store: &Store| store.machine_facts(&id("VM001"), NOON).unwrap().last_error;
    assert_eq!(newest(&store).unwrap().1, "door");
    assert_eq!(store.components(&[]).unwrap(), ["door", "motor"]);

    // A machine that changes its mind about all of it, down to the hour.
    let mut right = batch("VM001", 7, []);
    right.entries = vec![entry(
        2,
        NOON.plus_us(-3 * HOUR),
        Level::Info,
        "main",
        "All is well",
    )];
    assert_eq!(store.append_wait(right).unwrap().upgraded, 1);
    assert_eq!(newest(&store).unwrap().2, "Row 3 is stuck");
    assert_eq!(store.components(&[]).unwrap(), ["main", "motor"]);
    let facts = store.machine_facts(&id("VM001"), NOON).unwrap();
    assert_eq!(facts.last_hour, [0, 0, 0, 1, 0]);
    assert_eq!(facts.last_day, [0, 1, 0, 1, 0]);
    let picture = picture(&store);
    picture.check();
    assert_eq!(picture.minutes.from, {
        let first = NOON.plus_us(-3 * HOUR).0;
        Micros(first - first.rem_euclid(picture.minutes.step_us))
    });
}

/// An entry that its cut time files ten minutes ahead of its arrival, on the next day, and its exact
/// time by its arrival, as it lies too far ahead.
fn over_midnight(store: &Store) {
    let event = MIDNIGHT.plus_us(5 * MINUTE + 400_000);
    let ahead = entry(9, event, Level::Error, "clock", "The clock runs ahead");
    let mut drop = drop_of("VM001", (7, 1), vec![in_drop(ahead.clone())], 0);
    drop.received_at = MIDNIGHT.plus_us(-5 * MINUTE);
    store.cell().append_drop(drop.clone()).unwrap();
    assert_eq!(only(store).filed_at, MIDNIGHT.plus_us(5 * MINUTE));
    let mut whole = batch("VM001", 7, []);
    whole.entries = vec![ahead];
    whole.received_at = MIDNIGHT.plus_us(2 * HOUR);
    assert_eq!(store.append_wait(whole.clone()).unwrap().upgraded, 1);
    let found = only(store);
    assert_eq!(found.filed_at, drop.received_at, "by its first arrival");
    assert_eq!(found.timestamp, event);
    assert_eq!(
        (found.cell_at, found.wifi_at),
        (Some(drop.received_at), Some(whole.received_at))
    );
    assert_eq!(
        store.append_wait(whole).unwrap().duplicates,
        [0],
        "the ledger knows where it is"
    );
}

#[test]
fn a_better_row_may_lie_on_another_day() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    over_midnight(&store);
    picture(&store).check();
    let newest = store
        .machine_facts(&id("VM001"), MIDNIGHT)
        .unwrap()
        .last_error;
    assert_eq!(newest.unwrap().0, MIDNIGHT.plus_us(-5 * MINUTE));
}

#[test]
fn a_crash_between_the_two_days_and_the_catalog_leaves_the_row_once() {
    let days = ["days/2026-11-20.db", "days/2026-11-21.db"];
    // What had not reached the disk: only the catalog, or also the removal from the other day.
    for also in [None, Some(days[1])] {
        let place = Place::new();
        let store = place.with_machines(&["VM001"]);
        let event = MIDNIGHT.plus_us(5 * MINUTE + 400_000);
        let ahead = entry(9, event, Level::Error, "clock", "The clock runs ahead");
        let mut drop = drop_of("VM001", (7, 1), vec![in_drop(ahead.clone())], 0);
        drop.received_at = MIDNIGHT.plus_us(-5 * MINUTE);
        store.cell().append_drop(drop).unwrap();
        store.close();
        let mut whole = batch("VM001", 7, []);
        whole.entries = vec![ahead];
        whole.received_at = MIDNIGHT.plus_us(2 * HOUR);
        let files: Vec<_> = ["catalog.db"].into_iter().chain(also).collect();
        let wanted = with_older(&place, &files, |store| {
            assert_eq!(store.append_wait(whole.clone()).unwrap().upgraded, 1);
        });
        let store = place.open();
        let found = picture(&store);
        found.check();
        assert_eq!(found, wanted, "without {also:?}");
        let again = store.append_wait(whole).unwrap();
        assert_eq!(
            (again.accepted, again.upgraded, again.duplicates.len()),
            (0, 0, 1)
        );
        store.close();
        assert_eq!(
            picture(&place.open()),
            wanted,
            "once, not again on the next open"
        );
    }
}

#[test]
fn replaced_rows_are_counted_anew_when_the_catalog_missed_them() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store
        .cell()
        .append_drop(drop("VM001", (7, 1), 1..=40))
        .unwrap();
    store.close();
    let work = |store: &Store| {
        let short = (30..=60).map(|seq| summary(exact(seq))).collect();
        let drops = [
            drop_of("VM001", (7, 2), short, 5),
            bare("VM001", vec![sample(3)], 6),
        ];
        for drop in drops {
            store.cell().append_drop(drop).unwrap();
        }
        let mut whole = batch("VM001", 7, []);
        whole.entries = (20..=55).map(exact).collect();
        let receipt = store.append_wait(whole).unwrap();
        assert_eq!((receipt.accepted, receipt.upgraded), (0, 36));
    };
    let wanted = with_older(&place, &["catalog.db"], work);
    let store = place.open();
    assert_eq!(picture(&store), wanted);
    wanted.check();
    // The sender, not answered, sends all of it again.
    let short = (30..=60).map(|seq| summary(exact(seq))).collect();
    for drop in [
        drop_of("VM001", (7, 2), short, 5),
        bare("VM001", vec![sample(3)], 6),
    ] {
        let receipt = store.cell().append_drop(drop.clone()).unwrap();
        assert_eq!(
            (receipt.accepted, receipt.upgraded, receipt.is_repeat),
            (0, 0, false)
        );
        assert!(store.cell().append_drop(drop).unwrap().is_repeat);
    }
    assert_eq!(picture(&store).entries, wanted.entries);
    assert_eq!(store.cell().facts(&id("VM001"), NOON).unwrap().gaps, []);
}

/// A way that entries come.
#[derive(Debug, Clone)]
enum Step {
    Wifi(Vec<u64>),
    Drop {
        number: u64,
        whole: Vec<u64>,
        short: Vec<u64>,
    },
    Restart,
    /// The catalog's part of the next step is lost.
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let run = || {
        proptest::collection::vec((1u64..40, 0u64..9), 0..4).prop_map(|runs| {
            let runs = runs
                .into_iter()
                .flat_map(|(first, length)| first..=first + length);
            runs.collect::<Vec<_>>()
        })
    };
    let step = prop_oneof![
        5 => run().prop_map(Step::Wifi),
        6 => (1u64..12, run(), run())
            .prop_map(|(number, whole, short)| Step::Drop { number, whole, short }),
        1 => Just(Step::Restart),
        2 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..14)
}

/// What the machine logged: near midnight, so that many lie on both sides, and some with a clock
/// that decides nothing.
fn logged(seq: u64) -> wire::LogEntry {
    let mut entry = sample(seq);
    entry.timestamp = match seq % 9 {
        8 => Micros(seq as i64 * 1_300_700),
        // Its cut time lies ten minutes ahead of the arrival, on the next day; its exact one too far.
        7 => ARRIVAL.plus_us(10 * MINUTE + 400_000),
        _ => NOON.plus_us(-12 * HOUR + (seq as i64 - 25) * 1_777_000),
    };
    entry
}

/// All of it arrives shortly before midnight.
const ARRIVAL: Micros = Micros(NOON.0 - 12 * HOUR - 5 * MINUTE);

fn do_step(store: &Store, step: &Step) {
    match step {
        Step::Wifi(seqs) => {
            let mut new = batch("VM001", 7, []);
            new.entries = seqs.iter().copied().map(logged).collect();
            new.received_at = ARRIVAL;
            store.append_wait(new).unwrap();
        }
        Step::Drop {
            number,
            whole,
            short,
        } => {
            let whole = whole.iter().copied().map(logged).map(in_drop);
            let short = short.iter().copied().map(logged).map(summary);
            let mut drop = drop_of("VM001", (7, *number), whole.chain(short).collect(), 0);
            drop.received_at = ARRIVAL;
            store.cell().append_drop(drop).unwrap();
        }
        Step::Restart | Step::Crash => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn however_the_two_paths_interleave_the_rows_are_the_same_and_counted_once(steps in steps()) {
        let place = Place::new();
        let mut store = place.with_machines(&["VM001"]);
        let mut steps = steps.into_iter();
        let mut best = std::collections::BTreeMap::new();
        while let Some(step) = steps.next() {
            let mut step = step;
            if let Step::Restart | Step::Crash = step {
                store.close();
                if let (Step::Crash, Some(next)) = (&step, steps.next()) {
                    with_older(&place, &["catalog.db"], |store| do_step(store, &next));
                    step = next;
                }
                store = place.open();
            }
            do_step(&store, &step);
            let mut came = |seq: u64, rank: u8, path: PathKind| {
                let best = best.entry(seq).or_insert((0u8, false, false));
                best.0 = best.0.max(rank);
                best.1 |= path == PathKind::Wifi;
                best.2 |= path == PathKind::Cell;
            };
            match &step {
                Step::Wifi(seqs) => seqs.iter().for_each(|&seq| came(seq, 2, PathKind::Wifi)),
                Step::Drop { whole, short, .. } => {
                    // A drop that names a seq twice is taken at its first word.
                    let whole: Vec<_> = whole.iter().map(|&seq| (seq, 1)).collect();
                    let short = short.iter().map(|&seq| (seq, 0));
                    for (seq, rank) in whole.into_iter().chain(short) {
                        came(seq, rank, PathKind::Cell);
                    }
                }
                Step::Restart | Step::Crash => {}
            }
        }
        let picture = picture(&store);
        picture.check();
        prop_assert_eq!(picture.entries.len(), best.len());
        for found in &picture.entries {
            let seq = found.seq.unwrap();
            let (rank, by_wifi, by_cell) = best[&seq];
            let wanted = match rank {
                0 => summary(logged(seq)).entry,
                1 => in_drop(logged(seq)).entry,
                _ => logged(seq),
            };
            prop_assert_eq!((found.timestamp, &found.message), (wanted.timestamp, &wanted.message));
            prop_assert_eq!(&found.context, &wanted.context);
            prop_assert_eq!((found.full, found.by_wifi, found.by_cell), (rank > 0, by_wifi, by_cell));
            prop_assert_eq!((found.wifi_at.is_some(), found.cell_at.is_some()), (by_wifi, by_cell));
        }
        for (level, kept) in [(Level::Error, 2), (Level::Critical, 3)] {
            let graves = picture.entries.iter().filter(|entry| entry.level == level);
            let newest = graves.map(|entry| entry.filed_at).max();
            let told = picture.newest[kept].as_ref().map(|(at, _, _)| *at);
            prop_assert_eq!(told, newest.filter(|at| *at >= cell::JUST_AFTER_MIDNIGHT.plus_us(-HOUR)));
        }
        store.close();
        prop_assert_eq!(cell::picture(&place.open()), picture);
    }
}
