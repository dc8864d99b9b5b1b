//! `vendlog-agent`: the command line. Exit codes: 0 done, 1 failed, 2 wrong use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use edge_agent::config::Config;
use edge_agent::{check, run, status};

/// Where the package puts the configuration.
const DEFAULT_CONFIG: &str = "/etc/vendlog/agent.toml";

/// Reads a vending machine's log, spools it durably and delivers it to the server.
#[derive(Parser)]
#[command(name = "vendlog-agent", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run until SIGTERM.
    Run(ConfigFile),
    /// Look for mistakes in the configuration and its surroundings.
    Check(CheckArguments),
    /// Print as JSON how far reading and delivery have got.
    Status(ConfigFile),
}

#[derive(clap::Args)]
struct ConfigFile {
    /// The configuration.
    #[arg(long, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

#[derive(clap::Args)]
struct CheckArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Try the connection to the server too.
    #[arg(long)]
    online: bool,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(file) => run_agent(&file.config),
        Command::Check(arguments) => check_config(&arguments.file.config, arguments.online),
        Command::Status(file) => print_status(&file.config),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("vendlog-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_agent(path: &Path) -> anyhow::Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    run::run(path)?;
    Ok(ExitCode::SUCCESS)
}

fn check_config(path: &Path, online: bool) -> anyhow::Result<ExitCode> {
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            println!("{}", verdict(mistakes.list().len()));
            return Ok(ExitCode::FAILURE);
        }
    };
    let text = fs::read_to_string(path)?;
    check::become_owner_of(&config.state_dir)
        .context("cannot look with the rights of the service's user")?;
    let user = check::User::current();
    if !user.is_root() {
        eprintln!("looking with the rights of {}", user.name);
    }
    let mut findings = check::check(path, &config, &text);
    if online {
        check::online(&config, &mut findings)?;
    }
    for remark in &findings.remarks {
        eprintln!("{}: note: {remark}", path.display());
    }
    for mistake in &findings.mistakes {
        eprintln!("{}: {mistake}", path.display());
    }
    println!("{}", verdict(findings.mistakes.len()));
    Ok(match findings.mistakes.len() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn verdict(mistakes: usize) -> serde_json::Value {
    serde_json::json!({"ok": mistakes == 0, "mistakes": mistakes})
}

fn print_status(path: &Path) -> anyhow::Result<ExitCode> {
    let status = status::status(&Config::read(path)?)?;
    println!("{}", serde_json::to_string_pretty(&status)?);
    Ok(ExitCode::SUCCESS)
}
