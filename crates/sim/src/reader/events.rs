//! What is said on standard output, one JSON object a line. STATUS is not told: there is one a second.

use std::io::Write;

use anyhow::{Context, Result};
use eport::simulator::SimEvent;
use jiff::Timestamp;
use serde::Serialize;

/// Something that happened.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    /// Somebody has asked for a customer.
    Swipe {
        /// Whether the reader took the card.
        taken: bool,
    },
    /// Somebody has asked how the reader is.
    Status {
        /// What it would say to STATUS.
        status: u8,
    },
    /// Everything, at the end.
    Total(Count),
    /// STATUS, which is not told.
    #[serde(skip)]
    Nothing,
    /// At the reader itself.
    #[serde(untagged)]
    Reader(&'a SimEvent),
}

impl Event<'_> {
    pub(super) fn of(event: &SimEvent) -> Event<'_> {
        match event {
            SimEvent::Command { code: 1 } => Event::Nothing,
            event => Event::Reader(event),
        }
    }
}

/// How often something happened.
#[derive(Debug, Default, Serialize)]
pub(super) struct Count {
    uploads: u64,
    failed_uploads: u64,
    sales: u64,
    naks: u64,
    polls: u64,
}

impl Count {
    pub(super) fn add(&mut self, event: &SimEvent) {
        let count = match event {
            SimEvent::Command { code: 1 } => &mut self.polls,
            SimEvent::UploadDone { .. } => &mut self.uploads,
            SimEvent::UploadFailed { .. } => &mut self.failed_uploads,
            SimEvent::SaleEnded => &mut self.sales,
            SimEvent::Nak => &mut self.naks,
            _ => return,
        };
        *count += 1;
    }
}

#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// Prints it as a line.
pub(super) fn say(event: &Event<'_>) -> Result<()> {
    if matches!(event, Event::Nothing) {
        return Ok(());
    }
    let at = Timestamp::now();
    let line = serde_json::to_string(&Line { at, event }).context("cannot say what happened")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("nobody listens")
}
