//! The threads of the agent: one reads and spools, one writes the local file.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, anyhow};
use tokio::sync::oneshot;
use wire::redact::Redactor;

use super::cell::{Cell, Shippers};
use super::shipping::Shipping;
use crate::care::{Care, Configuration, Keys};
use crate::clock::{self, Kept, Repairs, Watch};
use crate::config::{Config, Eport, EportMode, Mode};
use crate::eport::serial::{self, SerialSetup};
use crate::eport::{EportState, Outbox};
use crate::input::watch::Watcher;
use crate::local_file::LocalFile;
use crate::own_log::OwnLog;
use crate::pipeline::{Pipeline, Progress, SPREAD, SPREAD_CONTINUOUS, Setup, Wake};
use crate::spool::{Shared, Spool, SpoolReader};
use crate::state_dir::{StateDir, names};
use crate::wifi::{Delivery, PutAside, WifiState};

/// These threads have shallow stacks; the default of 2 MB is address space, but not free.
const THREAD_STACK_BYTES: usize = 512 * 1024;

/// The threads at work.
pub(super) struct Running {
    pub(super) shared: Arc<Shared>,
    pub(super) wakes: Sender<Wake>,
    pub(super) pipeline: JoinHandle<()>,
    pub(super) pipeline_ended: oneshot::Receiver<std::io::Result<()>>,
    pub(super) local: JoinHandle<()>,
    pub(super) local_ended: oneshot::Receiver<()>,
    /// Brings drops to the card reader, and ends when this outbox is closed.
    pub(super) reader: Option<(Arc<Outbox>, JoinHandle<()>)>,
}

/// What is made from the spool before the pipeline owns it.
pub(super) struct Parts {
    pub(super) own: OwnLog,
    pub(super) shared: Arc<Shared>,
    pub(super) progress: Arc<Progress>,
    pub(super) local: SpoolReader,
    pub(super) readers: [SpoolReader; 4],
    pub(super) cell_readers: [SpoolReader; 2],
    /// The cellular path, when it is on.
    pub(super) cell: Option<Cell>,
}

/// Starts the threads that read and write, and makes the shippers.
///
/// # Errors
/// A pack or the server's authorities cannot be used, or a thread cannot be started.
pub(super) fn start(
    config: &Config,
    state_dir: &StateDir,
    redactor: Redactor,
    spool: Spool,
    parts: Parts,
    (wifi_state, configuration): (Option<WifiState>, Rc<RefCell<Configuration>>),
) -> anyhow::Result<(Running, Shippers)> {
    let Parts {
        own,
        shared,
        progress,
        local,
        readers,
        cell_readers,
        cell,
    } = parts;
    let epoch = spool.epoch();
    let (wakes, woken) = mpsc::channel();
    let clock_path = state_dir.join(names::CLOCK);
    let kept = Kept::load(&clock_path);
    let source = clock::Source::of(&config.clock);
    let right_base_us = kept.right_base_us(clock::boot());
    let watch = Watch::new(source, config.clock.server_time, right_base_us);
    let watch = Arc::new(watch);
    let repairs = Arc::new(Repairs::new(clock_path, kept, epoch, watch.clone()));
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
            let keys = Keys::open(&wifi.api_key_file, &state_dir.join(names::API_KEY));
            let dictionaries = cell.as_ref().map(|cell| cell.dictionaries.clone());
            let care = Care::new(keys.clone(), configuration, dictionaries);
            let health = cell.as_ref().map(|cell| cell.health.clone());
            Some(Shipping::new(
                (config, wifi),
                (&shared, &progress),
                delivery,
                repairs.clone(),
                readers,
                (keys, care, health),
            )?)
        }
        None => None,
    };
    let outbox = cell.as_ref().map(|cell| cell.outbox.clone());
    let shipper = match (cell, &config.eport) {
        (Some(cell), Some(eport)) => {
            let state = EportState::load(&state_dir.join(names::EPORT), epoch);
            Some(cell.shipper(
                (config, eport),
                state_dir,
                (state, cell_readers),
                (&shared, &progress, &wakes),
                (repairs, own.clone()),
                shipping.as_ref(),
            ))
        }
        _ => None,
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
    let (ended, local_ended) = oneshot::channel();
    let local = spawn("local", move || {
        local.run(&local_shared, &local_wakes);
        // Nobody listens any more when the main thread failed first.
        let _ = ended.send(());
    })?;
    let continuous = config
        .wifi
        .as_ref()
        .is_some_and(|wifi| wifi.mode == Mode::Continuous);
    let spread = if continuous {
        SPREAD_CONTINUOUS
    } else {
        SPREAD
    };
    let setup = Setup {
        spool,
        redactor,
        progress,
        spread,
        wakes: wakes.clone(),
        own,
        // On another machine the agent has the port itself.
        outbox: outbox.clone().filter(|_| is_handoff(config)),
    };
    let pipeline = Pipeline::new(&config.inputs, setup)?;
    let (ended, pipeline_ended) = oneshot::channel();
    let changed = wakes.clone();
    let paths = config
        .inputs
        .iter()
        .filter_map(|input| input.file_path().map(Into::into))
        .collect();
    let pipeline = spawn("pipeline", move || {
        let mut watcher = Watcher::new(paths, move || {
            // It fails only when the pipeline has ended.
            let _ = changed.send(Wake::Changed);
        });
        let result = pipeline.run(&woken, &mut watcher, || watch.wall());
        // Nobody listens any more when the main thread failed first.
        let _ = ended.send(result);
    })?;
    let reader = match (outbox, config.eport.as_ref()) {
        (Some(outbox), Some(eport)) => start_reader(outbox, eport)?,
        _ => None,
    };
    let running = Running {
        shared,
        wakes,
        pipeline,
        pipeline_ended,
        local,
        local_ended,
        reader,
    };
    let shippers = Shippers {
        wifi: shipping,
        cell: shipper,
    };
    Ok((running, shippers))
}

/// The thread that has the reader's port, where that is the agent's.
fn start_reader(
    outbox: Arc<Outbox>,
    eport: &Eport,
) -> anyhow::Result<Option<(Arc<Outbox>, JoinHandle<()>)>> {
    let EportMode::Serial(port) = &eport.mode else {
        return Ok(None);
    };
    let setup = SerialSetup {
        port: port.clone(),
        layout: eport.reader.clone(),
        is_exclusive: eport.is_exclusive,
    };
    let thread = serial::spawn(outbox.clone(), setup)
        .context("the thread for the card reader cannot be started")?;
    Ok(Some((outbox, thread)))
}

/// Whether the vending application takes the drops from the socket.
fn is_handoff(config: &Config) -> bool {
    let mode = config.eport.as_ref().map(|eport| &eport.mode);
    mode == Some(&EportMode::Handoff)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    let builder = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(THREAD_STACK_BYTES);
    builder
        .spawn(work)
        .with_context(|| format!("the {name} thread cannot be started"))
}

/// Waits for the end of a thread.
pub(super) fn join(thread: JoinHandle<()>) -> anyhow::Result<()> {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    thread
        .join()
        .map_err(|_| anyhow!("the {name} thread panicked"))
}
