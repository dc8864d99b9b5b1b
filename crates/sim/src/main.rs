//! `vendlog-sim`: a simulated vending application and a simulated fleet, for trying the product and
//! for its tests.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sim::app::writer::{self, OnRestart};
use sim::app::{Fault, Setup};
use sim::fleet;
use sim::reader::command::{self as reader, ReaderArgs};
use sim::recorded;
use sim::usalive::command::{self as usalive, UsaliveArgs};
use wire::Micros;

/// Simulates vending machines.
#[derive(Parser)]
#[command(name = "vendlog-sim", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a log as the real vending application does.
    App(AppArgs),
    /// Post to a server as many machines.
    Fleet(FleetArgs),
    /// Print what many machines say as NDJSON of entries: what a dictionary is trained on.
    Entries(EntriesArgs),
    /// Be a card reader on a pseudo terminal.
    Reader(ReaderArgs),
    /// Forward the reader's uploads as USALive does, or worse.
    Usalive(UsaliveArgs),
}

#[derive(Args)]
struct AppArgs {
    /// The log file to write.
    #[arg(long)]
    log: PathBuf,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the log starts, RFC 3339.
    #[arg(long, conflicts_with = "from_ago")]
    start: Option<Timestamp>,
    /// How long ago the log starts, such as 6h or 30m; now when absent.
    #[arg(long, value_parser = duration)]
    from_ago: Option<Duration>,
    /// Where the past ends, RFC 3339 or "now".
    #[arg(long, default_value = "now", value_parser = instant)]
    until: Timestamp,
    /// Simulated seconds in one real second until then; everything at once when absent.
    #[arg(long, value_parser = speed)]
    speed: Option<f64>,
    /// Go on in real time afterwards. The name of a fault on standard input makes it happen.
    #[arg(long)]
    live: bool,
    /// What goes wrong now and then, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Stamps with milliseconds, as Python writes them without a date format.
    #[arg(long)]
    ms: bool,
    /// The zone of the stamps, such as America/Los_Angeles.
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// What the application does to its log when it starts again.
    #[arg(long, value_enum, default_value = "append")]
    on_restart: OnRestart,
    /// Also write what a right reader must make of each record, one JSON object a line.
    #[arg(long)]
    truth: Option<PathBuf>,
}

#[derive(Args)]
struct EntriesArgs {
    /// So many machines, each its own seed.
    #[arg(long, default_value_t = 12)]
    machines: u64,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When they start, RFC 3339.
    #[arg(long, default_value = "2026-01-22T00:00:00Z")]
    start: Timestamp,
    /// So many hours of each.
    #[arg(long, default_value_t = 48)]
    hours: i64,
}

#[derive(Args)]
struct FleetArgs {
    /// The server, such as https://127.0.0.1:4433.
    #[arg(long)]
    url: String,
    /// The server's pin, sha256/…
    #[arg(long)]
    pin: String,
    /// Machines and keys, one object {"machine_id","api_key"} a line.
    #[arg(long)]
    keys: PathBuf,
    /// So many machines from the file; all when absent.
    #[arg(long)]
    machines: Option<usize>,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How much past each machine sends first, such as 24h.
    #[arg(long, default_value = "6h", value_parser = duration)]
    history: Duration,
    /// Stop when the past is sent.
    #[arg(long)]
    history_only: bool,
    /// Time between heartbeats.
    #[arg(long, default_value = "60s", value_parser = duration)]
    heartbeat: Duration,
    /// When the machine whose fate it is falls silent.
    #[arg(long, default_value = "5m", value_parser = duration)]
    silent_after: Duration,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::App(args) => app(args),
        Command::Fleet(args) => post_as_fleet(args),
        Command::Entries(args) => print_entries(&args),
        Command::Reader(args) => reader::run(args),
        Command::Usalive(args) => forward(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vendlog-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn app(args: AppArgs) -> Result<()> {
    let now = Timestamp::now();
    let start = match (args.start, args.from_ago) {
        (Some(start), _) => start,
        (None, Some(ago)) => now - SignedDuration::try_from(ago)?,
        (None, None) => now,
    };
    let zone = TimeZone::get(&args.timezone)
        .with_context(|| format!("\"{}\" is no time zone", args.timezone))?;
    writer::run(writer::Options {
        log: args.log,
        setup: Setup {
            faults: args.faults,
            stamp_us: if args.ms { 1_000 } else { 1_000_000 },
            ..Setup::real(args.seed, Micros::from_timestamp(start))
        },
        zone,
        milliseconds: args.ms,
        on_restart: args.on_restart,
        speed: args.speed,
        until: Micros::from_timestamp(args.until),
        live: args.live,
        truth: args.truth,
    })
}

fn print_entries(args: &EntriesArgs) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let start = Micros::from_timestamp(args.start);
    recorded::write(&mut out, args.machines, args.seed, start, args.hours)?;
    out.flush().context("cannot write the entries")
}

fn post_as_fleet(args: FleetArgs) -> Result<()> {
    let options = fleet::Options {
        url: args.url.trim_end_matches('/').to_owned(),
        pin: args.pin,
        members: fleet::read_members(&args.keys, args.machines)?,
        seed: args.seed,
        history: args.history,
        heartbeat: args.heartbeat,
        silent_after: args.silent_after,
        history_only: args.history_only,
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(fleet::run(options))
}

fn forward(args: UsaliveArgs) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(usalive::run(args))
}

/// `6h`, `1h 30m`, `45s`.
fn duration(text: &str) -> Result<Duration, String> {
    let signed = text
        .parse::<SignedDuration>()
        .map_err(|error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "must not be negative".to_owned())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    match text {
        "now" => Ok(Timestamp::now()),
        text => text.parse().map_err(|error: jiff::Error| error.to_string()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("must be a number above 0".to_owned()),
    }
}
