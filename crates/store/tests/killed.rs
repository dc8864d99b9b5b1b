//! A writer process killed with SIGKILL again and again: whatever it acknowledged is there, once.

#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use store::{Order, Store, WrappingKey};
use support::{NOON, Place, all, batch, everything, sample, seqs};

const KILLS: u32 = 15;
const BATCH: u64 = 20;
/// Tells the test binary to be the writer; holds the data directory and the first seq.
const ROLE: &str = "STORE_TEST_WRITER";

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
    let mut next: u64 = first.parse().unwrap();
    loop {
        let receipt = store
            .append_wait(batch("VM001", 1, next..next + BATCH))
            .unwrap();
        assert_eq!(receipt.accepted + receipt.duplicates.len() as u64, BATCH);
        next += BATCH;
        println!("acknowledged {}", next - 1);
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let place = Place::new();
    place.with_machines(&["VM001"]).close();
    let mut acknowledged = 0;
    for round in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer_process", "--nocapture"])
            .env(
                ROLE,
                format!("{}={}", place.data().display(), acknowledged + 1),
            )
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let pid = writer.id();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150 + u64::from(round) * 13));
            let status = Command::new("kill").args(["-9", &pid.to_string()]).status();
            assert!(
                status.unwrap().success(),
                "the writer must be alive to be killed"
            );
            writer.wait().unwrap();
        });
        for line in lines {
            let line = line.unwrap();
            if let Some(seq) = line.rsplit_once("acknowledged ").map(|(_, seq)| seq) {
                acknowledged = acknowledged.max(seq.parse().unwrap());
            }
        }
        killer.join().unwrap();
    }
    assert!(acknowledged > 0, "the writer must have come to write");

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
