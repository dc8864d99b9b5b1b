//! `vendlog-agent run`: puts the parts together, and takes them apart in order.
//!
//! One thread reads and spools, one writes the local file, and the main thread runs the shippers
//! and the signals. They meet only at the spool.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;
use wire::redact::{Redactor, Rules};

use crate::clock;
use crate::config::{Config, Mode, Wifi};
use crate::durable;
use crate::heartbeat::Heartbeats;
use crate::input::watch::Watcher;
use crate::local_file::LocalFile;
use crate::pipeline::{Pipeline, Progress, Wake};
use crate::spool::{Shared, Spool, SpoolReader};
use crate::state_dir::{StateDir, names};
use crate::wifi::{Client, Delivery, Lane, LaneKind, PutAside, SharedDelivery, WifiState};

/// Entries that can wait are synced together, at most this much later: fewer writes wear the card
/// less. They are in the application's own file meanwhile.
const GROUP_SYNC: Duration = Duration::from_secs(1);
/// In continuous mode somebody is looking: a line is to be seen within a second or two.
const GROUP_SYNC_CONTINUOUS: Duration = Duration::from_millis(200);
/// How long the ending agent tries to send what is left; it is in the spool anyway.
const LAST_SEND: Duration = Duration::from_secs(3);
/// These threads have shallow stacks; the default of 2 MB is address space, but not free.
const THREAD_STACK_BYTES: usize = 512 * 1024;

/// Runs until SIGTERM or SIGINT, then flushes, syncs and sends once more.
///
/// # Errors
/// The state directory cannot be used, or the spool failed. A failed spool must end the agent: a
/// restart reads the inputs again from the last durable entry.
pub fn run(config: Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Before anything is begun: a signal must find somebody who ends it in order.
    let stop = runtime.block_on(async { StopSignals::new() })?;
    let state_dir = StateDir::open(&config.state_dir)?;
    let rules = Rules {
        hash_fields: config.privacy.hash_fields.clone(),
        drop_fields: config.privacy.drop_fields.clone(),
    };
    let redactor = Redactor::new(state_dir.hash_key()?, rules);
    let wifi_state: Option<WifiState> = durable::load(&state_dir.join(names::WIFI));
    let acknowledged = |epoch| match &wifi_state {
        Some(state) if state.epoch == epoch => {
            state.bulk.max(state.sent.last().copied().unwrap_or(0))
        }
        _ => 0,
    };
    let spool = Spool::open(
        &state_dir.join(names::SPOOL),
        &state_dir.join(names::CHECKPOINT),
        config.spool.max_bytes,
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
        shared: spool.shared().clone(),
        progress: Arc::new(Progress::new(if config.wifi.is_some() {
            0
        } else {
            u64::MAX
        })),
        local: spool.reader(0),
        readers: [spool.reader(0), spool.reader(0), spool.reader(0)],
    };
    tracing::info!(
        machine = %config.machine_id,
        epoch = spool.epoch(),
        last_seq = spool.last_seq(),
        "vendlog-agent {} starts", env!("CARGO_PKG_VERSION")
    );
    let (agent, shipping) = start(&config, &state_dir, redactor, spool, parts, wifi_state)?;
    let Running {
        shared,
        wakes,
        pipeline,
        pipeline_ended,
        local,
    } = agent;
    let result = runtime.block_on(until_stopped(stop, shipping, pipeline_ended, &wakes));
    // After a failure too: the local file then gets what is durable.
    shared.close();
    join(pipeline)?;
    join(local)?;
    result
}

