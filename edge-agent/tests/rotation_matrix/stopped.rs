//! The agent stands still while the log rotates, as on a machine that has no time for it: once in
//! this process at chosen moments, and once the real one, stopped by a signal.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::log::{Log, Rotator, append, gzip, number, text};
use crate::support::{Agent, Machine, wait_for};

/// More than the agent reads in a step.
const LONG: u32 = 4_000;
/// So many lines each file gets that is rotated while the agent stands still.
const SHORT: u32 = 40;
/// More than any case rotates.
const ALL: u32 = 400;

/// When the agent comes to a stand.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    /// It has read all there is.
    CaughtUp,
    /// In the middle of the log.
    InTheLog,
    /// In the middle of a rotated file, with another behind it.
    InARotatedFile,
    /// The log was rotated, and the new one is empty still.
    BeforeAnEmptyLog,
    /// The log was rotated, and the agent waits for its last writers.
    WaitingForLastWriters,
}

const MOMENTS: [Moment; 5] = [
    Moment::CaughtUp,
    Moment::InTheLog,
    Moment::InARotatedFile,
    Moment::BeforeAnEmptyLog,
    Moment::WaitingForLastWriters,
];

/// What happens to rotated files.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Nothing,
    CompressedAtOnce,
    CompressedLater,
}

/// A log whose agent stands still at this moment.
fn stopped_at(moment: Moment) -> Log {
    let mut log = Log::new();
    log.write(LONG);
    match moment {
        Moment::CaughtUp => log.read(),
        Moment::InTheLog => (0..2).for_each(|_| log.step()),
        Moment::InARotatedFile => {
            log.read();
            log.rotate(ALL);
            log.write(LONG);
            log.rotate(ALL);
            log.write(SHORT);
            while log.got.len() <= LONG as usize {
                log.step();
            }
        }
        Moment::BeforeAnEmptyLog | Moment::WaitingForLastWriters => {
            log.read();
            log.rotate(ALL);
            append(&log.path(), b"");
            log.step();
            if moment == Moment::WaitingForLastWriters {
                log.write(SHORT);
                log.step();
            }
        }
    }
    log
}

/// Rotates the log so many times, and lets the agent go on. Answers the lines whose loss is said
/// and those just missing.
fn rotated(log: &mut Log, times: u32, keep: u32, then: Then, case: &str) -> (usize, usize) {
    if keep == 1 {
        let _ = fs::remove_file(log.beside("app.log.2"));
    }
    for _ in 0..times {
        log.write(SHORT);
        pause(keep);
        // As logrotate does; gzip would ask. The plain ones of before stay.
        let _ = fs::remove_file(log.beside(&format!("app.log.{keep}.gz")));
        log.rotate(keep);
        let compressed = match then {
            Then::Nothing => None,
            Then::CompressedAtOnce => Some(log.beside("app.log.1")),
            Then::CompressedLater => Some(log.beside("app.log.2")),
        };
        if let Some(file) = compressed.filter(|file| file.exists()) {
            gzip(&file);
        }
        pause(keep);
    }
    log.write(SHORT);
    log.read();
    let (said, silent) = log.said_and_silent();
    let (lost, twice) = log.lost_and_twice();
    println!(
        "{case}: {} lines, {} lost, {said} of them said, {} gaps, {} twice",
        log.written,
        lost.len(),
        log.gaps.len(),
        twice.len()
    );
    assert_eq!(said + silent, lost.len(), "{case}");
    assert!(twice.is_empty() && log.got.is_sorted(), "{case}");
    (said, silent)
}

/// File times have steps of up to 10 ms, and which came first matters where files are deleted.
fn pause(keep: u32) {
    if keep < ALL {
        std::thread::sleep(Duration::from_millis(12));
    }
}

/// Each moment in a thread of its own, for much of a case is waiting.
fn at_each_moment(try_at: impl Fn(Moment) + Sync) {
    std::thread::scope(|scope| {
        for moment in MOMENTS {
            let try_at = &try_at;
            scope.spawn(move || try_at(moment));
        }
    });
}

