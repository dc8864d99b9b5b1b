//! `vendlog-agent`: the command line. Exit codes: 0 done, 1 failed, 2 wrong use.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use edge_agent::config::Config;
use edge_agent::own_log::OwnLog;
use edge_agent::spool::SeqRange;
use edge_agent::{check, clock, drop_command, pair, run, spool_command, status};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use wire::Micros;
use wire::drops::{Dictionary, Form, TimePrecision};

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
    /// Bring this machine to the server that the code is of.
    Pair(PairArguments),
    /// Print how far reading and delivery have got: in words on a terminal, else as JSON.
    Status(StatusArguments),
    /// Print as JSON what the spool holds, or its entries.
    Spool(SpoolArguments),
    /// Turn entries into drops for the card reader, or drops into entries.
    #[command(subcommand)]
    Drop(DropCommand),
}

#[derive(Subcommand)]
enum DropCommand {
    /// Entries on standard input, one JSON object a line; drops on standard output.
    Encode(EncodeArguments),
    /// Drops on standard input, as encode writes them or one as it is; entries on standard output.
    Decode(DecodeArguments),
}

#[derive(clap::Args)]
struct EncodeArguments {
    /// Whose entries they are.
    #[arg(long, value_name = "ID")]
    machine: wire::MachineId,
    /// Write text, whatever its size.
    #[arg(long, conflicts_with = "dense")]
    text: bool,
    /// Write the dense form, also where text would do.
    #[arg(long)]
    dense: bool,
    /// Pack dense drops with this dictionary instead of the agent's own.
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// How exact times stay.
    #[arg(long, value_enum, default_value_t = Time::Second)]
    time: Time,
}

#[derive(clap::Args)]
struct DecodeArguments {
    /// When the drops arrived (RFC 3339): lines in the PRD's bare form get their year from it. Now
    /// when absent.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    received: Option<Micros>,
    /// A dictionary beside the agent's own; more than one may be given.
    #[arg(long, value_name = "FILE")]
    dictionary: Vec<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Time {
    Minute,
    Second,
    Ms,
}

fn instant(text: &str) -> Result<Micros, String> {
    Micros::parse_rfc3339(text).map_err(|_| "give RFC 3339 such as 2026-01-22T14:30:15Z".to_owned())
}

#[derive(clap::Args)]
struct SpoolArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the counts on one line.
    #[arg(long, conflicts_with = "entries")]
    json: bool,
    /// Print the entries, one JSON object a line.
    #[arg(long)]
    entries: bool,
    /// The first seq to print.
    #[arg(long, value_name = "SEQ", requires = "entries", default_value_t = 1)]
    from: u64,
    /// The last seq to print.
    #[arg(long, value_name = "SEQ", requires = "entries", default_value_t = u64::MAX)]
    to: u64,
}

#[derive(clap::Args)]
struct PairArguments {
    /// The word that `vendlog-server machine pairing-code` prints; `-` reads it from standard input.
    #[arg(allow_hyphen_values = true)]
    code: String,
    #[command(flatten)]
    file: ConfigFile,
    /// Pair also when the machine is paired as another one.
    #[arg(long)]
    replace: bool,
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

#[derive(clap::Args)]
struct StatusArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// As JSON, on a terminal too.
    #[arg(long, conflicts_with = "text")]
    json: bool,
    /// In words, for a program that shows them to a person.
    #[arg(long)]
    text: bool,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(file) => run_agent(&file.config),
        Command::Check(arguments) => check_config(&arguments.file.config, arguments.online),
        Command::Pair(arguments) => pair_machine(arguments),
        Command::Status(arguments) => print_status(&arguments),
        Command::Spool(arguments) => print_spool(&arguments),
        Command::Drop(DropCommand::Encode(arguments)) => encode_drops(arguments),
        Command::Drop(DropCommand::Decode(arguments)) => decode_drops(&arguments),
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
    let own = OwnLog::default();
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(to_stderr)
        .with(own.clone())
        .init();
    run::run(path, &own)?;
    Ok(ExitCode::SUCCESS)
}

fn pair_machine(arguments: PairArguments) -> anyhow::Result<ExitCode> {
    let mut code = arguments.code;
    if code == "-" {
        code.clear();
        io::stdin().read_line(&mut code)?;
    }
    let path = arguments.file.config;
    pair::become_agents_user(&path).context("cannot write with the rights of the agent's user")?;
    let tell = |change: &str| eprintln!("{}: {change}", path.display());
    match pair::pair(&code, &path, arguments.replace, tell) {
        Ok(paired) => {
            println!("{}", serde_json::to_string(&paired)?);
            eprintln!("paired; start the agent again: sudo systemctl restart vendlog-agent");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.is_wrong_use() => {
            eprintln!("vendlog-agent: {error}");
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(error.into()),
    }
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

fn print_status(arguments: &StatusArguments) -> anyhow::Result<ExitCode> {
    let config = Config::read(&arguments.file.config)?;
    let status = status::status(&config).with_context(|| {
        let dir = config.state_dir.display();
        format!("{dir} cannot be read; ask with sudo, or as the agent's user")
    })?;
    let is_for_a_person = arguments.text || io::stdout().is_terminal();
    match is_for_a_person && !arguments.json {
        true => print!("{}", status.to_text()),
        false => println!("{}", serde_json::to_string_pretty(&status)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_spool(arguments: &SpoolArguments) -> anyhow::Result<ExitCode> {
    use spool_command::Wanted;
    let wanted = match (arguments.entries, arguments.json) {
        (true, _) => match SeqRange::new(arguments.from, arguments.to) {
            Some(range) => Wanted::Entries(range),
            None => {
                eprintln!("vendlog-agent: --from must not be above --to");
                return Ok(ExitCode::from(2));
            }
        },
        (false, true) => Wanted::Line,
        (false, false) => Wanted::Pretty,
    };
    let config = Config::read(&arguments.file.config)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match spool_command::run(&config, wanted, &mut out) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed?,
    }
    Ok(ExitCode::SUCCESS)
}

fn encode_drops(arguments: EncodeArguments) -> anyhow::Result<ExitCode> {
    let how = drop_command::Encode {
        machine: arguments.machine,
        form: match (arguments.text, arguments.dense) {
            (true, _) => Form::Text,
            (_, true) => Form::Dense,
            _ => Form::Auto,
        },
        time: match arguments.time {
            Time::Minute => TimePrecision::Minute,
            Time::Second => TimePrecision::Second,
            Time::Ms => TimePrecision::Millisecond,
        },
        dictionary: match &arguments.dictionary {
            Some(path) => drop_command::dictionary(path)?,
            None => Dictionary::shipped(),
        },
        now: clock::now(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    drop_command::encode(&how, io::stdin().lock(), &mut out)?;
    Ok(ExitCode::SUCCESS)
}

fn decode_drops(arguments: &DecodeArguments) -> anyhow::Result<ExitCode> {
    let mut dictionaries = vec![Dictionary::shipped()];
    for path in &arguments.dictionary {
        dictionaries.push(drop_command::dictionary(path)?);
    }
    let received_at = arguments.received.unwrap_or_else(clock::now);
    let mut out = io::BufWriter::new(io::stdout().lock());
    drop_command::decode(received_at, &dictionaries, io::stdin().lock(), &mut out)?;
    Ok(ExitCode::SUCCESS)
}
