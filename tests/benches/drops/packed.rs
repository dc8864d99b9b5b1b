//! Entries as drops, ours and the controls', every one of ours read again and compared.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use wire::drops::{
    Counts, Covers, DROP_MAX_BYTES, Dictionary, DropEntry, DropHeader, TimePrecision, dense,
};
use wire::time::HOUR_US;
use wire::{LogEntry, Micros};

use crate::control::{self, Zstd, most};

/// So many drops of each machine.
const DROPS_EACH: usize = 4;
/// More entries than this are not tried for one drop.
const TRIED_MAX: usize = 8_000;

/// What fitted into 900 bytes, in entries a drop.
#[derive(Default)]
pub struct Packed {
    pub drops: usize,
    pub entries: usize,
    pub text: usize,
    pub gzip: usize,
    pub zstd: usize,
    /// Of the entries of our drops: counted by the sample compressor, and with their whole message.
    pub sample: (usize, usize),
    /// Characters of an entry in the paper's text.
    pub line_bytes: f64,
}

/// Packs the entries of each machine into full drops.
///
/// # Errors
/// A drop cannot be read, or says other than what went in.
pub fn pack(machines: &[Vec<LogEntry>], with: &Arc<Dictionary>, zstd: &mut Zstd) -> Result<Packed> {
    let mut packed = Packed::default();
    let mut bytes = 0;
    for entries in machines {
        let mut rest = entries.as_slice();
        for _ in 0..DROPS_EACH {
            let tried = &rest[..rest.len().min(TRIED_MAX)];
            let fits = most(tried.len(), |count| drop(&tried[..count], with).len());
            if fits == tried.len() {
                // It would not be full.
                break;
            }
            let (now, after) = rest.split_at(fits);
            read_again(now, with)?;
            let sample = control::sample_compressor(now);
            packed.drops += 1;
            packed.entries += fits;
            packed.text += control::text(rest);
            packed.gzip += control::gzip(tried);
            packed.zstd += zstd.fits(tried);
            packed.sample.0 += sample.0;
            packed.sample.1 += sample.1;
            bytes += now.iter().map(|e| control::line(e).len()).sum::<usize>();
            rest = after;
        }
    }
    ensure!(
        packed.drops > 0,
        "there are too few entries for a full drop"
    );
    packed.line_bytes = bytes as f64 / packed.entries as f64;
    Ok(packed)
}

/// Bytes and drops of a month: a drop an hour, more where one is not enough.
#[derive(Default)]
pub struct Month {
    pub entries: usize,
    pub drops: usize,
    pub bytes: usize,
    pub text_drops: usize,
    pub text_bytes: usize,
}

/// Packs hour by hour.
///
/// # Errors
/// A drop cannot be read, or says other than what went in.
pub fn by_hour(machines: &[Vec<LogEntry>], hours: i64, with: &Arc<Dictionary>) -> Result<Month> {
    let mut month = Month::default();
    for entries in machines {
        let begin = entries
            .first()
            .map_or(0, |e| e.timestamp.0)
            .div_euclid(HOUR_US);
        let mut rest = entries.as_slice();
        for hour in begin..begin + hours {
            let end = (hour + 1) * HOUR_US;
            let (mut now, after) = rest.split_at(rest.partition_point(|e| e.timestamp.0 < end));
            rest = after;
            month.entries += now.len();
            let mut lines = now;
            loop {
                let fits = most(now.len(), |count| drop(&now[..count], with).len());
                read_again(&now[..fits], with)?;
                month.bytes += drop(&now[..fits], with).len();
                month.drops += 1;
                now = &now[fits..];
                if now.is_empty() {
                    break;
                }
            }
            loop {
                let fits = control::text(lines);
                let (packed, after) = lines.split_at(fits);
                month.text_bytes += packed.iter().map(|e| control::line(e).len()).sum::<usize>();
                month.text_drops += 1;
                lines = after;
                if lines.is_empty() {
                    break;
                }
            }
        }
    }
    Ok(month)
}

fn read_again(entries: &[LogEntry], with: &Arc<Dictionary>) -> Result<()> {
    let written = drop(entries, with);
    ensure!(written.len() <= DROP_MAX_BYTES, "the drop is too large");
    let read = dense::decode(&written, |id| (id == with.id()).then(|| with.clone()));
    let (_, read) = read.context("a drop cannot be read again")?;
    let read: Vec<LogEntry> = read.into_iter().map(|entry| entry.entry).collect();
    ensure!(read == entries, "a drop says other than what went in");
    Ok(())
}

fn drop(entries: &[LogEntry], with: &Dictionary) -> String {
    let mut counts = Counts::default();
    entries.iter().for_each(|entry| counts.add(entry.level, 1));
    let seq = |entry: Option<&LogEntry>| entry.and_then(|e| e.seq).unwrap_or_default();
    let last = entries.last().map_or(Micros(0), |entry| entry.timestamp);
    let header = DropHeader {
        machine: "VM001".parse().expect("an id"),
        number: 1_234,
        // What a spool makes of it: below 2^53.
        epoch: (1 << 52) + 12_345,
        made_at: last.plus_us(60_000_000),
        uptime_s: Some(86_400 * 9),
        covers: Covers {
            first: seq(entries.first()),
            last: seq(entries.last()),
            counts,
        },
        left_out: Counts::default(),
        time: TimePrecision::Second,
    };
    let entries: Vec<DropEntry> = entries
        .iter()
        .map(|entry| DropEntry {
            entry: entry.clone(),
            is_summary: false,
        })
        .collect();
    dense::encode(&header, &entries, with)
}
