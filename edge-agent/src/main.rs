//! `vendlog-agent`: the command line. Exit codes: 0 done, 1 failed, 2 wrong use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
    Check(ConfigFile),
    /// Print as JSON how far reading and delivery have got.
    Status(ConfigFile),
}

#[derive(clap::Args)]
struct ConfigFile {
    /// The configuration.
    #[arg(long, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(file) => run_agent(&file.config),
        Command::Check(file) => check_config(&file.config),
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

fn check_config(path: &Path) -> anyhow::Result<ExitCode> {
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let findings = check::check(&config, &fs::read_to_string(path)?);
    for remark in &findings.remarks {
        eprintln!("{}: note: {remark}", path.display());
    }
    for mistake in &findings.mistakes {
        eprintln!("{}: {mistake}", path.display());
    }
    let is_sound = findings.mistakes.is_empty();
    println!(
        "{}",
        serde_json::json!({"ok": is_sound, "mistakes": findings.mistakes.len()})
    );
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print_status(path: &Path) -> anyhow::Result<ExitCode> {
    let status = status::status(&Config::read(path)?)?;
    println!("{}", serde_json::to_string_pretty(&status)?);
    Ok(ExitCode::SUCCESS)
}
