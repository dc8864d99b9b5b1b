//! `vendlog-sim reader`: the simulated card reader of the crate `eport` on a real pseudo terminal.
//! Finished uploads become files, as if the vendor's server had them.

pub mod command;
mod events;
mod folder;
mod port;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use eport::simulator::{self, Reader};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::signal::unix::{SignalKind, signal};

use events::{Count, Event, say};
use folder::Folder;
use port::Port;

/// While nothing is due the reader looks around this often; customers and bytes wake it.
const IDLE: Duration = Duration::from_secs(1);

/// What to simulate.
#[derive(Debug)]
pub struct Options {
    /// Where finished uploads go.
    pub uploads: PathBuf,
    /// A name for the port that stays the same.
    pub link: Option<PathBuf>,
    /// How the reader is.
    pub setup: simulator::Setup,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// There is no pseudo terminal, or an upload cannot be written.
pub async fn run(options: Options) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let folder = Folder::open(options.uploads)?;
    let mut port = Port::open(options.link)?;
    let mut reader = Reader::new(options.setup);
    let mut words = Some(BufReader::new(tokio::io::stdin()).lines());
    let mut count = Count::default();
    let start = Instant::now();
    port.say_where()?;
    loop {
        let now = start.elapsed();
        let bytes = reader.run(now);
        port.write(&bytes);
        while let Some(event) = reader.take_event() {
            count.add(&event);
            say(&Event::of(&event))?;
        }
        while let Some(upload) = reader.take_upload() {
            folder.write(&upload)?;
        }
        let due = reader.next_due().unwrap_or(now + IDLE).min(now + IDLE);
        tokio::select! {
            bytes = port.read() => reader.receive(&bytes?, start.elapsed()),
            word = next_word(&mut words) => match word.as_deref() {
                Some("swipe") => say(&Event::Swipe { taken: reader.swipe(start.elapsed()) })?,
                Some("status") => say(&Event::Status { status: reader.status() })?,
                Some(other) => eprintln!("vendlog-sim: \"{other}\" is neither swipe nor status"),
                None => words = None,
            },
            _ = tokio::time::sleep_until((start + due).into()) => {}
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    say(&Event::Total(count)).context("cannot say the end")
}

/// The next line of standard input; `None` when it has ended.
async fn next_word(words: &mut Option<Lines<BufReader<Stdin>>>) -> Option<String> {
    match words {
        Some(words) => words.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}
