//! The journal input on real journal files, made by systemd's own `systemd-journal-remote`: each
//! record once, whoever is killed, and what is missing is said.

#[path = "../support/mod.rs"]
mod support;
mod written;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use support::{Agent, json_lines, messages, wait_for};
use written::{Journal, SOAP, assert_each_once, running};

#[test]
fn killed_with_a_journal_that_grows_and_is_rotated_each_record_comes_once() {
    const RECORDS: u32 = 12_000;
    const KILLS: u32 = 8;
    let mut journal = Journal::new("");
    let dir = journal.file("").display().to_string();
    let mut agent = journal.machine.spawn();
    for round in 0..KILLS {
        let each = RECORDS / KILLS;
        for part in 0..10 {
            let from = round * each + part * each / 10;
            journal.write_numbered(from..from + each / 10);
            std::thread::sleep(Duration::from_millis(30));
        }
        agent.kill();
        // Without the agent at the other end of its pipe, journalctl has nothing to do.
        wait_for("journalctl to end", || running(&dir).is_empty());
        if round % 3 == 2 {
            journal.rotate(&format!("system@{round:04}.journal"));
        }
        agent = journal.machine.spawn();
        if round % 3 == 1 {
            // Rotated while it is followed.
            std::thread::sleep(Duration::from_millis(200));
            journal.rotate(&format!("system@{round:04}.journal"));
        }
    }
    let entries = journal.wait_for_entries(RECORDS as usize);
    assert_each_once(&entries, RECORDS, "agent killed 8 times, 5 rotations");
    assert_eq!(agent.terminate().0, Some(0));
    wait_for("journalctl to end", || running(&dir).is_empty());
}

#[test]
fn what_was_written_before_the_machine_was_restarted_comes_too() {
    let mut journal = Journal::new("");
    journal.write_numbered(0..100);
    let agent = journal.machine.spawn();
    journal.wait_for_entries(100);
    agent.kill();
    // The last words before the power went, and those of two starts after it.
    journal.write_numbered(100..200);
    for from in [200, 300] {
        journal.boot += 1;
        journal.write_numbered(from..from + 100);
    }
    let agent = journal.machine.spawn();
    let entries = journal.wait_for_entries(400);
    agent.kill();
    assert_each_once(&entries, 400, "three starts of the machine");
}

#[test]
fn a_journalctl_that_is_killed_is_started_again_where_it_was() {
    let mut journal = Journal::new("");
    let dir = journal.file("").display().to_string();
    let agent = journal.machine.spawn();
    for round in 0..3 {
        journal.write_numbered(round * 1000..round * 1000 + 1000);
        journal.wait_for_entries(round as usize * 1000 + 200);
        for pid in running(&dir) {
            let kill = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .status();
            assert!(kill.unwrap().success());
        }
    }
    let entries = journal.wait_for_entries(3000);
    let (own, records): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| entry["component"] == "agent");
    println!("what the agent said: {}", own.len());
    assert_each_once(&records, 3000, "journalctl killed 3 times");
    agent.kill();
}

