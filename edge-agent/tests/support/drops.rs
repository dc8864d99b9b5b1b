//! A machine whose vending application brings drops to the reader, and the application's side of it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};
use wire::LogEntry;
use wire::drops::{DROP_MAX_BYTES, Dictionary, ReadDrop, read};

use crate::support::client::Client;
use crate::support::{Machine, now, wait_for};

/// A machine in handoff mode.
pub struct Cellular {
    pub machine: Machine,
    pub path: PathBuf,
}

impl Cellular {
    /// `eport` is added to `[eport]`, `more` is sections of its own. Drops that go every second must
    /// not be held back for the month's data.
    pub fn new(eport: &str, more: &str) -> Cellular {
        let machine = Machine::new("");
        let path = machine.dir.path().join("run/agent.sock");
        machine.configure(&format!(
            "[[input]]\nkind = \"socket\"\npath = \"{}\"\nmode = \"0600\"\n[eport]\nmode = \
             \"handoff\"\nmonthly_budget_bytes = 1000000000000\n{eport}{more}",
            path.display()
        ));
        Cellular { machine, path }
    }

    /// Logs as the application does.
    pub fn log(&self, level: &str, message: &str) {
        self.log_at("2026-01-22 14:30:15,123", level, message);
    }

    pub fn log_at(&self, stamp: &str, level: &str, message: &str) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.machine.log())
            .unwrap();
        writeln!(file, "{stamp} - __main__ - {level} - {message}").unwrap();
    }

    /// Every entry, what the agent said of itself too.
    pub fn local(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.machine.local()).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub fn try_connect(&self) -> Option<Client> {
        Client::connect(&self.path).ok()
    }

    pub fn connect(&self) -> Client {
        wait_for("the socket", || Client::connect(&self.path).is_ok());
        Client::connect(&self.path).unwrap()
    }
}

/// What the application was handed, and what it said of it.
#[derive(Default)]
pub struct Desk {
    handed: BTreeMap<u64, String>,
    sent: BTreeSet<u64>,
    pub handed_out: u64,
}

impl Desk {
    /// Asks for a drop and brings it to the reader. `fate`: 0 and 1 it works and is said, 2 it works
    /// and nothing is said of it, 3 it is said to have failed.
    pub fn ask(&mut self, client: &mut Client, fate: impl FnOnce() -> u64) -> io::Result<()> {
        client.send("{\"cmd\":\"next_drop\"}\n")?;
        let answer = client.answer()?;
        assert_eq!(answer["ok"], true, "{answer}");
        let offered = &answer["drop"];
        if offered.is_null() {
            return Ok(());
        }
        let id = offered["id"].as_u64().unwrap();
        let data = offered["data"].as_str().unwrap().to_owned();
        self.handed_out += 1;
        assert!(data.len() <= DROP_MAX_BYTES, "{}", data.len());
        let name = offered["name"].as_str().unwrap();
        assert!(
            name.starts_with("VM001-") && name.ends_with(&format!("-{id}.txt")),
            "{name}"
        );
        if let Some(before) = self.handed.insert(id, data.clone()) {
            assert_eq!(before, data, "drop {id} was another one before");
        }
        match fate() {
            0 | 1 => {
                self.sent.insert(id);
                let said = json!({"cmd": "drop_sent", "id": id, "signal_rssi": 17});
                client.send(&format!("{said}\n"))?;
            }
            2 => {
                self.sent.insert(id);
                return Ok(());
            }
            _ => {
                let said = json!({"cmd": "drop_failed", "id": id, "reason": "FAIL_MODEM"});
                client.send(&format!("{said}\n"))?;
            }
        }
        let answer = client.answer()?;
        assert_eq!(answer["ok"], true, "{answer}");
        Ok(())
    }

    /// How many drops there were.
    pub fn count(&self) -> usize {
        self.handed.len()
    }

    fn read_all(&self) -> BTreeMap<u64, ReadDrop> {
        let read = |(id, data): (&u64, &String)| {
            let lookup = |_| Some(Dictionary::shipped());
            (*id, read(data.as_bytes(), now(), lookup).unwrap())
        };
        self.handed
            .iter()
            .filter(|(id, _)| self.sent.contains(id))
            .map(read)
            .collect()
    }

    pub fn first_drop(&self) -> ReadDrop {
        self.read_all().into_values().next().unwrap()
    }

    pub fn entries(&self) -> Vec<LogEntry> {
        let drops = self.read_all().into_values();
        drops
            .flat_map(|read| read.entries)
            .map(|entry| entry.entry)
            .collect()
    }

    pub fn says(&self, words: &str) -> bool {
        self.entries()
            .iter()
            .any(|entry| entry.message.contains(words))
    }

    /// Whether the drops cover everything that the machine has logged so far.
    pub fn covers_all(&self, local: &[Value]) -> bool {
        let last = local
            .iter()
            .filter_map(|entry| entry["seq"].as_u64())
            .max()
            .unwrap_or(0);
        let drops = self.read_all();
        let covered = drops.values().filter_map(|read| read.header.as_ref());
        let is_covered = covered.map(|header| header.covers.last).max() >= Some(last);
        is_covered && seqs_of(local, "CRITICAL").is_subset(&self.seqs())
    }

    fn seqs(&self) -> BTreeSet<u64> {
        self.entries()
            .iter()
            .filter_map(|entry| entry.seq)
            .collect()
    }

    /// Every number from 1 on is there, each covers what follows the one before, and what is told is
    /// what was logged; answers the seqs that were told.
    pub fn check(&self, local: &[Value]) -> BTreeSet<u64> {
        let drops = self.read_all();
        let numbers: Vec<u64> = drops.keys().copied().collect();
        assert_eq!(
            numbers,
            (1..=numbers.len() as u64).collect::<Vec<_>>(),
            "no number is missing"
        );
        let mut covered = 0;
        for (number, read) in &drops {
            let header = read.header.as_ref().unwrap();
            assert_eq!(header.number, *number);
            if !header.covers.is_empty() {
                assert_eq!(header.covers.first, covered + 1, "drop {number}");
                covered = header.covers.last;
            }
        }
        for entry in self.entries() {
            let seq = entry.seq.unwrap();
            let logged = local.iter().find(|logged| logged["seq"] == seq);
            let logged = logged.unwrap_or_else(|| panic!("{seq} was never logged: {entry:?}"));
            assert_eq!(logged["message"], entry.message);
            assert_eq!(logged["level"], entry.level.as_str());
        }
        self.seqs()
    }
}

/// The seqs of the entries of a level.
pub fn seqs_of(local: &[Value], level: &str) -> BTreeSet<u64> {
    let of_level = local.iter().filter(|entry| entry["level"] == level);
    of_level.filter_map(|entry| entry["seq"].as_u64()).collect()
}
