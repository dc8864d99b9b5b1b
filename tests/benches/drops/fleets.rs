//! What is packed: machines whose logs trained nothing, and those that trained the dictionary.

use sim::recorded;
use wire::drops::dictionary::Sample;
use wire::time::{HOUR_US, SECOND_US};
use wire::{Level, LogEntry, Micros};

use crate::application::Machine;

/// Seeds of machines that train nothing.
const OTHER_SEED: u64 = 9_000;
/// Entries an hour of the second application.
pub const PER_HOUR: f64 = 1_000.0;
/// Machines that are packed.
const MACHINES: u64 = 6;
/// Machines and hours that the second application's dictionary is trained on.
const TRAINING: (u64, i64) = (12, 8);

/// Which machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fleet {
    /// The simulated vending application, the shipped dictionary.
    Simulated,
    /// The application with 200 templates, a dictionary that knows 90 % of them.
    Foreign,
}

/// The entries of each machine, of this level and above, for so many hours.
pub fn others(fleet: Fleet, least: Level, hours: i64) -> Vec<Vec<LogEntry>> {
    (0..MACHINES)
        .map(|index| {
            let end = start().plus_us(hours * HOUR_US);
            let entries: Box<dyn Iterator<Item = LogEntry>> = match fleet {
                Fleet::Simulated => {
                    let name = format!("OTHER{index}");
                    let setup = recorded::setup(index, OTHER_SEED, start());
                    Box::new(recorded::entries(&name, setup, end))
                }
                Fleet::Foreign => Box::new(
                    foreign(OTHER_SEED + index, false).take_while(move |e| e.timestamp < end),
                ),
            };
            entries.filter(|entry| entry.level >= least).collect()
        })
        .collect()
}

/// What the dictionary is trained on.
pub fn training(fleet: Fleet) -> Vec<Sample> {
    let (machines, hours) = TRAINING;
    let end = start().plus_us(hours * HOUR_US);
    let of_machine = |index: u64| -> Box<dyn Iterator<Item = LogEntry>> {
        match fleet {
            Fleet::Simulated => {
                let name = format!("SIM{index}");
                Box::new(recorded::entries(
                    &name,
                    recorded::setup(index, 1, start()),
                    end,
                ))
            }
            Fleet::Foreign => {
                Box::new(foreign(100 + index, true).take_while(move |e| e.timestamp < end))
            }
        }
    };
    (0..machines)
        .flat_map(|index| {
            of_machine(index).map(move |entry| Sample {
                machine: format!("SIM{index}").parse().expect("an id"),
                entry,
            })
        })
        .collect()
}

fn foreign(seed: u64, is_older: bool) -> impl Iterator<Item = LogEntry> {
    let mut machine = Machine::new(seed, start(), PER_HOUR, is_older);
    std::iter::from_fn(move || {
        let mut entry = machine.next_entry();
        // Its log has whole seconds.
        entry.timestamp = Micros(entry.timestamp.0.div_euclid(SECOND_US) * SECOND_US);
        Some(entry)
    })
}

fn start() -> Micros {
    Micros::parse_rfc3339("2026-01-22T00:00:00Z").expect("a time")
}
