//! A writer process killed with SIGKILL again and again: whatever it acknowledged is there, once.

#![cfg(unix)]

mod support;

use std::time::Duration;

use store::Order;
use support::killing::{Kills, acknowledge, as_writer, kill_writers};
use support::{Place, all, batch, everything, sample, seqs};

const KILLS: Kills = Kills {
    count: 15,
    first: Duration::from_millis(150),
};
const BATCH: u64 = 20;

/// Not a test by itself: the process that the other test starts and kills.
#[test]
fn writer_process() {
    let Some((store, mut next)) = as_writer() else {
        return;
    };
    loop {
        let receipt = store
            .append_wait(batch("VM001", 1, next..next + BATCH))
            .unwrap();
        assert_eq!(receipt.accepted + receipt.duplicates.len() as u64, BATCH);
        next += BATCH;
        acknowledge(next - 1);
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    let acknowledged = kill_writers(&place, &KILLS, |done| done.unwrap_or(0) + 1)
        .expect("the writer must have come to write");

    let store = place.open();
    let found = seqs(&store, 1);
    assert!(
        found.windows(2).all(|pair| pair[0] < pair[1]),
        "no seq is there twice"
    );
    assert!(
        found.len() as u64 >= acknowledged,
        "{} of {acknowledged}",
        found.len()
    );
    assert_eq!(
        found[..acknowledged as usize],
        (1..=acknowledged).collect::<Vec<_>>()
    );
    assert_eq!(
        store.total_entries().unwrap(),
        found.len() as u64,
        "the counts agree"
    );
    for entry in all(&store, &everything(), Order::Asc, 1_000) {
        assert_eq!(
            entry.message,
            sample(entry.seq.unwrap()).message,
            "payloads are unchanged"
        );
    }
}
