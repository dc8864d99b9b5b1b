//! `serve`, the default: everything up until a signal comes.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::DataArgs;
use super::config_file::ConfigFile;
use crate::config::{Config, DEFAULT_LISTEN};
use crate::start;

/// How to serve.
#[derive(Args)]
pub struct ServeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Where machines and browsers come in; port 0 picks one [default: 127.0.0.1:4433].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A configuration file; flags go before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a one-time link on stderr that signs a browser in.
    #[arg(long, visible_alias = "headless")]
    signin_link: bool,
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    log_to_stderr();
    let running = start(config(&args)?).await?;
    if let Some(error) = running.listen_error() {
        let error = error.to_owned();
        running.shutdown().await;
        bail!(error);
    }
    let stopped = stop_signal()?;
    if args.signin_link {
        let link = running
            .signin_link()
            .map_err(|error| anyhow::anyhow!("{}", error.message()))?;
        eprintln!("Sign in with a browser, once, within 10 minutes: {link}");
    }
    let ready = json!({ "url": running.url(), "pin": running.pin() });
    writeln!(io::stdout(), "{ready}").context("stdout")?;
    tracing::info!(url = running.url(), "serving");
    stopped.await;
    tracing::info!("stopping: requests in flight end, then the store closes");
    running.shutdown().await;
    Ok(())
}

fn config(args: &ServeArgs) -> anyhow::Result<Config> {
    let file = match &args.config {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    Ok(Config {
        data_dir: args.data.data.clone(),
        key_file: args.data.key_file.clone().or(file.key_file),
        listen: Some(args.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN)),
        status: file.status.limits(),
    })
}

/// What is written when `VENDLOG_LOG` does not say: our own news and everybody's troubles.
const DEFAULT_LOG: &str = "warn,central=info,store=info";

/// `VENDLOG_LOG` chooses what is written; stdout is for machines.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("VENDLOG_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}

/// Listens for the signals that stop a server, from this call on.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Listens for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await; // no console: stopped from outside
        }
    })
}
