//! Drops made by hand, for what no agent would send on demand: of another time, another machine,
//! another number.

use serde_json::Map;
use wire::drops::{Covers, DropEntry, DropHeader, TimePrecision, text};
use wire::{ClockState, Level, LogEntry, Micros};

/// A drop of ours in the making.
#[derive(Debug, Clone)]
pub struct DropFile {
    header: DropHeader,
    entries: Vec<DropEntry>,
}

impl DropFile {
    /// Drop `number` of epoch 7 of this machine, made at `made_at`, with nothing in it.
    ///
    /// # Panics
    /// The id is none.
    pub fn new(machine: &str, number: u64, made_at: &str) -> DropFile {
        let header = DropHeader {
            machine: machine.parse().expect("a machine's id"),
            number,
            epoch: 7,
            made_at: Micros::parse_rfc3339(made_at).expect("a time"),
            uptime_s: Some(4_000),
            covers: Covers::default(),
            left_out: wire::drops::Counts::default(),
            time: TimePrecision::Second,
        };
        DropFile {
            header,
            entries: Vec::new(),
        }
    }

    /// With one more entry; its seq is the next, beginning with the drop's number times 100.
    ///
    /// # Panics
    /// The time cannot be read.
    #[must_use]
    pub fn with(self, level: Level, at: &str, message: &str) -> DropFile {
        self.with_clock(level, at, message, ClockState::Synced)
    }

    /// The same under a clock that may not be set.
    ///
    /// # Panics
    /// The time cannot be read.
    #[must_use]
    pub fn with_clock(
        mut self,
        level: Level,
        at: &str,
        message: &str,
        clock: ClockState,
    ) -> DropFile {
        let seq = self.header.number * 100 + self.entries.len() as u64;
        let covers = &mut self.header.covers;
        if covers.is_empty() {
            covers.first = seq;
        }
        covers.last = seq;
        covers.counts.add(level, 1);
        self.entries.push(DropEntry {
            entry: LogEntry {
                seq: Some(seq),
                timestamp: Micros::parse_rfc3339(at).expect("a time"),
                level,
                component: "app".to_owned(),
                message: message.to_owned(),
                context: Map::new(),
                clock,
            },
            is_summary: false,
        });
        self
    }

    /// What our agents call it.
    pub fn name(&self) -> String {
        let header = &self.header;
        format!("{}-{}-{}.txt", header.machine, header.epoch, header.number)
    }

    /// Its text.
    pub fn text(&self) -> String {
        text::encode(&self.header, &self.entries)
    }
}
