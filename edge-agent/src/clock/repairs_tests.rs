//! What is offered with which time, across restarts and whatever becomes known later.

use wire::time::{DAY_US, SECOND_US};
use wire::{Level, Micros};

use super::super::{Basis, Source, boot, since_boot_us};
use super::*;

const EPOCH: u64 = 5;

fn stored(seq: u64, at: i64, basis: Option<Basis>) -> Stored {
    let entry = LogEntry {
        seq: Some(seq),
        timestamp: Micros(at),
        level: Level::Info,
        component: "app".into(),
        message: "x".into(),
        context: serde_json::Map::new(),
        clock: match basis {
            Some(_) => ClockState::Unsynced,
            None => ClockState::Synced,
        },
    };
    Stored {
        seq,
        at: entry.timestamp,
        level: entry.level,
        basis,
        json: serde_json::to_string(&entry).unwrap(),
    }
}

/// Entry `seq` of this boot, stamped `seq` seconds after it by a clock that began in 1970.
fn of_this_boot(seq: u64) -> Stored {
    let basis = Basis {
        boot: boot(),
        base_us: 0,
    };
    stored(seq, seq as i64 * SECOND_US, Some(basis))
}

/// The agent starts; `right` is what an earlier run in this boot knew.
fn start(path: &Path, right: Option<i64>) -> Repairs {
    let never = Source::File("/no/such/file/for/a/clock".into());
    let watch = Arc::new(Watch::new(never, false, right));
    Repairs::new(path.to_owned(), Kept::load(path), EPOCH, watch)
}

/// Times in seconds and words that these entries are offered with.
fn offered(repairs: &Repairs, mut entries: Vec<Stored>) -> Vec<(i64, ClockState)> {
    repairs.settle(&mut entries);
    let told = entries.iter().map(|stored| {
        let entry = LogEntry::from_json_text(&stored.json).unwrap().unwrap();
        assert_eq!(entry.timestamp, stored.at);
        assert_eq!(entry.seq, Some(stored.seq));
        (entry.timestamp.0 / SECOND_US, entry.clock)
    });
    told.collect()
}

#[test]
fn what_was_offered_keeps_its_time_and_the_rest_is_repaired_the_same_for_everyone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clock");
    let right = 1_000 * DAY_US;
    let day = 1_000 * 86_400;
    let unset = start(&path, None);
    assert!(unset.may_wait(&of_this_boot(3)));
    assert_eq!(
        offered(&unset, vec![of_this_boot(3)]),
        [(3, ClockState::Unsynced)]
    );
    assert!(!unset.may_wait(&of_this_boot(3)), "it is told already");

    let all = || (1..=5).map(of_this_boot).collect::<Vec<_>>();
    let expected = [
        (day + 1, ClockState::Repaired),
        (day + 2, ClockState::Repaired),
        (3, ClockState::Unsynced),
        (day + 4, ClockState::Repaired),
        (day + 5, ClockState::Repaired),
    ];
    let set = start(&path, Some(right));
    assert_eq!(offered(&set, all()), expected);
    assert_eq!(offered(&set, all()), expected, "a second reader");
    // A restart, to which the clock says something a moment different, and one that knows nothing.
    let again = start(&path, Kept::load(&path).right_base_us(boot()));
    assert_eq!(offered(&again, all()), expected);
    assert_eq!(
        offered(&start(&path, Some(right + SAME_BASE_US / 2)), all()),
        expected
    );
    assert_eq!(offered(&start(&path, None), all()), expected);
    assert_eq!(
        offered(&start(&path, Some(right + DAY_US)), all()),
        expected,
        "told is told"
    );
    let mut from_the_local_file = of_this_boot(4).json;
    again.as_offered(EPOCH, 4, &mut from_the_local_file);
    let entry = LogEntry::from_json_text(&from_the_local_file)
        .unwrap()
        .unwrap();
    assert_eq!((entry.timestamp.0 / SECOND_US, entry.clock), expected[3]);
}

#[test]
fn an_entry_of_another_boot_or_of_a_set_clock_is_left_as_it_is_and_costs_no_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clock");
    let right = since_boot_us();
    let repairs = start(&path, Some(right));
    let elsewhere = Basis {
        boot: boot() ^ 1,
        base_us: 0,
    };
    let entries = || {
        vec![
            stored(1, 7 * SECOND_US, Some(elsewhere)),
            stored(2, 8 * SECOND_US, None),
        ]
    };
    let expected = [(7, ClockState::Unsynced), (8, ClockState::Synced)];
    assert_eq!(offered(&repairs, entries()), expected);
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(offered(&repairs, entries()), expected);
    let after = std::fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(written, after, "once for each boot is enough");
}

#[test]
fn a_new_spool_begins_without_the_repairs_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clock");
    offered(&start(&path, None), vec![of_this_boot(1)]);
    let never = Source::File("/no/such/file/for/a/clock".into());
    let watch = Arc::new(Watch::new(never, false, Some(DAY_US)));
    let other = Repairs::new(path.clone(), Kept::load(&path), EPOCH + 1, watch);
    assert_eq!(
        offered(&other, vec![of_this_boot(1)]),
        [(86_401, ClockState::Repaired)]
    );
}
