//! `cargo bench -p tests --bench agent`: memory, wake-ups, processor time and written bytes of the
//! real agent, beside rsyslogd from Debian and a naive SQLite. Prints what it measures and, at full
//! size, writes its section of `docs/BENCHMARKS.md`. Gates nothing by time.

mod disk;
mod feed;
mod options;
mod peer;
mod proc;
mod report;
mod sqlite;
mod stages;

use std::process::ExitCode;

use anyhow::{Context, Result};
use tests::Server;

use options::Options;
use peer::Kind;

/// Product and control in turn.
const TURNS: [Kind; 5] = [
    Kind::Agent,
    Kind::Rsyslog,
    Kind::Agent,
    Kind::Rsyslog,
    Kind::Agent,
];

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
            eprintln!("bench agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let moments = feed::recorded()?;
    let mut server = Server::start(&folder.path().join("server"));

    let (mut agent, mut rsyslog) = (Vec::new(), Vec::new());
    for (index, kind) in TURNS
        .into_iter()
        .enumerate()
        .filter(|(_, kind)| options.has("turns") && kind.is_here())
    {
        eprintln!("{} is idle, then busy", kind.name());
        let folder = folder.path().join(format!("turn-{index}"));
        let id = format!("TURN{index}");
        let turn = stages::turn(kind, &folder, &server, &id, &moments, options.idle)?;
        eprintln!("{turn:?}");
        match kind {
            Kind::Agent => agent.push(turn),
            _ => rsyslog.push(turn),
        }
    }
    let mut sqlite_burst = None;
    if options.has("turns") {
        let folder = folder.path().join("burst");
        sqlite_burst = stages::sqlite_burst(&folder, &moments)?;
    }
    let mut full = None;
    if options.has("full") {
        eprintln!("filling a spool, and draining it");
        let folder = folder.path().join("full");
        full = Some(stages::full(&folder, &server, &moments)?);
    }
    let mut paced = Vec::new();
    if options.has("paced") {
        eprintln!("1,000 entries an hour for {} s", options.paced.as_secs());
        let folder = folder.path().join("paced");
        paced = stages::paced(&folder, &server, &moments, options.paced)?;
    }
    server.stop();

    let report = report::Report {
        date: options.date.clone(),
        paced_for: options.paced,
        idle_for: options.idle,
        agent,
        rsyslog,
        sqlite_burst,
        paced,
        full,
    };
    println!("{}", report.text());
    if let Some(path) = options.report_path() {
        tests::benchmarks::write(&path, "The agent", &report.text())
            .with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}
