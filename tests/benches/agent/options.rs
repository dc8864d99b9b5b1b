//! What the benchmark is asked for on its command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tests::wait::seconds;

/// Minutes at the true pace, as the written report has them: an interval of sending and more.
const FULL_MINUTES: u64 = 6;
/// Seconds of idleness in each turn, as the written report has them.
const FULL_IDLE_S: u64 = 60;

/// The command line.
pub struct Options {
    /// How long all peers are fed at the true pace.
    pub paced: Duration,
    /// How long each is idle in its turn.
    pub idle: Duration,
    /// The day that the report names.
    pub date: String,
    /// The only stage, for who works on what it measures: `turns`, `full` or `paced`.
    pub only: Option<String>,
    out: Option<PathBuf>,
}

impl Options {
    /// Reads `--minutes N`, `--idle SECONDS`, `--only STAGE`, `--date YYYY-MM-DD` (today when
    /// absent), `--out FILE`. Cargo's own `--bench` is passed over.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options {
            paced: seconds(60 * FULL_MINUTES),
            idle: seconds(FULL_IDLE_S),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            only: None,
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
                "--minutes" => {
                    let minutes: u64 = value()?.parse().context("--minutes takes a number")?;
                    options.paced = seconds(60 * minutes.max(1));
                }
                "--idle" => {
                    let idle: u64 = value()?.parse().context("--idle takes a number")?;
                    options.idle = seconds(idle.max(1));
                }
                "--only" => options.only = Some(value()?),
                "--date" => options.date = value()?,
                "--out" => options.out = Some(value()?.into()),
                other => bail!(
                    "{other} is not known; use --minutes N, --idle SECONDS, --only STAGE, \
                     --date DATE, --out FILE"
                ),
            }
        }
        Ok(options)
    }

    /// Whether this stage is asked for.
    pub fn has(&self, stage: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == stage)
    }

    /// Where the report goes: as asked, or for a run of full size `docs/BENCHMARKS.md`.
    pub fn report_path(&self) -> Option<PathBuf> {
        let is_full = self.only.is_none()
            && self.paced >= seconds(60 * FULL_MINUTES)
            && self.idle >= seconds(FULL_IDLE_S);
        let full = || is_full.then(tests::benchmarks::path);
        self.out.clone().or_else(full)
    }
}