#[test]
fn every_kind_of_message_comes_with_its_level_component_and_time() {
    let mut journal = Journal::new("");
    let long = "a long word ".repeat(20_000);
    let record = |priority: &'static [u8], message: &'static [u8]| {
        vec![
            ("_SYSTEMD_UNIT", SOAP.as_bytes()),
            ("SYSLOG_IDENTIFIER", b"python3"),
            ("PRIORITY", priority),
            ("MESSAGE", message),
        ]
    };
    let mut long_record = record(b"6", b"");
    long_record[3].1 = long.as_bytes();
    let records = [
        record(b"2", b"crit"),
        record(b"3", b"err"),
        record(b"4", b"warning"),
        record(b"5", b"notice"),
        record(b"7", b"debug"),
        record(b"6", b"not text \xff and escape \x1b[0m"),
        record(b"6", b"two\nlines"),
        long_record,
        vec![
            ("_SYSTEMD_UNIT", &b"init.scope"[..]),
            ("UNIT", SOAP.as_bytes()),
            ("_PID", b"1"),
            ("SYSLOG_IDENTIFIER", b"systemd"),
            ("PRIORITY", b"6"),
            ("MESSAGE", b"Started the soap machine."),
        ],
    ];
    let records: Vec<&[_]> = records.iter().map(Vec::as_slice).collect();
    journal.write(&records);
    let agent = journal.machine.spawn();
    let entries = journal.wait_for_entries(13);
    agent.kill();
    let levels: Vec<&str> = entries
        .iter()
        .map(|e| e["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels[..5], ["CRITICAL", "ERROR", "WARN", "INFO", "DEBUG"]);
    assert_eq!(entries[0]["component"], "python3");
    assert_eq!(entries[1]["timestamp"], "2026-01-22T14:30:15.001Z");
    assert_eq!(entries[5]["message"], "not text \\xff and escape \u{1b}[0m");
    assert_eq!(entries[5]["context"]["escaped_bytes"], true);
    assert_eq!(entries[6]["message"], "two\nlines");
    let (last, pieces) = entries[7..].split_last().unwrap();
    assert_eq!(messages(pieces).concat(), long);
    assert_eq!(pieces[3]["context"]["last_piece"], true);
    assert_eq!(last["message"], "Started the soap machine.");
    assert_eq!(last["component"], "systemd");
}

#[test]
fn python_lines_are_assembled_with_the_journals_time_where_they_have_none() {
    let mut journal =
        Journal::new("format = \"python\"\ntimezone = \"America/Los_Angeles\"\npack = \"soap\"");
    let line = |message: &'static [u8]| {
        vec![
            ("_SYSTEMD_UNIT", SOAP.as_bytes()),
            ("SYSLOG_IDENTIFIER", &b"python3"[..]),
            ("PRIORITY", b"6"),
            ("MESSAGE", message),
        ]
    };
    let records = [
        line(b"printed first"),
        line(b"2026-01-22 06:30:10 - __main__ - ERROR - it failed"),
        line(b"Traceback (most recent call last):"),
        line(b"  File \"x.py\", line 1, in <module>"),
        line(b"ValueError: no"),
        line(b"printed after"),
    ];
    let records: Vec<&[_]> = records.iter().map(Vec::as_slice).collect();
    journal.write(&records);
    let agent = journal.machine.spawn();
    let entries = journal.wait_for_entries(3);
    agent.kill();
    assert_eq!(
        messages(&entries),
        [
            "printed first",
            "it failed\nTraceback (most recent call last):\n  File \"x.py\", line 1, in \
             <module>\nValueError: no",
            "printed after"
        ]
    );
    let times: Vec<&str> = entries
        .iter()
        .map(|e| e["timestamp"].as_str().unwrap())
        .collect();
    assert_eq!(
        times,
        [
            "2026-01-22T14:30:15.000Z",
            "2026-01-22T14:30:10.000Z",
            "2026-01-22T14:30:15.005Z"
        ]
    );
}

#[test]
fn a_journal_that_was_vacuumed_past_the_cursor_is_said_and_read_on() {
    let mut journal = Journal::new("");
    journal.write_numbered(0..100);
    journal.close();
    let agent = journal.machine.spawn();
    assert_eq!(journal.wait_for_entries(100).len(), 100);
    agent.kill();
    journal.write_numbered(100..150);
    journal.rotate("system@0001.journal");
    fs::remove_file(journal.file("system@0001.journal")).unwrap();
    journal.write_numbered(150..200);
    journal.close();
    let agent = journal.machine.spawn();
    let entries = journal.wait_for_entries(151);
    agent.kill();
    assert_eq!(entries.len(), 151);
    assert_eq!(entries[100]["context"]["event"], "gap");
    assert_eq!(entries[100]["context"]["why"], "vacuumed");
    assert_eq!(entries[101]["message"], "record 000150");
}

#[test]
fn a_full_spool_holds_journalctl_back_and_loses_nothing() {
    const RECORDS: u32 = 30_000;
    let mut journal = Journal::new("");
    let config = journal.machine.config_path();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[spool]\nmax_bytes = 4194304\n")).unwrap();
    journal.write_numbered(0..RECORDS);
    journal.close();
    let mut reading = journal.machine.start();
    let mut entries = Vec::new();
    let mut pauses = 0;
    let start = Instant::now();
    while entries.len() < RECORDS as usize && start.elapsed() < Duration::from_secs(60) {
        let wait = reading
            .pipeline
            .step(Instant::now(), support::wall())
            .unwrap();
        let before = entries.len();
        while let Some(stored) = reading.reader.next_entry().unwrap() {
            entries.push(serde_json::from_str(&stored.json).unwrap());
        }
        if entries.len() == before && wait > Duration::from_secs(1) {
            while reading.woken.try_recv().is_ok() {
                reading.pipeline.look_around();
            }
            // Nothing comes any more: what was there is delivered.
            let delivered = entries.len() as u64;
            pauses += u32::from(reading.progress.local_written.load(Ordering::Relaxed) < delivered);
            reading
                .progress
                .wifi_delivered
                .store(delivered, Ordering::Relaxed);
            reading
                .progress
                .local_written
                .store(delivered, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    println!("waited for room or records {pauses} times");
    assert_each_once(&entries, RECORDS, "with a spool of 4 MiB");
}

#[test]
fn without_journalctl_the_agent_says_so_and_goes_on() {
    let journal = Journal::new("");
    let child = Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
        .args(["run", "--config"])
        .arg(journal.machine.config_path())
        .env("PATH", "/nowhere")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut agent = Agent::of(child);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(agent.is_running());
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0));
    assert!(said.contains("journalctl is not installed"), "{said}");
    let output = Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
        .args(["check", "--config"])
        .arg(journal.machine.config_path())
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("journal input needs journalctl"), "{said}");
    assert_eq!(json_lines(&journal.machine.local()).len(), 0);
}
