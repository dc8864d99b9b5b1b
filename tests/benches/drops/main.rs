//! `cargo bench -p tests --bench drops`: how many entries a drop of 900 bytes holds, ours beside
//! the paper's text, the paper's sample compressor, gzip and zstd, on machines whose logs trained
//! nothing. Prints what it measures and writes its section of `docs/BENCHMARKS.md`. Nothing here
//! is a time.

mod application;
mod control;
mod fleets;
mod packed;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use wire::drops::Dictionary;
use wire::drops::dictionary::{TrainLimits, train};
use wire::{Level, LogEntry};

use control::Zstd;
use fleets::Fleet;

/// Hours of each machine from which full drops of all levels are made, and of the grave ones.
const HOURS_ALL: i64 = 10;
const HOURS_GRAVE: i64 = 240;
/// Hours that stand for a month of 720.
const HOURS_MONTH: i64 = 48;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench drops: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut rows = Vec::new();
    let mut months = Vec::new();
    let mut dictionaries = Vec::new();
    for fleet in [Fleet::Simulated, Fleet::Foreign] {
        eprintln!("training for {fleet:?}");
        let samples = fleets::training(fleet);
        let lines: Vec<LogEntry> = samples.iter().map(|sample| sample.entry.clone()).collect();
        let dictionary = match fleet {
            Fleet::Simulated => Dictionary::shipped(),
            Fleet::Foreign => Arc::new(train(samples, &TrainLimits::default())),
        };
        let mut zstd = Zstd::train(&lines)?;
        for (least, hours) in [(Level::Debug, HOURS_ALL), (Level::Warn, HOURS_GRAVE)] {
            eprintln!("packing {fleet:?}, {least} and above");
            let machines = fleets::others(fleet, least, hours);
            rows.push((
                fleet,
                least,
                packed::pack(&machines, &dictionary, &mut zstd)?,
            ));
        }
        eprintln!("packing a month of {fleet:?}");
        let machines = fleets::others(fleet, Level::Warn, HOURS_MONTH);
        let month = packed::by_hour(&machines, HOURS_MONTH, &dictionary)?;
        months.push((fleet, machines.len(), month));
        dictionaries.push((fleet, dictionary));
    }
    let report = report::Report {
        date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        rows,
        months,
        hours: HOURS_MONTH,
        dictionaries,
    };
    println!("{}", report.text());
    let path = tests::benchmarks::path();
    tests::benchmarks::write(&path, "Drops", &report.text())
        .with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
