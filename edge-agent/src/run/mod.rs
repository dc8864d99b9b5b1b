//! `vendlog-agent run`: puts the parts together, and takes them apart in order.
//!
//! One thread reads and spools, one writes the local file, and the main thread runs the shippers
//! and the signals. They meet only at the spool.

mod cell;
mod shipping;
mod threads;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;
use wire::redact::{Redactor, Rules};

use crate::care::{Base, Configuration};
use crate::clock;
use crate::durable;
use crate::eport::EportState;
use crate::own_log::OwnLog;
use crate::pipeline::{Progress, Wake};
use crate::service;
use crate::spool::Spool;
use crate::state_dir::{StateDir, names};
use crate::wifi::WifiState;
use cell::{Cell, Shippers};
use threads::{Parts, Running, join, start};

/// How long the ending agent tries to send what is left; it is in the spool anyway.
const LAST_SEND: Duration = Duration::from_secs(3);

/// Why the agent's parts ended.
enum Outcome {
    /// The agent was asked to end.
    Stopped,
    /// They are to be started with another configuration.
    Reconfigured,
    /// The same, with the file as a person has changed it.
    Edited(Box<Base>),
}

/// Runs with the configuration in this file, or the one that the server has handed out since, until
/// SIGTERM or SIGINT; then flushes, syncs and sends once more. `own` is what the agent logs itself.
///
/// # Errors
/// The configuration has mistakes, the state directory cannot be used, or the spool failed. A
/// failed spool must end the agent: a restart reads the inputs again from the last durable entry.
pub fn run(path: &Path, own: &OwnLog) -> anyhow::Result<()> {
    let base = Base::read(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Before anything is begun: a signal must find somebody who ends it in order.
    let mut stop = runtime.block_on(async { StopSignals::new() })?;
    let state_dir = StateDir::open(&base.config.state_dir)?;
    let configuration = Configuration::open(base, &state_dir.join(names::CONFIG));
    let configuration = Rc::new(RefCell::new(configuration));
    loop {
        match run_once(&runtime, (&mut stop, path), &state_dir, &configuration, own) {
            Ok(Outcome::Stopped) => return Ok(()),
            Ok(Outcome::Reconfigured) => tracing::info!("starting with another configuration"),
            Ok(Outcome::Edited(base)) => {
                tracing::info!("starting with the configuration as it was edited");
                *configuration.borrow_mut() =
                    Configuration::open(*base, &state_dir.join(names::CONFIG));
            }
            Err(error) => {
                // The next start works with the one before.
                configuration.borrow_mut().failed(&format!("{error:#}"));
                return Err(error);
            }
        }
    }
}

/// Starts the parts with the configuration in force, and takes them apart again.
fn run_once(
    runtime: &Runtime,
    (stop, path): (&mut StopSignals, &Path),
    state_dir: &StateDir,
    configuration: &Rc<RefCell<Configuration>>,
    own: &OwnLog,
) -> anyhow::Result<Outcome> {
    let config = configuration.borrow().in_force().clone();
    let rules = Rules {
        hash_fields: config.privacy.hash_fields.clone(),
        drop_fields: config.privacy.drop_fields.clone(),
    };
    let redactor = Redactor::new(state_dir.hash_key()?, rules);
    let wifi_state: Option<WifiState> = durable::load(&state_dir.join(names::WIFI));
    let told: EportState = durable::load(&state_dir.join(names::EPORT)).unwrap_or_default();
    let acknowledged = |epoch| {
        let by_wifi = match &wifi_state {
            Some(state) if state.epoch == epoch => {
                state.bulk.max(state.sent.last().copied().unwrap_or(0))
            }
            _ => 0,
        };
        by_wifi.max(told.told_through(epoch))
    };
    let spool = Spool::open(
        &state_dir.join(names::SPOOL),
        &state_dir.join(names::CHECKPOINT),
        config.spool,
        acknowledged,
        clock::now(),
    )
    .with_context(|| {
        format!(
            "the spool in {} cannot be opened",
            config.state_dir.display()
        )
    })?;
    let parts = Parts {
        own: own.clone(),
        shared: spool.shared().clone(),
        progress: Arc::new(Progress::new(if config.wifi.is_some() {
            0
        } else {
            u64::MAX
        })),
        local: spool.reader(0),
        readers: std::array::from_fn(|_| spool.reader(0)),
        cell_readers: std::array::from_fn(|_| spool.reader(0)),
        cell: config
            .eport
            .as_ref()
            .map(|eport| Cell::new(eport, state_dir)),
    };
    let app = state_dir.join(names::APP);
    parts
        .progress
        .app
        .restore(app, Instant::now(), clock::now());
    tracing::info!(
        machine = %config.machine_id,
        epoch = spool.epoch(),
        last_seq = spool.last_seq(),
        "vendlog-agent {} starts", env!("CARGO_PKG_VERSION")
    );
    let progress = parts.progress.clone();
    let (agent, shippers) = start(
        &config,
        state_dir,
        redactor,
        spool,
        parts,
        (wifi_state, configuration.clone()),
    )?;
    service::ready();
    let Running {
        shared,
        wakes,
        pipeline,
        pipeline_ended,
        local,
        local_ended,
        reader,
    } = agent;
    let ends = Ends {
        stop,
        path,
        state_dir: &config.state_dir,
        pipeline: pipeline_ended,
        local: local_ended,
    };
    let fed = service::feed(&progress, &shared);
    let result = runtime.block_on(until_stopped(ends, shippers, fed, &wakes));
    // After a failure too: the local file then gets what is durable.
    shared.close();
    if let Some((outbox, thread)) = reader {
        outbox.close();
        join(thread)?;
    }
    join(pipeline)?;
    join(local)?;
    result
}

/// What asks the agent to end.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<StopSignals> {
        Ok(StopSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// What ends the agent.
struct Ends<'a> {
    stop: &'a mut StopSignals,
    /// The machine's own configuration, read again at SIGHUP.
    path: &'a Path,
    state_dir: &'a Path,
    pipeline: oneshot::Receiver<std::io::Result<()>>,
    local: oneshot::Receiver<()>,
}

/// Ships, and feeds the watchdog, until the agent is asked to end or cannot go on.
async fn until_stopped(
    mut ends: Ends<'_>,
    mut shippers: Shippers,
    fed: impl Future<Output = ()>,
    wakes: &Sender<Wake>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Stopped;
    tokio::select! {
        () = shippers.run() => outcome = Outcome::Reconfigured,
        () = fed => {}
        _ = ends.stop.terminate.recv() => tracing::info!("SIGTERM: ending"),
        _ = ends.stop.interrupt.recv() => tracing::info!("interrupted: ending"),
        base = edited(&mut ends.stop.hangup, ends.path, ends.state_dir) => {
            outcome = Outcome::Edited(Box::new(base));
        }
        ended = &mut ends.pipeline => return Err(pipeline_failed(ended)),
        _ = &mut ends.local => return Err(anyhow!("the local file's thread ended by itself")),
    }
    if matches!(outcome, Outcome::Stopped) {
        service::stopping();
    }
    wakes
        .send(Wake::Stop)
        .map_err(|_| anyhow!("the reading thread has gone"))?;
    match ends.pipeline.await {
        Ok(Ok(())) => {}
        failed => return Err(pipeline_failed(failed)),
    }
    if timeout(LAST_SEND, shippers.send_rest()).await.is_err() {
        tracing::info!("not everything was sent; the next start goes on");
    }
    shippers.finish();
    Ok(outcome)
}

/// The configuration file after the next SIGHUP that finds it without mistakes; until then the agent
/// runs on as it is.
async fn edited(hangup: &mut Signal, path: &Path, state_dir: &Path) -> Base {
    loop {
        if hangup.recv().await.is_none() {
            return std::future::pending().await;
        }
        match Base::read(path) {
            Ok(base) if base.config.state_dir == state_dir => return base,
            Ok(_) => tracing::error!(
                "SIGHUP: state_dir was changed, which takes a restart; running on as before"
            ),
            Err(mistakes) => {
                tracing::error!("SIGHUP: running on as before, the file has mistakes: {mistakes}");
            }
        }
    }
}

fn pipeline_failed(ended: Result<std::io::Result<()>, oneshot::error::RecvError>) -> anyhow::Error {
    match ended {
        Ok(Err(error)) => anyhow::Error::new(error)
            .context("the spool cannot be written; start the agent again when the disk is well"),
        Ok(Ok(())) | Err(_) => anyhow!("the reading thread ended by itself"),
    }
}
