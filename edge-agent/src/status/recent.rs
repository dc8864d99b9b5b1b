//! The newest entries of the spool, read beside a running agent: the last one, and the gaps that the
//! agent has written down.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::LastEntry;
use crate::spool::{Recovered, SeqRanges, Shared, SpoolReader, Stored, Synced};

/// So many of the newest entries are looked at for gaps: a day or two of an ordinary machine.
const LOOKED_AT: u64 = 20_000;
/// The most gaps that are told of; a person asks the server for more.
const GAPS_TOLD: usize = 10;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub last: Option<LastEntry>,
    pub gaps: Vec<LastEntry>,
}

#[derive(Deserialize)]
struct Said {
    component: String,
    message: String,
    #[serde(default)]
    context: Context,
}

#[derive(Deserialize, Default)]
struct Context {
    #[serde(default)]
    event: serde_json::Value,
}

/// Reads what `recover` found.
pub(super) fn read(dir: &Path, found: &Recovered) -> io::Result<Recent> {
    let mut recent = Recent::default();
    let Some((segment, offset)) = found.segments.last() else {
        return Ok(recent);
    };
    let shared = Shared::new(found.epoch.unwrap_or(0), SeqRanges::default(), 0);
    shared.publish(Synced {
        last_seq: found.last_seq,
        segment: Some(segment.first_seq),
        offset: *offset,
        ..Synced::default()
    });
    let after = found.last_seq.saturating_sub(LOOKED_AT);
    let mut reader = SpoolReader::new(dir.to_owned(), Arc::new(shared), after);
    let mut newest = None;
    while let Some(stored) = reader.next_entry()? {
        // Cheap to look for, and only few lines have it.
        if stored.json.contains("\"gap\"")
            && let Some((entry, true)) = entry(&stored)
        {
            recent.gaps.push(entry);
        }
        newest = Some(stored);
    }
    recent.last = newest.as_ref().and_then(entry).map(|(entry, _)| entry);
    let surplus = recent.gaps.len().saturating_sub(GAPS_TOLD);
    recent.gaps.drain(..surplus);
    Ok(recent)
}

/// The entry, and whether it is the agent's record of a gap.
fn entry(stored: &Stored) -> Option<(LastEntry, bool)> {
    let said: Said = serde_json::from_str(&stored.json).ok()?;
    let is_gap = said.component == "agent" && said.context.event == "gap";
    let entry = LastEntry {
        seq: stored.seq,
        timestamp: stored.at.to_rfc3339(),
        level: stored.level.to_string(),
        component: said.component,
        message: said.message,
    };
    Some((entry, is_gap))
}
