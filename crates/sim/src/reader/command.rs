//! The words of `vendlog-sim reader`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use eport::UploadLayout;
use eport::simulator::{Faults, Rest, Sales, Setup};
use jiff::SignedDuration;

use super::Options;

/// Be a card reader on a pseudo terminal. The first line of standard output is {"port": PATH}, each
/// further one an event. On standard input "swipe" presents a card, "status" asks how the reader is.
#[derive(Args)]
pub struct ReaderArgs {
    /// The folder for finished uploads, each a file with the name that it was uploaded with.
    #[arg(long)]
    uploads: PathBuf,
    /// Make a symbolic link to the port here.
    #[arg(long)]
    link: Option<PathBuf>,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong, as shares of bytes (lost, doubled, reordered, flipped, split), of commands
    /// (nak) or of uploads (cell, cancel): lost=0.001,cell=0.1
    #[arg(long, value_delimiter = ',', value_parser = fault)]
    faults: Vec<(FaultName, f64)>,
    /// A customer presents a card about this often, when the reader takes cards.
    #[arg(long, value_parser = duration)]
    sales_every: Option<Duration>,
    /// How long the bank takes.
    #[arg(long, default_value = "3s", value_parser = duration)]
    authorizing: Duration,
    /// The share of cards that are declined, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    declined: f64,
    /// What STATUS says when nothing is going on.
    #[arg(long, value_enum, default_value = "disabled")]
    rest: RestName,
    /// From the start to a cell connection.
    #[arg(long, default_value = "0s", value_parser = duration)]
    boot: Duration,
    /// From a command to its ACK.
    #[arg(long, default_value = "5ms", value_parser = duration)]
    ack_delay: Duration,
    /// From the last record of an upload until the server has it.
    #[arg(long, default_value = "300ms", value_parser = duration)]
    server_delay: Duration,
    /// The reader's serial number.
    #[arg(long, default_value = "K3BTS000123")]
    serial: String,
    /// Signal strength and bit error rate.
    #[arg(long, num_args = 2, value_names = ["RSSI", "BER"], default_values_t = [18, 0])]
    signal: Vec<u32>,
    /// So many seconds the reader's clock is ahead.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    clock_offset: i64,
    /// How the reader understands an upload, a JSON file with some of the layout's fields.
    #[arg(long)]
    layout: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum RestName {
    Ok,
    Disabled,
}

#[derive(Clone, Copy, ValueEnum)]
enum FaultName {
    Lost,
    Doubled,
    Reordered,
    Flipped,
    Split,
    Nak,
    Cell,
    Cancel,
}

/// Runs it.
///
/// # Errors
/// The layout cannot be used, or the simulator failed.
pub fn run(args: ReaderArgs) -> Result<()> {
    let options = args.options()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(super::run(options));
    // A thread may still wait for standard input.
    runtime.shutdown_background();
    result
}

impl ReaderArgs {
    fn options(self) -> Result<Options> {
        let layout = match &self.layout {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let layout: UploadLayout = serde_json::from_str(&text)
                    .with_context(|| format!("{} is no layout", path.display()))?;
                layout.check()?;
                layout
            }
            None => UploadLayout::default(),
        };
        let mut faults = Faults::default();
        for (name, share) in self.faults {
            *match name {
                FaultName::Lost => &mut faults.lost,
                FaultName::Doubled => &mut faults.doubled,
                FaultName::Reordered => &mut faults.reordered,
                FaultName::Flipped => &mut faults.flipped,
                FaultName::Split => &mut faults.split,
                FaultName::Nak => &mut faults.nak,
                FaultName::Cell => &mut faults.cell,
                FaultName::Cancel => &mut faults.cancel,
            } = share;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let defaults = Setup::default();
        let setup = Setup {
            seed: self.seed,
            layout,
            boot: self.boot,
            rest: match self.rest {
                RestName::Ok => Rest::Ok,
                RestName::Disabled => Rest::Disabled,
            },
            ack_delay: self.ack_delay,
            server_delay: self.server_delay,
            sales: Sales {
                every: self.sales_every,
                authorizing: self.authorizing,
                declined: self.declined,
                ..defaults.sales
            },
            faults,
            serial_number: self.serial,
            signal: (self.signal[0], self.signal[1]),
            unix_seconds_at_0: i64::try_from(now)? + self.clock_offset,
            ..defaults
        };
        Ok(Options {
            uploads: self.uploads,
            link: self.link,
            setup,
        })
    }
}

fn fault(text: &str) -> Result<(FaultName, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write it as name=share")?;
    Ok((FaultName::from_str(name, true)?, share(value)?))
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be 0 to 1".to_owned()),
    }
}

/// `5ms`, `1m 30s`.
fn duration(text: &str) -> Result<Duration, String> {
    let signed = text
        .parse::<SignedDuration>()
        .map_err(|error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "must not be negative".to_owned())
}
