//! What lies beside a log and is no part of its rotation any more, and what rotation does to logs
//! that are short, idle or rotated very often.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::log::{LINES, Log, append, gzip, text, truncate};

/// Gives the file this age.
fn age(path: &Path, seconds: u64) {
    let file = File::options().append(true).open(path).unwrap();
    let then = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(then).unwrap();
}

/// A file of last week beside the log, with lines that would come twice.
fn stale(log: &Log, name: &str) {
    let path = log.beside(name.trim_end_matches(".gz"));
    append(&path, &text(5, 60));
    age(&path, 7 * 86_400);
    if name.ends_with(".gz") {
        gzip(&path);
    }
}

/// As logrotate does it with files of one ending: those with another stay where they are.
fn rotate_only(log: &Log, ending: &str) {
    for number in (1..20).rev() {
        let named = |number| log.beside(&format!("app.log.{number}{ending}"));
        // Most are not there.
        let _ = fs::rename(named(number), named(number + 1));
    }
    fs::rename(log.path(), log.beside("app.log.1")).unwrap();
    if ending == ".gz" {
        gzip(&log.beside("app.log.1"));
    }
}

#[test]
fn what_rotation_left_behind_long_ago_is_not_read_at_each_rotation() {
    for (name, ending) in [
        ("app.log.old", ""),
        ("app.log-20240101", ""),
        ("app.log.1.bak", ""),
        ("app.log.1.gz", ""),
        ("app.log.2", ".gz"),
        ("app.log.old", ".gz"),
    ] {
        let mut log = Log::new();
        stale(&log, name);
        for round in 0..4 {
            log.write(LINES / 10);
            log.read();
            if round % 2 == 1 {
                log.stop();
                for _ in 0..2 {
                    rotate_only(&log, ending);
                    log.write(LINES / 10);
                }
            }
            rotate_only(&log, ending);
            if round % 2 == 1 {
                log.start();
            }
        }
        log.write(LINES - log.written);
        log.read();
        log.assert_whole(&format!("a stale {name} beside .1{ending}"), &[]);
    }
}

#[test]
fn a_short_log_is_known_again_though_its_compressed_form_has_an_older_time() {
    for is_down in [false, true] {
        let mut log = Log::new();
        log.write(10);
        log.read();
        if is_down {
            log.stop();
        }
        log.rotate(20);
        let rotated = log.beside("app.log.1");
        gzip(&rotated);
        age(&log.beside("app.log.1.gz"), 60);
        log.write(LINES - 10);
        if is_down {
            log.start();
        }
        log.read();
        log.assert_whole(&format!("short and compressed, down: {is_down}"), &[]);
    }
}

#[test]
fn copied_and_truncated_twice_between_two_looks_with_one_copy_kept_is_said() {
    let mut log = Log::new();
    log.write(5_000);
    log.read();
    for _ in 0..2 {
        log.write(100);
        fs::copy(log.path(), log.beside("app.log.1")).unwrap();
        truncate(&log.path());
    }
    log.write(50);
    log.read();
    // It grows past what it was: it is the log still, and nothing comes late.
    log.write(LINES - log.written);
    log.read();
    let (said, silent) = log.said_and_silent();
    println!("copied twice, one copy kept: {said} lost and said, {silent} lost in silence");
    assert_eq!((said, silent), (100, 0));
    assert_eq!(log.why(), ["deleted"]);
    assert!(log.lost_and_twice().1.is_empty());
}
