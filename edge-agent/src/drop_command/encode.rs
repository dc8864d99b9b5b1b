//! Entries in, drops out.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::Value;
use wire::drops::{
    Counts, Covers, DROP_MAX_BYTES, Dictionary, DropHeader, Form, TimePrecision, make_all,
};
use wire::{LogEntry, MachineId, Micros};

use super::Named;

/// The epoch of entries that name none.
const DEFAULT_EPOCH: u64 = 1;

/// How to encode.
#[derive(Debug)]
pub struct Encode {
    /// Whose entries they are.
    pub machine: MachineId,
    /// Text, dense, or as the agent chooses.
    pub form: Form,
    /// How exact times stay.
    pub time: TimePrecision,
    /// What dense drops are packed with.
    pub dictionary: Arc<Dictionary>,
    /// When the drops are made.
    pub now: Micros,
}

/// Reads entries, one JSON object a line, and writes drops, one JSON object a line.
///
/// # Errors
/// A line is no entry (none is written then), or the output ends early.
pub fn encode(how: &Encode, input: impl BufRead, out: &mut impl Write) -> anyhow::Result<()> {
    let mut number = 1;
    for (epoch, entries) in by_epoch(read(input)?)? {
        let header = DropHeader {
            machine: how.machine.clone(),
            number,
            epoch,
            made_at: TimePrecision::Second.cut(how.now),
            uptime_s: None,
            covers: Covers::default(),
            left_out: Counts::default(),
            time: how.time,
        };
        let drops = make_all(
            &header,
            &entries,
            (DROP_MAX_BYTES, how.form),
            &how.dictionary,
        );
        number += drops.len() as u64;
        for drop in drops {
            let named = Named {
                name: drop.name,
                data: drop.data,
            };
            writeln!(out, "{}", serde_json::to_string(&named)?)?;
        }
    }
    out.flush()?;
    Ok(())
}

type Numbered = (Option<u64>, LogEntry);

fn read(input: impl BufRead) -> anyhow::Result<Vec<Numbered>> {
    let mut entries = Vec::new();
    for (at, line) in input.lines().enumerate() {
        let line = line.context("standard input cannot be read as UTF-8 text")?;
        if line.trim().is_empty() {
            continue;
        }
        let at = at + 1;
        let value: Value =
            serde_json::from_str(&line).with_context(|| format!("line {at} is no JSON"))?;
        let epoch = match value.get("epoch") {
            None | Some(Value::Null) => None,
            Some(epoch) => Some(
                epoch
                    .as_u64()
                    .filter(|epoch| i64::try_from(*epoch).is_ok())
                    .with_context(|| format!("line {at}: \"epoch\" must be a whole number"))?,
            ),
        };
        let entry = LogEntry::from_json(value).with_context(|| format!("line {at}"))?;
        entries.push((epoch, entry));
    }
    // Half a numbering is none: numbers of our own could be those of others.
    if entries.iter().any(|(_, entry)| entry.seq.is_none()) {
        for (at, (epoch, entry)) in entries.iter_mut().enumerate() {
            (*epoch, entry.seq) = (None, Some(at as u64 + 1));
        }
    }
    Ok(entries)
}

/// The entries of each epoch, in order of seq.
fn by_epoch(entries: Vec<Numbered>) -> anyhow::Result<Vec<(u64, Vec<LogEntry>)>> {
    let mut epochs: Vec<(u64, Vec<LogEntry>)> = Vec::new();
    for (epoch, entry) in entries {
        let epoch = epoch.unwrap_or(DEFAULT_EPOCH);
        match epochs.iter_mut().find(|(known, _)| *known == epoch) {
            Some((_, entries)) => entries.push(entry),
            None => epochs.push((epoch, vec![entry])),
        }
    }
    for (_, entries) in &mut epochs {
        entries.sort_by_key(|entry| entry.seq);
        let mut seen = BTreeSet::new();
        if let Some(twice) = entries.iter().find(|entry| !seen.insert(entry.seq)) {
            let seq = twice.seq.unwrap_or(0);
            bail!("two entries have the seq {seq}; number each once, or none");
        }
    }
    Ok(epochs)
}
