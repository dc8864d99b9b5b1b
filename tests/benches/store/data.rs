//! The rows: what a hundred simulated applications log, the same for every run but for its end,
//! which is now.

use jiff::Timestamp;
use sim::app::{Application, Setup};
use sim::fleet::{Fate, entry};
use wire::redact::HashKey;
use wire::time::{HOUR_US, MINUTE_US};
use wire::{LogEntry, MachineId, Micros};

/// Machines in the fleet.
pub const MACHINES: usize = 100;
/// Decides everything that is left to chance.
const SEED: u64 = 20_260_122;
/// A poll every half minute and every tenth pulse, so that a day is about ten thousand entries.
const POLL_MS: i64 = 30_000;
const PULSES_PER_LINE: u32 = 10;
const SALES_PER_HOUR: f64 = 9.0;

/// The rows of the benchmark.
pub struct Data {
    /// Each machine's entries in order.
    pub machines: Vec<(MachineId, Vec<LogEntry>)>,
    /// When the newest was written.
    pub end: Micros,
}

impl Data {
    /// `count` entries in all, the newest of each machine just before `now`.
    pub fn generate(count: usize, now: Timestamp) -> Data {
        let end = Micros(Micros::from_timestamp(now).0 / MINUTE_US * MINUTE_US);
        let machines = (0..MACHINES)
            .map(|index| {
                let share = count / MACHINES + usize::from(index < count % MACHINES);
                let id = format!("VM{:03}", index + 1)
                    .parse()
                    .expect("a valid machine id");
                (id, entries(index, share, end))
            })
            .collect();
        Data { machines, end }
    }

    /// Entries in all.
    pub fn len(&self) -> usize {
        self.machines.iter().map(|(_, entries)| entries.len()).sum()
    }

    /// The rows as they are sent: one batch of each machine in turn, until none is left.
    pub fn batches(&self, rows: usize) -> impl Iterator<Item = (&MachineId, &[LogEntry])> {
        let most = self
            .machines
            .iter()
            .map(|(_, entries)| entries.len())
            .max()
            .unwrap_or(0);
        (0..most.div_ceil(rows)).flat_map(move |round| {
            self.machines.iter().filter_map(move |(id, entries)| {
                entries.chunks(rows).nth(round).map(|batch| (id, batch))
            })
        })
    }

    /// Hours from the oldest to the newest.
    pub fn hours(&self) -> f64 {
        let first = self
            .machines
            .iter()
            .filter_map(|(_, entries)| entries.first());
        let oldest = first.map(|entry| entry.timestamp).min().unwrap_or(self.end);
        self.end.since_us(oldest) as f64 / HOUR_US as f64
    }
}

fn entries(index: usize, count: usize, end: Micros) -> Vec<LogEntry> {
    let seed = SEED.wrapping_mul(1_000_003).wrapping_add(index as u64);
    let mut app = Application::new(Setup {
        faults: Fate::of(index).faults(),
        stamp_us: 1_000,
        poll_ms: POLL_MS,
        pulses_per_line: PULSES_PER_LINE,
        sales_per_hour: SALES_PER_HOUR,
        ..Setup::real(seed, Micros(0))
    });
    let key = HashKey::new([index as u8; 32]);
    let mut entries = Vec::with_capacity(count);
    while entries.len() < count {
        let seq = entries.len() as u64 + 1;
        entries.extend(entry(&app.next_step(), seq, &key));
    }
    // The machines' last entries lie a few milliseconds apart, as clocks do.
    let newest = entries.last().map_or(Micros(0), |entry| entry.timestamp);
    let shift = end.since_us(newest) - (index as i64 + 1) * 1_000;
    for entry in &mut entries {
        entry.timestamp = Micros(entry.timestamp.plus_us(shift).0 / 1_000 * 1_000);
    }
    entries
}
