//! What the tests of the store share: a data directory of its own, and entries to put in.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod cell;
pub mod killing;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};
use store::{
    Credential, EntryPage, EntryQuery, Holder, Machine, NewEntries, Order, PageRequest, PathKind,
    Store, StoredEntry, WrappingKey,
};
use tempfile::TempDir;
use wire::{ClockState, Level, LogEntry, MachineId, Micros};

/// 2026-11-20T12:00:00Z: noon, so that a few hours to both sides are the same day.
pub const NOON: Micros = Micros(1_795_176_000_000_000);

/// A budget that no test reaches.
pub const AMPLE: Duration = Duration::from_secs(60);

/// A data directory and its key file, gone when dropped.
pub struct Place {
    base: TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place {
            base: tempfile::tempdir().unwrap(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.base.path().join("data")
    }

    pub fn key_file(&self) -> PathBuf {
        self.base.path().join("config/store.key")
    }

    pub fn key(&self) -> WrappingKey {
        WrappingKey::load_or_create(&self.key_file(), &self.data()).unwrap()
    }

    pub fn open(&self) -> Store {
        Store::open(&self.data(), &self.key(), NOON).unwrap()
    }

    /// A store with these machines.
    pub fn with_machines(&self, ids: &[&str]) -> Store {
        let store = self.open();
        for name in ids {
            add_machine(&store, name);
        }
        store
    }
}

pub fn id(name: &str) -> MachineId {
    name.parse().unwrap()
}

pub fn machine(name: &str) -> Machine {
    Machine {
        id: id(name),
        name: format!("Machine {name}"),
        location: "Lobby".to_owned(),
        timezone: "America/Los_Angeles".to_owned(),
        site: String::new(),
        route: String::new(),
        tags: vec!["indoor".to_owned(), "a \"quoted\" tag".to_owned()],
        owner: String::new(),
        opening_hours: String::new(),
        reader_serials: vec!["VK1".to_owned()],
        created_at: NOON,
    }
}

pub fn key_of(name: &str, key_id: &str, at: Micros) -> Credential {
    Credential {
        key_id: key_id.to_owned(),
        sha256: [7; 32],
        holder: Holder::Machine(id(name)),
        created_at: at,
        expires_at: None,
        state: store::KeyState::InUse,
    }
}

pub fn add_machine(store: &Store, name: &str) {
    store
        .add_machine(&machine(name), &key_of(name, &format!("key-{name}"), NOON))
        .unwrap();
}

pub fn entry(seq: u64, at: Micros, level: Level, component: &str, message: &str) -> LogEntry {
    LogEntry {
        seq: Some(seq),
        timestamp: at,
        level,
        component: component.to_owned(),
        message: message.to_owned(),
        context: Map::new(),
        clock: ClockState::Synced,
    }
}

/// Entries `seqs` of an epoch, a second apart, counted from `NOON`.
pub fn batch(name: &str, epoch: u64, seqs: impl IntoIterator<Item = u64>) -> NewEntries {
    let entries = seqs.into_iter().map(sample).collect();
    NewEntries {
        machine: id(name),
        epoch: Some(epoch),
        entries,
        refused_seqs: Vec::new(),
        path: PathKind::Wifi,
        received_at: NOON.plus_us(60_000_000),
    }
}

/// An entry that its seq decides: levels, components, templates and contexts of a living machine.
pub fn sample(seq: u64) -> LogEntry {
    let at = NOON.plus_us(-3_600_000_000 + seq as i64 * 1_000_000);
    let (level, component, message) = match seq % 10 {
        0 => (
            Level::Error,
            "payment",
            format!("Authorization timeout after {seq}s"),
        ),
        1 => (
            Level::Warn,
            "motor",
            format!("Motor row {} slow, retry", seq % 7),
        ),
        2 => (Level::Debug, "usb", format!("poll 0x{seq:08x} \"ok\"")),
        3 if seq % 50 == 3 => (Level::Critical, "door", "Cabinet door open".to_owned()),
        4 => (
            Level::Info,
            "payment",
            format!("Sale of ${}.25 in slot A{}", seq % 9, seq % 30),
        ),
        _ => (
            Level::Info,
            "main",
            format!("loop {seq} took {}.5 ms", seq % 13),
        ),
    };
    let mut entry = entry(seq, at, level, component, &message);
    if seq.is_multiple_of(4)
        && let Value::Object(context) =
            json!({"retry": seq % 3, "event": "Sale", "motor": {"row": seq % 5}})
    {
        entry.context = context;
    }
    entry
}

pub fn everything() -> EntryQuery {
    EntryQuery::default()
}

pub fn page(store: &Store, query: &EntryQuery, limit: usize) -> EntryPage {
    let request = PageRequest {
        order: Order::Desc,
        limit,
        cursor: None,
        budget: AMPLE,
    };
    store.page(query, &request).unwrap()
}

/// All entries of a query in order, by pages of `limit`.
pub fn all(store: &Store, query: &EntryQuery, order: Order, limit: usize) -> Vec<StoredEntry> {
    let mut request = PageRequest {
        order,
        limit,
        cursor: None,
        budget: AMPLE,
    };
    let mut entries = Vec::new();
    loop {
        let page = store.page(query, &request).unwrap();
        assert!(page.entries.len() <= limit);
        entries.extend(page.entries);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return entries,
        }
    }
}

/// The seqs that are stored of an epoch, sorted, as often as they are there.
pub fn seqs(store: &Store, epoch: u64) -> Vec<u64> {
    let mut seqs: Vec<u64> = store
        .entries(everything(), Order::Asc)
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.epoch == Some(epoch))
        .filter_map(|entry| entry.seq)
        .collect();
    seqs.sort_unstable();
    seqs
}
