//! The real agent, killed again and again while the log rotates under it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::log::{LINES, Rotator, append, gzip, lost_and_twice, number, text};
use crate::support::{Machine, wait_for};

/// Without a new line for so long, nothing more will come.
const STALLED: Duration = Duration::from_secs(15);

#[test]
fn killed_while_the_log_is_renamed_and_compressed() {
    let machine = Machine::new("");
    let local = || fs::read_to_string(machine.local()).unwrap_or_default();
    // An agent that sees a log for the first time reads what has the log's own name.
    append(&machine.log(), &text(0, 100));
    let agent = machine.spawn();
    wait_for("the first lines", || local().lines().count() >= 100);
    agent.kill();
    let (path, done) = (machine.log(), Arc::new(AtomicBool::new(false)));
    let writer = {
        let (path, done) = (path.clone(), done.clone());
        std::thread::spawn(move || {
            let rotator = Rotator::of(&path);
            for chunk in 0..50 {
                for part in 0..20 {
                    let from = chunk * 2_000 + part * 100;
                    if from == 0 {
                        continue;
                    }
                    append(&path, &text(from, from + 100));
                    std::thread::sleep(Duration::from_millis(4));
                }
                rotator.rotate(60);
                // As `delaycompress` does.
                if chunk > 0 {
                    gzip(&rotator.rotated(2));
                }
            }
            append(&path, b"");
            done.store(true, Ordering::Relaxed);
        })
    };
    let mut kills = 0;
    while !done.load(Ordering::Relaxed) {
        let agent = machine.spawn();
        std::thread::sleep(Duration::from_millis(100 + (kills * 97) % 400));
        agent.kill();
        kills += 1;
    }
    writer.join().unwrap();
    let agent = machine.spawn();
    let mut seen = (0, Instant::now());
    wait_for("every line", || {
        let now = local().lines().count();
        if now != seen.0 {
            seen = (now, Instant::now());
        }
        now >= LINES as usize || seen.1.elapsed() > STALLED
    });
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0), "{said}");
    let numbers = |text: &str| -> Vec<u32> {
        let message = |line: &str| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            number(entry["message"].as_str().unwrap())
        };
        text.lines().map(message).collect()
    };
    let got = numbers(&local());
    let (lost, twice) = lost_and_twice(LINES, &got);
    println!(
        "killed {kills} times, 50 rotations: {LINES} lines, {} lost, {} twice",
        lost.len(),
        twice.len()
    );
    assert!(lost.is_empty() && twice.is_empty(), "{:?}", lost.first());
    assert!(got.is_sorted() && kills >= 10, "in order, {kills} kills");
}
