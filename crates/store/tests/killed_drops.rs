//! A writer of both paths killed with SIGKILL again and again: what it acknowledged is there, and
//! what it sends again counts nothing twice.

#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use store::{ArrivedDrop, NewEntries, Store, WrappingKey};
use support::cell::{SIZE, bare, drop_of, in_drop, picture, summary};
use support::{NOON, Place, batch, id, sample};
use wire::drops::DROP_OVERHEAD_BYTES;

const KILLS: u32 = 10;
/// Entries that each step brings.
const STEP: u64 = 12;
/// Tells the test binary to be the writer; holds the data directory and the first step.
const ROLE: &str = "STORE_TEST_CELL_WRITER";

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
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let (data, first) = role.rsplit_once('=').unwrap();
    let data = Path::new(data);
    let key_file = data.parent().unwrap().join("config/store.key");
    let key = WrappingKey::load_or_create(&key_file, data).unwrap();
    let store = Store::open(data, &key, NOON).unwrap();
    for step in first.parse::<u64>().unwrap().. {
        do_step(&store, step);
        println!("acknowledged {step}");
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_counted_twice() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    let mut steps = 0;
    for round in 0..KILLS {
        // It begins again a step before the last that it was answered.
        let role = format!("{}={}", place.data().display(), steps.max(1) - 1);
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer_process", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let pid = writer.id();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(170 + u64::from(round) * 13));
            let status = Command::new("kill").args(["-9", &pid.to_string()]).status();
            assert!(
                status.unwrap().success(),
                "the writer must be alive to be killed"
            );
            writer.wait().unwrap();
        });
        for line in lines {
            let line = line.unwrap();
            if let Some(step) = line.rsplit_once("acknowledged ").map(|(_, step)| step) {
                steps = steps.max(step.parse::<u64>().unwrap() + 1);
            }
        }
        killer.join().unwrap();
    }
    assert!(steps > 0, "the writer must have come to write");

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
    println!("{steps} steps, {} entries, {KILLS} kills", picture.total);
}
