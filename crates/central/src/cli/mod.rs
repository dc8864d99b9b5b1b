//! The commands of `vendlog-server`, one file each. A command on a data directory is a call of the
//! API: through the admin socket while a server runs there, else in process.

mod backend;
mod care;
mod config_file;
mod dictionary;
mod info;
mod logs;
mod machine;
mod openapi;
mod serve;
mod signin_link;
mod source;
mod token;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;

/// Takes the logs of vending machines, keeps them encrypted, and answers browsers and scripts.
///
/// Without a command it serves.
#[derive(Parser)]
#[command(name = "vendlog-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve machines and browsers until stopped (the default).
    Serve(serve::ServeArgs),
    /// Add, list and remove machines, and renew their keys.
    #[command(subcommand)]
    Machine(machine::MachineCommand),
    /// Make tokens for scripts.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Say where drops are fetched.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Make and bring dictionaries, which make drops small.
    #[command(subcommand)]
    Dictionary(dictionary::DictionaryCommand),
    /// Read what is stored.
    #[command(subcommand)]
    Logs(logs::LogsCommand),
    /// Print a one-time link that signs a browser in; the server must be running.
    SigninLink(signin_link::SigninLinkArgs),
    /// Print version, address, pin and size.
    Info(DataArgs),
    /// Print the OpenAPI description.
    Openapi,
}

/// Which data directory, and its key.
#[derive(Args, Debug, Clone)]
pub(crate) struct DataArgs {
    /// The directory of the store.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The file of the key that opens it [default: store.key in the configuration directory].
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl DataArgs {
    fn config(&self) -> Config {
        Config {
            key_file: self.key_file.clone(),
            ..Config::new(self.data.clone())
        }
    }
}

/// Runs the command of this process: 0 done, 1 failed, 2 wrong use.
pub fn run() -> ExitCode {
    let cli = Cli::parse_from(with_default_command(std::env::args_os().collect()));
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::anyhow!("no threads to run on: {error}")),
    };
    match runtime.block_on(run_command(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn run_command(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Machine(command) => machine::run(command).await,
        Command::Token(command) => token::run(command).await,
        Command::Source(command) => source::run(command).await,
        Command::Dictionary(command) => dictionary::run(command).await,
        Command::Logs(command) => logs::run(command).await,
        Command::SigninLink(args) => signin_link::run(args).await,
        Command::Info(args) => info::run(args).await,
        Command::Openapi => openapi::run(),
    }
}

/// One clear line, whatever the error's own form.
fn failed(error: &anyhow::Error) -> ExitCode {
    let line = format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    eprintln!("vendlog-server: {line}");
    ExitCode::FAILURE
}

/// `vendlog-server --data DIR` means `vendlog-server serve --data DIR`.
fn with_default_command(mut args: Vec<OsString>) -> Vec<OsString> {
    const OF_THE_WHOLE: [&str; 4] = ["--help", "-h", "--version", "-V"];
    let serves = args
        .get(1)
        .and_then(|first| first.to_str())
        .is_some_and(|first| first.starts_with('-') && !OF_THE_WHOLE.contains(&first));
    if serves {
        args.insert(1, OsString::from("serve"));
    }
    args
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_alone_mean_serve() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let cli = Cli::parse_from(with_default_command(args(&["v", "--data", "d"])));
        assert!(matches!(cli.command, Command::Serve(_)));
        let list = args(&["v", "machine", "list", "--data", "d"]);
        let cli = Cli::parse_from(with_default_command(list));
        assert!(matches!(cli.command, Command::Machine(_)));
    }
}
