//! A machine whose agent follows a journal that this test writes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Machine, messages, wait_for};

/// Where Debian keeps it: package `systemd-journal-remote`.
const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
/// The first record's time: 2026-01-22 14:30:15 UTC.
pub const FIRST_US: u64 = 1_769_092_215_000_000;
pub const SOAP: &str = "soap.service";

/// A machine whose agent follows a journal that somebody writes.
pub struct Journal {
    pub machine: Machine,
    remote: Option<Child>,
    records: u64,
    /// How often the machine was started.
    pub boot: u32,
}

impl Journal {
    /// `more` goes into the input's section.
    pub fn new(more: &str) -> Journal {
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

    pub fn file(&self, name: &str) -> PathBuf {
        self.machine.dir.path().join("journal").join(name)
    }

    /// Adds records, each with these fields, in the journal's export format.
    pub fn write(&mut self, records: &[&[(&str, &[u8])]]) {
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
    pub fn write_numbered(&mut self, numbers: std::ops::Range<u32>) {
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
    pub fn close(&mut self) {
        if let Some(mut remote) = self.remote.take() {
            drop(remote.stdin.take());
            assert!(remote.wait().unwrap().success());
        }
    }

    /// As journald does it: the file gets another name, and a new one is begun.
    pub fn rotate(&mut self, name: &str) {
        self.close();
        fs::rename(self.file("system.journal"), self.file(name)).unwrap();
    }

    pub fn entries(&self) -> Vec<Value> {
        whole_lines(&self.machine.local())
    }

    pub fn wait_for_entries(&self, count: usize) -> Vec<Value> {
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
pub fn whole_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// The processes with this word in their command line.
pub fn running(word: &str) -> Vec<u32> {
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
pub fn assert_each_once(entries: &[Value], count: u32, what: &str) {
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