#[test]
fn nothing_is_lost_where_rotation_keeps_every_file() {
    use Then::{CompressedAtOnce, CompressedLater, Nothing};
    at_each_moment(|moment| {
        for then in [Nothing, CompressedAtOnce, CompressedLater] {
            for times in [1, 2, 7] {
                let case = format!("{moment:?}, rotated {times} times, {then:?}");
                let mut log = stopped_at(moment);
                assert_eq!(rotated(&mut log, times, ALL, then, &case), (0, 0), "{case}");
                assert!(log.gaps.is_empty(), "{case}: {:?}", log.words);
            }
        }
    });
}

#[test]
fn nothing_is_lost_behind_a_hundred_files() {
    for then in [Then::Nothing, Then::CompressedLater] {
        let case = format!("rotated 150 times, {then:?}");
        let mut log = stopped_at(Moment::InTheLog);
        assert_eq!(rotated(&mut log, 150, ALL, then, &case), (0, 0), "{case}");
        assert!(log.gaps.is_empty(), "{case}: {:?}", log.words);
    }
}

#[test]
fn what_rotation_deletes_before_it_was_read_is_said_where_it_is_missing() {
    at_each_moment(|moment| {
        for then in [Then::Nothing, Then::CompressedAtOnce] {
            for (keep, times) in [(1, 1), (1, 2), (1, 3), (3, 3), (3, 4), (3, 5), (3, 9)] {
                let case = format!("{moment:?}, rotated {times} times, {keep} kept, {then:?}");
                let mut log = stopped_at(moment);
                let (said, silent) = rotated(&mut log, times, keep, then, &case);
                assert_eq!(silent, 0, "{case}");
                // A file that was compressed does not tell when it was deleted.
                if said == 0 && then == Then::Nothing {
                    assert!(log.gaps.is_empty(), "{case}: {:?}", log.words);
                }
                assert!(log.gaps.len() <= 1, "{case}: {:?}", log.words);
            }
        }
    });
}

fn signal(agent: &Agent, name: &str) {
    let mut kill = Command::new("kill");
    kill.args([name, &agent.pid().to_string()]);
    assert!(kill.status().unwrap().success());
}

#[test]
fn the_real_agent_stands_still_again_and_again_under_200_rotations() {
    const LINES: u32 = 40_000;
    let machine = Machine::new("");
    let count = || fs::read_to_string(machine.local()).map_or(0, |text| text.lines().count());
    append(&machine.log(), &text(0, 200));
    let agent = machine.spawn();
    wait_for("the first lines", || count() >= 200);
    let (path, done) = (machine.log(), Arc::new(AtomicBool::new(false)));
    let writer = {
        let done = done.clone();
        std::thread::spawn(move || {
            write_and_rotate(&path, LINES);
            done.store(true, Ordering::Relaxed);
        })
    };
    let mut stops = 0;
    while !done.load(Ordering::Relaxed) {
        signal(&agent, "-STOP");
        let long = [700, 5, 60, 300][stops % 4];
        std::thread::sleep(Duration::from_millis(long));
        signal(&agent, "-CONT");
        std::thread::sleep(Duration::from_millis(7 * (1 + stops as u64 % 9)));
        stops += 1;
    }
    writer.join().unwrap();
    wait_for("every line", || count() >= LINES as usize);
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0), "{said}");
    let local = fs::read_to_string(machine.local()).unwrap();
    let message = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        number(entry["message"].as_str().unwrap())
    };
    let got: Vec<u32> = local.lines().map(message).collect();
    println!(
        "stopped {stops} times, 199 rotations: {} lines of {LINES}",
        got.len()
    );
    assert!(got.into_iter().eq(0..LINES), "each line once and in order");
}

/// All lines but the first 200, in files of 200.
fn write_and_rotate(path: &Path, lines: u32) {
    let rotator = Rotator::of(path);
    for from in (200..lines).step_by(200) {
        rotator.rotate(ALL);
        for part in 0..4 {
            append(path, &text(from + part * 50, from + part * 50 + 50));
            std::thread::sleep(Duration::from_millis(1));
        }
        let chunk = from / 200;
        if chunk % 3 == 0 {
            gzip(&rotator.rotated(3));
        }
    }
}
