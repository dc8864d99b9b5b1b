//! What a spool on disk holds: read at every start, and by `status` beside a running agent.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::Position;
use super::checkpoint::{Checkpoint, Sourced};
use super::segment::{HEADER, SegmentName, SegmentScan};
use crate::durable;
use crate::input::Origin;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The spool's epoch; `None` for a directory that never held a spool.
    pub epoch: Option<u64>,
    /// The highest seq found, in records or in the checkpoint.
    pub last_seq: u64,
    /// The highest seq that a whole record has.
    pub last_whole_seq: u64,
    /// Each input's last origin.
    pub positions: BTreeMap<String, Position>,
    /// The segments of the epoch, oldest first, with their bytes that are sound.
    pub segments: Vec<(SegmentName, u64)>,
    /// Seqs that are missing between whole records.
    pub damaged: u64,
    /// Bytes at the end of the last segment that are no whole record.
    pub torn_bytes: u64,
}

/// Reads segments and checkpoint; changes nothing.
///
/// # Errors
/// The directory or a segment cannot be read. Damage is no error: it is counted.
pub fn recover(dir: &Path, checkpoint: &Path) -> io::Result<Recovered> {
    let checkpoint: Option<Checkpoint> = durable::load(checkpoint);
    let names = match SegmentName::list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let newest = names.last().map(|name| name.epoch);
    let epoch = newest.max(checkpoint.as_ref().map(|checkpoint| checkpoint.epoch));
    let checkpoint = checkpoint
        .filter(|saved| Some(saved.epoch) == epoch)
        .unwrap_or_default();
    let positions = checkpoint.origins.into_iter();
    let positions = positions
        .map(|(input, origin)| (input, Position { seq: 0, origin }))
        .collect();
    let mut found = Recovered {
        epoch,
        last_seq: checkpoint.last_seq,
        positions,
        ..Recovered::default()
    };
    for name in names.into_iter().filter(|name| Some(name.epoch) == epoch) {
        read_segment(dir, name, checkpoint.last_seq, &mut found)?;
    }
    found.last_seq = found.last_seq.max(found.last_whole_seq);
    Ok(found)
}

fn read_segment(
    dir: &Path,
    name: SegmentName,
    known_seq: u64,
    found: &mut Recovered,
) -> io::Result<()> {
    let path = name.path(dir);
    let mut scan = match SegmentScan::open(&path) {
        // A running agent may remove a delivered segment while `status` reads.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    if found.segments.is_empty() {
        // What came before was delivered and removed.
        found.last_whole_seq = name.first_seq.saturating_sub(1);
    }
    let mut last = found.last_whole_seq;
    while let Some(frame) = scan.next(u64::MAX)? {
        found.damaged += frame.seq.saturating_sub(last + 1);
        last = frame.seq;
        found.last_whole_seq = frame.seq;
        if frame.seq > known_seq {
            match serde_json::from_str::<Sourced<Origin>>(frame.origin) {
                Ok(sourced) => {
                    let position = Position {
                        seq: frame.seq,
                        origin: sourced.origin,
                    };
                    found.positions.insert(sourced.input, position);
                }
                Err(error) => tracing::error!(
                    seq = frame.seq,
                    %error,
                    "a record does not say where it came from; lines may come twice"
                ),
            }
        }
    }
    let len = path.metadata().map_or(0, |meta| meta.len());
    let sound = scan.position().min(len).max(HEADER.len() as u64);
    found.torn_bytes = len.saturating_sub(sound);
    found.segments.push((name, sound));
    Ok(())
}
