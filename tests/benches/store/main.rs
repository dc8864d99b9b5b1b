//! `cargo bench -p tests --bench store`: a million entries of a hundred machines through the real
//! server's API, and the same rows and questions in the plain schema of the paper, in turn.
//! Prints what it measures and, at full size, writes `docs/BENCHMARKS.md`. Gates nothing by time.

mod control;
mod data;
mod measure;
mod options;
mod product;
mod questions;
mod report;

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use control::Control;
use data::Data;
use measure::{Comparison, alternate, splits_per_second};
use options::Options;
use product::Product;
use questions::questions;

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench store: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder for the two stores")?;
    eprintln!(
        "making {} entries of {} machines",
        options.entries,
        data::MACHINES
    );
    let data = Data::generate(options.entries, jiff::Timestamp::now());

    eprintln!("posting them to the server");
    let mut product = Product::start(&folder.path().join("product"))?;
    let keys = product.register(&data)?;
    let mut product_in = product.ingest(&data, &keys)?;
    let stored = product.total()?;
    ensure!(
        stored == data.len() as u64,
        "the server has {stored} of {} entries",
        data.len()
    );
    product_in.bytes = product.restart()?;

    eprintln!("inserting them into the paper's schema");
    let mut control = Control::create(&folder.path().join("control.db"), &data)?;
    let control_in = control.ingest(&data)?;

    let mut answers = Vec::new();
    for question in questions(&data) {
        eprintln!("asking: {}", question.name);
        answers.push(alternate(&question, &mut product, &mut control)?);
    }
    let report = report::Report {
        date: options.date.clone(),
        entries: data.len(),
        hours: data.hours(),
        comparison: Comparison {
            product_in,
            control_in,
            answers,
            splits_per_second: splits_per_second(&data),
        },
        control_durability: control.durability()?,
    };
    println!("{}", report.text());
    if let Some(path) = options.report_path() {
        tests::benchmarks::write(&path, "The store", &report.text())
            .with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}
