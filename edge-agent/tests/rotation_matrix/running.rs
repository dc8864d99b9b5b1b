//! What happens to the log while the agent reads it.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::log::{LINES, Log, Rotator, append, gzip, text, truncate};

/// How long a line of the matrix is, with its end.
const LINE_BYTES: u64 = 52;

/// Runs `write` as the application beside the agent, until both are done.
fn beside(log: &mut Log, write: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let writer = std::thread::spawn(move || {
        write();
        done.send(()).unwrap();
    });
    while is_done.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
        log.step();
    }
    writer.join().unwrap();
    log.read();
}

#[test]
fn renamed_under_load_and_compressed_behind_the_reader() {
    let mut log = Log::new();
    log.write(500);
    log.read();
    log.written = LINES;
    let path = log.path();
    let rotator = Rotator::of(&path);
    beside(&mut log, move || {
        for chunk in 1..200 {
            for part in 0..10 {
                let from = chunk * 500 + part * 50;
                append(&path, &text(from, from + 50));
                std::thread::sleep(Duration::from_millis(1));
            }
            rotator.rotate(200);
            if chunk % 3 == 0 {
                gzip(&rotator.rotated(3));
            }
        }
        append(&path, b"");
    });
    log.assert_whole("renamed 200 times under load", &[]);
}

#[test]
fn deleted_while_open_is_read_to_its_end() {
    let mut log = Log::new();
    for _ in 0..10 {
        log.write(LINES / 20);
        log.read();
        log.write(LINES / 20);
        fs::remove_file(log.path()).unwrap();
        log.read();
    }
    log.assert_whole("deleted while open", &[]);
}

#[test]
fn a_writer_that_nobody_told_of_the_rotation_is_still_heard() {
    let mut log = Log::new();
    log.write(LINES / 2);
    log.read();
    log.rotate(20);
    append(&log.path(), b"");
    log.read();
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(300));
        let bytes = log.next(LINES / 20);
        append(&log.beside("app.log.1"), &bytes);
        log.read();
    }
    log.write(LINES / 4);
    log.read();
    log.assert_whole("written on after rotation", &[]);
    // Once the new file has begun, only the loss can be said.
    append(&log.beside("app.log.1"), b"late\n");
    log.read();
    assert_eq!(log.gaps, [("late".to_owned(), Some(5))]);
}

#[test]
fn a_symbolic_link_is_pointed_to_the_next_file() {
    let mut log = Log::new();
    for day in 10..30 {
        let target = log.beside(&format!("app-2026-01-{day}.txt"));
        let bytes = log.next(LINES / 20);
        append(&target, &bytes);
        // On some days the agent does not look.
        let _ = fs::remove_file(log.path());
        symlink(&target, log.path()).unwrap();
        match day % 5 {
            0 => log.read(),
            3 => log.stop(),
            4 => log.start(),
            _ => {}
        }
    }
    log.read();
    log.assert_whole("a symbolic link", &[]);
}

#[test]
fn emptied_at_each_start_of_the_application() {
    let mut log = Log::new();
    for _ in 0..20 {
        log.write(LINES / 20);
        log.read();
        truncate(&log.path());
    }
    log.assert_whole("emptied by the application, all read before", &[]);
}

#[test]
fn emptied_before_all_was_read_is_said_with_the_bytes() {
    let mut log = Log::new();
    for _ in 0..4 {
        log.write(LINES / 5);
        log.step();
        log.step();
        truncate(&log.path());
        log.write(LINES / 20);
        log.read();
    }
    let (lost, twice) = log.lost_and_twice();
    let said: u64 = log.gaps.iter().filter_map(|(_, bytes)| *bytes).sum();
    println!(
        "emptied before all was read: {} lines, {} lost, {} bytes said, {} twice",
        log.written,
        lost.len(),
        said,
        twice.len()
    );
    assert_eq!(log.why(), ["truncated"; 4]);
    assert_eq!((log.written, twice), (LINES, vec![]));
    assert_eq!(said, lost.len() as u64 * LINE_BYTES);
}

#[test]
fn copied_and_truncated_under_load_loses_only_what_nobody_could_read() {
    let mut log = Log::new();
    log.written = LINES;
    let rotator = Rotator::of(&log.path());
    let path = log.path();
    let (unreadable, unread) = mpsc::channel();
    beside(&mut log, move || {
        for chunk in 0..20 {
            let from = chunk * 5_000;
            for part in 0..49 {
                append(&path, &text(from + part * 100, from + part * 100 + 100));
                std::thread::sleep(Duration::from_millis(1));
            }
            rotator.shift(40);
            fs::copy(&path, rotator.rotated(1)).unwrap();
            // Between the copy and the truncation: perhaps the agent has read it, perhaps not.
            let between = (from + 4_900, from + 5_000);
            append(&path, &text(between.0, between.1));
            truncate(&path);
            unreadable.send(between).unwrap();
        }
    });
    let (lost, twice) = log.lost_and_twice();
    let between: Vec<(u32, u32)> = unread.try_iter().collect();
    println!(
        "copied and truncated 20 times under load: {LINES} lines, {} lost, {} twice, gaps: {}",
        lost.len(),
        twice.len(),
        log.gaps.len()
    );
    assert_eq!(twice, Vec::<u32>::new());
    let could_be_read = |number: &&u32| {
        !between
            .iter()
            .any(|(from, to)| (*from..*to).contains(number))
    };
    assert_eq!(lost.iter().find(could_be_read), None);
    assert_eq!(log.why(), ["copytruncate"; 20], "each is said");
}
