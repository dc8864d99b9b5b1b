//! What a fleet of simulated machines has said, as NDJSON of entries: what a dictionary for the
//! simulated application is trained on.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};
use wire::redact::HashKey;
use wire::{LogEntry, Micros};

use crate::app::{Application, Fault, Setup};
use crate::fleet;
use crate::rng::Rng;

/// Machine `index` of a fleet that has everything: quiet and busy machines, each fault on some, the
/// application's own rhythm on most and that of the simulated fleet on the others.
pub fn setup(index: u64, seed: u64, start: Micros) -> Setup {
    const FAULTS: [Fault; 5] = [
        Fault::SilentReader,
        Fault::Link,
        Fault::Motor,
        Fault::CrashLoop,
        Fault::LostPayment,
    ];
    let seed = seed.wrapping_mul(1_000_003).wrapping_add(index);
    let mut rng = Rng::new(seed);
    let is_slow = index % 4 == 3;
    Setup {
        faults: FAULTS.into_iter().filter(|_| rng.chance(0.5)).collect(),
        sales_per_hour: rng.between(4, 14) as f64,
        timeouts_per_hour: rng.between(1, 6) as f64 / 2.0,
        poll_ms: if is_slow { 30_000 } else { 2_500 },
        pulses_per_line: if is_slow { 10 } else { 1 },
        ..Setup::real(seed, start)
    }
}

/// The entries that an agent makes of what this machine says until `end`, numbered from 1.
pub fn entries(name: &str, setup: Setup, end: Micros) -> impl Iterator<Item = LogEntry> + use<> {
    let key = HashKey::new(Sha256::digest(name).into());
    let stamp_us = setup.stamp_us;
    let mut app = Application::new(setup);
    let mut seq = 0;
    std::iter::from_fn(move || (app.next_at() < end).then(|| app.next_step())).filter_map(
        move |step| {
            let mut entry = fleet::entry(&step, seq + 1, &key)?;
            // The log has it no finer.
            let cut = entry.timestamp.0.div_euclid(stamp_us) * stamp_us;
            entry.timestamp = Micros(cut);
            seq += 1;
            Some(entry)
        },
    )
}

/// Writes what so many machines say in so many hours, a line an entry with its `machine_id`.
///
/// # Errors
/// It cannot be written.
pub fn write(
    out: &mut impl Write,
    machines: u64,
    seed: u64,
    start: Micros,
    hours: i64,
) -> Result<()> {
    let end = start.plus_us(hours * wire::time::HOUR_US);
    for index in 0..machines {
        let name = format!("SIM{:03}", index + 1);
        for entry in entries(&name, setup(index, seed, start), end) {
            let mut line = serde_json::to_value(&entry)?;
            if let Value::Object(line) = &mut line {
                line.insert("machine_id".into(), Value::from(&*name));
            }
            writeln!(out, "{line}").context("cannot write the entries")?;
        }
    }
    Ok(())
}
