//! Hashes of what a drop says, by which it is known again however it was wrapped, and of the lines of
//! bare drops, which have no other number.

use std::collections::HashMap;

use ring::digest::{Context, SHA256};
use serde_json::{Map, Value};
use wire::LogEntry;
use wire::drops::{DropEntry, DropHeader, ReadDrop};

/// SHA-256 of the header and the entries.
pub(crate) fn drop_hash(read: &ReadDrop) -> [u8; 32] {
    let mut hash = Hash::new();
    match &read.header {
        Some(header) => hash.header(header),
        None => hash.number(0),
    }
    for item in &read.entries {
        hash.entry(&item.entry);
        hash.number(item.is_summary.into());
        hash.number(item.entry.seq.unwrap_or(0));
    }
    hash.finish()
}

/// A number for each line of a bare drop, made of what it says. The same line twice in one drop is
/// two events, and gets two numbers.
pub(crate) fn line_numbers(entries: &[DropEntry]) -> Vec<u64> {
    let mut times: HashMap<[u8; 32], u64> = HashMap::new();
    let mut numbers = Vec::with_capacity(entries.len());
    for item in entries {
        let mut hash = Hash::new();
        hash.entry(&item.entry);
        let line = hash.finish();
        let time = times.entry(line).or_insert(0);
        let mut hash = Hash::new();
        hash.bytes(&line);
        hash.number(*time);
        *time += 1;
        let [a, b, c, d, e, f, g, h, ..] = hash.finish();
        // 63 bits, as many as a seq has: two of 100,000 lines are alike once in a billion machines.
        numbers.push(u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 1);
    }
    numbers
}

/// A hash of values that do not run into each other.
struct Hash(Context);

impl Hash {
    fn new() -> Hash {
        Hash(Context::new(&SHA256))
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn header(&mut self, header: &DropHeader) {
        self.number(1);
        for number in [
            header.number,
            header.epoch,
            header.made_at.0 as u64,
            header.uptime_s.map_or(0, |s| s.saturating_add(1)),
            header.covers.first,
            header.covers.last,
        ] {
            self.number(number);
        }
        let counts = [header.covers.counts, header.left_out];
        for number in counts.iter().flat_map(|counts| counts.as_array()) {
            self.number(number);
        }
    }

    fn entry(&mut self, entry: &LogEntry) {
        self.number(entry.timestamp.0 as u64);
        self.number(entry.level.as_u8().into());
        self.number(entry.clock.as_u8().into());
        self.bytes(entry.component.as_bytes());
        self.bytes(entry.message.as_bytes());
        self.object(&entry.context);
    }

    /// In the order of the names: the order in memory is not ours to rely on.
    fn object(&mut self, object: &Map<String, Value>) {
        let mut fields: Vec<_> = object.iter().collect();
        fields.sort_unstable_by_key(|(name, _)| name.as_str());
        self.number(fields.len() as u64);
        for (name, value) in fields {
            self.bytes(name.as_bytes());
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                self.number(1);
                self.object(object);
            }
            Value::Array(items) => {
                self.number(2);
                self.number(items.len() as u64);
                items.iter().for_each(|item| self.value(item));
            }
            other => {
                self.number(3);
                self.bytes(other.to_string().as_bytes());
            }
        }
    }

    fn finish(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        out
    }
}
