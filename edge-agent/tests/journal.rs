//! The journal input on real journal files, made by systemd's own `systemd-journal-remote`: each
//! record once, whoever is killed, and what is missing is said.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Agent, Machine, json_lines, messages, wait_for};

/// Where Debian keeps it: package `systemd-journal-remote`.
const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
/// The first record's time: 2026-01-22 14:30:15 UTC.
const FIRST_US: u64 = 1_769_092_215_000_000;
const SOAP: &str = "soap.service";

/// A machine whose agent follows a journal that somebody writes.
struct Journal {
    machine: Machine,
    remote: Option<Child>,
    records: u64,
    /// How often the machine was started.
    boot: u32,
}

impl Journal {
    /// `more` goes into the input's section.
    fn new(more: &str) -> Journal {
        assert!(
            Path::new(REMOTE).exists(),
            "{REMOTE} is missing; `cargo xtask test` installs it (systemd-journal-remote)"
        );
        let machine = Machine::new("");
        let dir = machine.dir.path().display();
        let text = format!(
            "machine_id = \"VM001\"\nstate_dir = \"{dir}/state\"\n\
             [[input]]\nkind = \"journal\"\nunits = [\"{SOAP}\"]\ndirectory = \"{dir}/journal\"\n\
             {more}\n[local]\npath = \"{dir}/local/vending.log\"\nmax_bytes = 1073741824\n"
        );
        fs::write(machine.config_path(), text).unwrap();
        fs::create_dir(machine.dir.path().join("journal")).unwrap();
        Journal {
            machine,
            remote: None,
            records: 0,
            boot: 1,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.machine.dir.path().join("journal").join(name)
    }

    /// Adds records, each with these fields, in the journal's export format.
    fn write(&mut self, records: &[&[(&str, &[u8])]]) {
        let mut bytes = Vec::new();
        for fields in records {
            let micros = self.records * 1000;
            self.records += 1;
            write!(
                bytes,
                "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n\
                 _BOOT_ID=6c7f1d0d0d6a4f52b1f4f5e0{:08x}\n",
                FIRST_US + micros,
                1_000_000 + micros,
                self.boot
            )
            .unwrap();
            for (name, value) in *fields {
                bytes.extend(name.as_bytes());
                bytes.push(b'\n');
                bytes.extend((value.len() as u64).to_le_bytes());
                bytes.extend(*value);
                bytes.push(b'\n');
            }
            bytes.push(b'\n');
        }
        let file = self.file("system.journal");
        let remote = self.remote.get_or_insert_with(|| {
            Command::new(REMOTE)
                .arg("-o")
                .arg(file)
                .arg("-")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        });
        remote.stdin.as_mut().unwrap().write_all(&bytes).unwrap();
    }

    /// Adds numbered messages of our unit, with one of another unit after every third.
    fn write_numbered(&mut self, numbers: std::ops::Range<u32>) {
        let mut records: Vec<Vec<(&str, Vec<u8>)>> = Vec::new();
        for number in numbers {
            let fields = |unit: &'static str| {
                let message = format!("record {number:06}").into_bytes();
                vec![
                    ("_SYSTEMD_UNIT", unit.into()),
                    ("SYSLOG_IDENTIFIER", b"python3".to_vec()),
                    ("PRIORITY", b"6".to_vec()),
                    ("MESSAGE", message),
                ]
            };
            records.push(fields(SOAP));
            if number % 3 == 0 {
                records.push(fields("other.service"));
            }
        }
        let records: Vec<Vec<(&str, &[u8])>> = records
            .iter()
            .map(|fields| {
                fields
                    .iter()
                    .map(|(name, value)| (*name, &value[..]))
                    .collect()
            })
            .collect();
        let records: Vec<&[_]> = records.iter().map(Vec::as_slice).collect();
        self.write(&records);
    }

    /// What was written is in the file, and the file is closed.
    fn close(&mut self) {
        if let Some(mut remote) = self.remote.take() {
            drop(remote.stdin.take());
            assert!(remote.wait().unwrap().success());
        }
    }

    /// As journald does it: the file gets another name, and a new one is begun.
    fn rotate(&mut self, name: &str) {
        self.close();
        fs::rename(self.file("system.journal"), self.file(name)).unwrap();
    }

    fn entries(&self) -> Vec<Value> {
        whole_lines(&self.machine.local())
    }

    fn wait_for_entries(&self, count: usize) -> Vec<Value> {
        let mut seen = (0, Instant::now());
        wait_for(&format!("{count} entries"), || {
            let now = self.entries().len();
            if now != seen.0 {
                seen = (now, Instant::now());
            }
            now >= count || seen.1.elapsed() > Duration::from_secs(15)
        });
        self.entries()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(mut remote) = self.remote.take() {
            let _ = remote.kill();
            let _ = remote.wait();
        }
    }
}

/// The entries of the local file but for one that is being written.
fn whole_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// The processes with this word in their command line.
fn running(word: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let line = fs::read(process.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (line.contains("journalctl") && line.contains(word)).then_some(pid)
        })
        .collect()
}

/// Each number below `count` once and in order.
fn assert_each_once(entries: &[Value], count: u32, what: &str) {
    let mut times: BTreeMap<u32, u32> = (0..count).map(|number| (number, 0)).collect();
    let mut last = None;
    let mut is_in_order = true;
    for message in messages(entries) {
        let number = message.strip_prefix("record ").expect(&message);
        let number: u32 = number.parse().unwrap();
        *times.entry(number).or_default() += 1;
        is_in_order &= last < Some(number);
        last = Some(number);
    }
    let lost = times.values().filter(|times| **times == 0).count();
    let twice = times.values().filter(|times| **times > 1).count();
    println!("{what}: {count} records, {lost} lost, {twice} twice");
    assert_eq!((lost, twice, is_in_order), (0, 0, true), "{what}");
}

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
