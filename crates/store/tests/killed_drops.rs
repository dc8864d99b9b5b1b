//! A writer of both paths killed with SIGKILL again and again: what it acknowledged is there, and
//! what it sends again counts nothing twice.

#![cfg(unix)]

mod support;

use std::time::Duration;

use store::{ArrivedDrop, NewEntries, Store};
use support::cell::{SIZE, bare, drop_of, in_drop, picture, summary};
use support::killing::{Kills, acknowledge, as_writer, kill_writers};
use support::{NOON, Place, batch, id, sample};
use wire::drops::DROP_OVERHEAD_BYTES;

const KILLS: Kills = Kills {
    count: 10,
    first: Duration::from_millis(170),
};
/// Entries that each step brings.
const STEP: u64 = 12;

fn exact(seq: u64) -> wire::LogEntry {
    let mut entry = sample(seq % 3_000);
    entry.seq = Some(seq);
    entry.timestamp = entry.timestamp.plus_us(437_000);
    entry
}

/// The numbered drop of a step: half of its entries shortened.
fn numbered(step: u64) -> ArrivedDrop {
    let seqs = step * STEP + 1..=(step + 1) * STEP;
    let entries = seqs.map(|seq| match seq % 2 {
        0 => in_drop(exact(seq)),
        _ => summary(exact(seq)),
    });
    drop_of("VM001", (1, step + 1), entries.collect(), 0)
}

/// The bare drop of a step: a line of its own, and one that the step before had.
fn lines(step: u64) -> ArrivedDrop {
    let line = |step: u64| {
        let mut line = sample(3);
        line.message = format!("Line {step}");
        line
    };
    bare("VM001", vec![line(step), line(step + 1)], 0)
}

/// The batch of a step: most of what its drop and the one before it had.
fn whole(step: u64) -> NewEntries {
    let mut new = batch("VM001", 1, []);
    let first = (step * STEP + 3).saturating_sub(STEP);
    new.entries = (first..=(step + 1) * STEP - 3).map(exact).collect();
    new.entries.retain(|entry| entry.seq > Some(0));
    new
}

fn do_step(store: &Store, step: u64) {
    store.cell().append_drop(numbered(step)).unwrap();
    store.cell().append_drop(lines(step)).unwrap();
    store.append_wait(whole(step)).unwrap();
}

/// Not a test by itself: the process that the other test starts and kills.
#[test]
fn writer_process() {
    let Some((store, first)) = as_writer() else {
        return;
    };
    for step in first.. {
        do_step(&store, step);
        acknowledge(step);
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_counted_twice() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    // It begins with the last step that it was answered.
    let last = kill_writers(&place, &KILLS, |done| done.unwrap_or(0));
    let steps = last.expect("the writer must have come to write") + 1;

    let store = place.open();
    // The step that the last kill broke off, and the one before it, come again.
    do_step(&store, steps - 1);
    do_step(&store, steps);
    let steps = steps + 1;
    let picture = picture(&store);
    picture.check();
    assert_eq!(
        picture.total,
        steps * STEP + steps + 1,
        "entries and lines, each once"
    );
    for entry in picture.entries.iter().filter(|entry| entry.seq.is_some()) {
        let wanted = exact(entry.seq.unwrap());
        if entry.by_wifi {
            assert_eq!(
                (entry.timestamp, &entry.message),
                (wanted.timestamp, &wanted.message)
            );
            assert_eq!((entry.full, &entry.context), (true, &wanted.context));
        }
        assert!(entry.by_cell && (entry.by_wifi || entry.seq > Some((steps - 1) * STEP)));
    }
    let facts = store.cell().facts(&id("VM001"), NOON).unwrap();
    assert_eq!((facts.gaps, facts.data.drops), (vec![], steps * 2));
    assert_eq!(
        facts.data.used_bytes,
        steps * 2 * (SIZE + DROP_OVERHEAD_BYTES)
    );
    println!(
        "{steps} steps, {} entries, {} kills",
        picture.total, KILLS.count
    );
}
