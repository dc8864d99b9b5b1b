//! What the benchmark is asked for on its command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The size that the written report is about.
const FULL_SIZE: usize = 1_000_000;
/// Below this a machine has no history to speak of.
const SMALLEST: usize = 10_000;

/// The command line.
pub struct Options {
    /// How many entries.
    pub entries: usize,
    /// The day that the report names.
    pub date: String,
    out: Option<PathBuf>,
}

impl Options {
    /// Reads `--entries N`, `--date YYYY-MM-DD` (today when absent), `--out FILE`. Cargo's own
    /// `--bench` is passed over.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Options> {
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let mut options = Options {
            entries: FULL_SIZE,
            date: today,
            out: None,
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "--bench" => {}
                "--entries" => {
                    options.entries = value()?.parse().context("--entries takes a number")?;
                }
                "--date" => options.date = value()?,
                "--out" => options.out = Some(value()?.into()),
                other => bail!("{other} is not known; use --entries N, --date DATE, --out FILE"),
            }
        }
        if options.entries < SMALLEST {
            bail!("--entries must be {SMALLEST} or more");
        }
        Ok(options)
    }

    /// Where the report goes: as asked, or for a run of full size `docs/BENCHMARKS.md`.
    pub fn report_path(&self) -> Option<PathBuf> {
        let full = || (self.entries >= FULL_SIZE).then(tests::benchmarks::path);
        self.out.clone().or_else(full)
    }
}
