//! The desktop app `vendlog`: central in this process, and a window over it. Wires the parts; what
//! each does is in its own module.

// A release build on Windows opens no console beside its window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod api;
mod args;
mod commands;
mod desktop;
mod export;
mod instance;
mod live;
mod notice;
mod problem;
mod system;
mod window;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tauri::{AppHandle, Manager, RunEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

use crate::args::Args;
use crate::desktop::Desktop;

/// What is logged unless `RUST_LOG` says otherwise: our own words, and only warnings of libraries.
const DEFAULT_LOG: &str = "warn,vendlog=info,central=info,store=info";

/// The exit code for wrong use, as clap uses it.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    log_to_stderr();
    if let Some(reason) = args.refused() {
        eprintln!("vendlog: {reason}");
        return ExitCode::from(WRONG_USE);
    }
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("vendlog: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(reason) = system::no_display() {
        anyhow::bail!(reason);
    }
    let default_dir = args::default_data_dir();
    let data_dir = match (&args.data, &default_dir) {
        (Some(named), _) => named.clone(),
        (None, Some(default)) => default.clone(),
        (None, None) => {
            anyhow::bail!("This system names no folder for data. Name one with --data.")
        }
    };
    let mut context = tauri::generate_context!();
    let base = std::mem::take(&mut context.config_mut().identifier);
    context.config_mut().identifier =
        instance::identifier(&base, &data_dir, default_dir.as_deref());

    // First, so that a second start ends before it opens anything.
    let single =
        tauri::Builder::default().plugin(tauri_plugin_single_instance::init(|app, _, _| {
            window::show(app)
        }));
    let app = notice::registered(single)
        .plugin(tauri_plugin_dialog::init())
        .plugin(window::remembering())
        .invoke_handler(tauri::generate_handler![
            commands::api,
            commands::subscribe,
            commands::unsubscribe,
            commands::export,
            commands::cancel_export,
        ])
        .setup(move |app| {
            let app = app.handle().clone();
            tauri::async_runtime::spawn(stop_when_asked(app.clone()));
            tauri::async_runtime::spawn(async move {
                if let Err(error) = start(&app, &args, data_dir).await {
                    fail(&app, &format!("{error:#}")).await;
                }
            });
            Ok(())
        })
        .build(context)
        .context("The window system did not start")?;

    let code = app.run_return(|app, event| {
        if let RunEvent::Exit = event
            && let Some(desktop) = app.try_state::<Arc<Desktop>>()
        {
            tauri::async_runtime::block_on(desktop.shut_down());
        }
    });
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Opens the store, then the window over it.
async fn start(app: &AppHandle, args: &Args, data_dir: PathBuf) -> anyhow::Result<()> {
    let mut config = central::Config::new(data_dir);
    config.key_file = args.key_file.clone();
    config.listen = Some(args.listen);
    let running = central::start(config).await?;
    match (running.url(), running.listen_error()) {
        (Some(url), _) => tracing::info!(url, pin = running.pin(), "agents can deliver"),
        (None, Some(error)) => tracing::warn!(error, "agents cannot deliver"),
        (None, None) => {}
    }
    // One line of JSON when ready, as vendlog-server prints it: whoever started us may go on.
    println!(
        "{}",
        serde_json::json!({ "url": running.url(), "pin": running.pin() })
    );
    let desktop = Desktop::new(running);
    app.manage(Arc::clone(&desktop));
    window::open(app, &desktop, args.hidden).context("The window could not be opened")?;
    tauri::async_runtime::spawn(notice::watch(app.clone(), desktop));
    Ok(())
}

/// Says why the app cannot work, on stderr and in a dialog, and ends it.
async fn fail(app: &AppHandle, why: &str) {
    eprintln!("vendlog: {why}");
    let (seen, is_seen) = tokio::sync::oneshot::channel();
    app.dialog()
        .message(why)
        .title("Vendlog cannot start")
        .kind(MessageDialogKind::Error)
        .show(move |_| {
            let _ = seen.send(());
        });
    let _ = is_seen.await;
    app.exit(1);
}

/// Ends the app as closing its window does, when the system asks the process to stop.
async fn stop_when_asked(app: AppHandle) {
    match system::stop_asked().await {
        Ok(()) => app.exit(0),
        Err(error) => tracing::warn!(%error, "signals are not handled; close the window to stop"),
    }
}

/// What happens goes to stderr; `RUST_LOG` chooses how much. Colours are for terminals only.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
