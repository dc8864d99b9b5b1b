//! What the pipeline, the shippers and the sockets tell each other.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use wire::LogEntry;

use super::ready::AGENT;
use crate::health::App;
use crate::pulse::Pulse;

/// Whether entries can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Open = 0,
    /// The spool has reached its bound.
    SpoolFull = 1,
    /// The disk has no room.
    DiskFull = 2,
}

/// How an input is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputState {
    /// As the spool knows it.
    pub name: String,
    /// Bytes that were not read yet, as far as that is known.
    pub lag_bytes: u64,
    /// Why it cannot be read, if it cannot.
    pub trouble: Option<String>,
}

/// What the pipeline and the shippers tell each other in numbers.
#[derive(Debug)]
pub struct Progress {
    /// Every entry up to this seq needs no WiFi any more.
    pub wifi_delivered: AtomicU64,
    /// Every entry up to this seq needs no cellular link any more. Without WiFi it decides what the
    /// spool holds; with WiFi, what that has delivered needs no other way.
    pub cell_delivered: AtomicU64,
    /// Every entry up to this seq is durable in the local file.
    pub local_written: AtomicU64,
    /// The local file cannot be written at the moment.
    pub local_failing: AtomicBool,
    /// Bytes in the inputs that were not read yet.
    pub input_lag_bytes: AtomicU64,
    /// Gaps told of since the agent started.
    pub gaps: AtomicU64,
    /// What the entries tell of the application.
    pub app: App,
    room: AtomicU8,
    inputs: Mutex<Vec<InputState>>,
    /// The thread that reads and spools.
    pub reading: Pulse,
    /// The thread that writes the local file.
    pub writing: Pulse,
}

impl Progress {
    /// With WiFi off, nothing waits for it; with the cellular path off, nothing for that.
    pub fn new(wifi_delivered: u64) -> Progress {
        Progress {
            wifi_delivered: AtomicU64::new(wifi_delivered),
            cell_delivered: AtomicU64::new(u64::MAX),
            local_written: AtomicU64::new(0),
            local_failing: AtomicBool::new(false),
            input_lag_bytes: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            app: App::default(),
            room: AtomicU8::new(Room::Open as u8),
            inputs: Mutex::default(),
            reading: Pulse::new(Instant::now()),
            writing: Pulse::new(Instant::now()),
        }
    }

    /// Whether entries can be taken now.
    pub fn room(&self) -> Room {
        match self.room.load(Ordering::Relaxed) {
            0 => Room::Open,
            1 => Room::SpoolFull,
            _ => Room::DiskFull,
        }
    }

    pub(super) fn set_room(&self, room: Room) {
        self.room.store(room as u8, Ordering::Relaxed);
    }

    /// An entry of the input of this number and name was taken.
    pub(super) fn appended(&self, input: usize, name: &str, entry: &LogEntry) {
        if entry.component != AGENT {
            self.app.entry(input, name, entry);
        } else if entry
            .context
            .get("event")
            .is_some_and(|event| event == "gap")
        {
            self.gaps.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How each input is doing, in the order of the configuration.
    pub fn inputs(&self) -> Vec<InputState> {
        let inputs = self.inputs.lock();
        inputs.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_inputs<'a>(
        &self,
        states: impl Iterator<Item = (&'a str, u64, Option<&'a str>)>,
    ) {
        let inputs = self.inputs.lock();
        let mut inputs = inputs.unwrap_or_else(PoisonError::into_inner);
        let mut total = 0;
        for (index, (name, lag_bytes, trouble)) in states.enumerate() {
            total += lag_bytes;
            if index == inputs.len() {
                inputs.push(InputState::default());
            }
            let input = &mut inputs[index];
            if input.name != name {
                name.clone_into(&mut input.name);
            }
            input.lag_bytes = lag_bytes;
            if input.trouble.as_deref() != trouble {
                input.trouble = trouble.map(str::to_owned);
            }
        }
        self.input_lag_bytes.store(total, Ordering::Relaxed);
    }
}