/// What asks the agent to end.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<StopSignals> {
        Ok(StopSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// The threads at work.
struct Running {
    shared: Arc<Shared>,
    wakes: Sender<Wake>,
    pipeline: JoinHandle<()>,
    pipeline_ended: oneshot::Receiver<std::io::Result<()>>,
    local: JoinHandle<()>,
}

/// What is made from the spool before the pipeline owns it.
struct Parts {
    shared: Arc<Shared>,
    progress: Arc<Progress>,
    local: SpoolReader,
    readers: [SpoolReader; 3],
}

fn start(
    config: &Config,
    state_dir: &StateDir,
    redactor: Redactor,
    spool: Spool,
    parts: Parts,
    wifi_state: Option<WifiState>,
) -> anyhow::Result<(Running, Option<Shipping>)> {
    let Parts {
        shared,
        progress,
        local,
        readers,
    } = parts;
    let epoch = spool.epoch();
    let (wakes, woken) = mpsc::channel();
    let shipping = match &config.wifi {
        Some(wifi) => {
            let put_aside = PutAside::new(state_dir.join(names::PUT_ASIDE));
            let path = state_dir.join(names::WIFI);
            let delivery = Delivery::new(
                path,
                wifi_state,
                epoch,
                put_aside,
                progress.clone(),
                wakes.clone(),
            );
            let delivery = Rc::new(RefCell::new(delivery));
            Some(Shipping::new(
                config, wifi, &shared, &progress, delivery, readers,
            )?)
        }
        None => None,
    };
    let local = LocalFile::new(
        config.local.clone(),
        &config.machine_id,
        epoch,
        local,
        progress.clone(),
    );
    let local_wakes = wakes.clone();
    let local_shared = shared.clone();
    let local = spawn("local", move || local.run(&local_shared, &local_wakes))?;
    let continuous = config
        .wifi
        .as_ref()
        .is_some_and(|wifi| wifi.mode == Mode::Continuous);
    let group = if continuous {
        GROUP_SYNC_CONTINUOUS
    } else {
        GROUP_SYNC
    };
    let pipeline = Pipeline::new(&config.inputs, spool, redactor, progress, group)?;
    let (ended, pipeline_ended) = oneshot::channel();
    let changed = wakes.clone();
    let paths = config
        .inputs
        .iter()
        .map(|input| input.path.clone())
        .collect();
    let pipeline = spawn("pipeline", move || {
        let mut watcher = Watcher::new(paths, move || {
            // It fails only when the pipeline has ended.
            let _ = changed.send(Wake::Changed);
        });
        let result = pipeline.run(&woken, &mut watcher, clock::wall);
        // Nobody listens any more when the main thread failed first.
        let _ = ended.send(result);
    })?;
    let running = Running {
        shared,
        wakes,
        pipeline,
        pipeline_ended,
        local,
    };
    Ok((running, shipping))
}

/// The shippers of one server.
struct Shipping {
    urgent: Lane,
    bulk: Lane,
    heartbeats: Heartbeats,
    shared: Arc<Shared>,
}

impl Shipping {
    fn new(
        config: &Config,
        wifi: &Wifi,
        shared: &Arc<Shared>,
        progress: &Arc<Progress>,
        delivery: SharedDelivery,
        readers: [SpoolReader; 3],
    ) -> anyhow::Result<Shipping> {
        let client = Client::new(wifi)?;
        let [urgent, bulk, oldest] = readers;
        let machine = || (config.machine_id.clone(), shared.epoch());
        let lane = |kind, reader| {
            Lane::new(
                kind,
                wifi,
                machine(),
                client.clone(),
                delivery.clone(),
                reader,
                clock::now,
            )
        };
        Ok(Shipping {
            urgent: lane(LaneKind::Urgent, urgent),
            bulk: lane(LaneKind::Bulk, bulk),
            heartbeats: Heartbeats {
                machine_id: config.machine_id.clone(),
                interval: Duration::from_secs(config.heartbeat.interval_s),
                state_dir: config.state_dir.clone(),
                spool: shared.clone(),
                reader: oldest,
                delivery: delivery.clone(),
                progress: progress.clone(),
                client: client.clone(),
                clock: clock::now,
            },
            shared: shared.clone(),
        })
    }

    /// Ships for ever.
    async fn run(&mut self) {
        let grown = self.shared.subscribe();
        tokio::join!(
            self.urgent.run(grown.clone()),
            self.bulk.run(grown),
            self.heartbeats.run()
        );
    }

    async fn send_rest(&mut self) {
        self.urgent.send_rest().await;
        self.bulk.send_rest().await;
    }
}

async fn until_stopped(
    mut stop: StopSignals,
    mut shipping: Option<Shipping>,
    mut pipeline_ended: oneshot::Receiver<std::io::Result<()>>,
    wakes: &Sender<Wake>,
) -> anyhow::Result<()> {
    let ship = async {
        match &mut shipping {
            Some(shipping) => shipping.run().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ship => {}
        _ = stop.terminate.recv() => tracing::info!("SIGTERM: ending"),
        _ = stop.interrupt.recv() => tracing::info!("interrupted: ending"),
        ended = &mut pipeline_ended => return Err(pipeline_failed(ended)),
    }
    wakes
        .send(Wake::Stop)
        .map_err(|_| anyhow!("the reading thread has gone"))?;
    match pipeline_ended.await {
        Ok(Ok(())) => {}
        failed => return Err(pipeline_failed(failed)),
    }
    if let Some(shipping) = &mut shipping
        && timeout(LAST_SEND, shipping.send_rest()).await.is_err()
    {
        tracing::info!("not everything was sent; the next start goes on");
    }
    Ok(())
}

fn pipeline_failed(ended: Result<std::io::Result<()>, oneshot::error::RecvError>) -> anyhow::Error {
    match ended {
        Ok(Err(error)) => anyhow::Error::new(error)
            .context("the spool cannot be written; start the agent again when the disk is well"),
        Ok(Ok(())) | Err(_) => anyhow!("the reading thread ended by itself"),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    let builder = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(THREAD_STACK_BYTES);
    builder
        .spawn(work)
        .with_context(|| format!("the {name} thread cannot be started"))
}

fn join(thread: JoinHandle<()>) -> anyhow::Result<()> {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    thread
        .join()
        .map_err(|_| anyhow!("the {name} thread panicked"))
}
