//! What a spool on disk holds: read at every start, and by `status` beside a running agent.
//!
//! Only what the checkpoint does not know is read: the last segment, and those before it that were
//! written since. Damage in older ones is found when a reader comes to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use super::Position;
use super::block::{Body, HEAD_BYTES, Head};
use super::checkpoint::{Checkpoint, Sourced};
use super::ranges::{SeqRange, SeqRanges};
use super::segment::{HEADER_BYTES, SegmentName, SegmentScan};
use crate::durable;
use crate::input::Origin;
use crate::input::identity::read_range;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The spool's epoch; `None` for a directory that never held a spool.
    pub epoch: Option<u64>,
    /// The highest seq that was given out and synced, as far as blocks, names and checkpoint say.
    pub last_seq: u64,
    /// Each input's last origin.
    pub positions: BTreeMap<String, Position>,
    /// The segments of the epoch, oldest first, with their bytes that are sound.
    pub segments: Vec<(SegmentName, u64)>,
    /// Seqs that are missing between whole blocks, of what was read.
    pub damaged: SeqRanges,
    /// Damaged seqs that somebody was told of before.
    pub reported: SeqRanges,
    /// Bytes at the end of the last segment that are no whole block, or not of a whole group.
    pub torn_bytes: u64,
    /// The last seq that the checkpoint knows of.
    pub checkpointed_seq: u64,
}

/// Reads segments and checkpoint; changes nothing.
///
/// # Errors
/// The directory or a segment cannot be read. Damage is no error: it is counted.
pub fn recover(dir: &Path, checkpoint: &Path) -> io::Result<Recovered> {
    let checkpoint: Option<Checkpoint> = durable::load(checkpoint);
    let mut names = match SegmentName::list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let newest = names.last().map(|name| name.epoch);
    let epoch = newest.max(checkpoint.as_ref().map(|checkpoint| checkpoint.epoch));
    names.retain(|name| Some(name.epoch) == epoch);
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
        reported: checkpoint.reported,
        checkpointed_seq: checkpoint.last_seq,
        ..Recovered::default()
    };
    for (index, name) in names.iter().enumerate() {
        let next = names.get(index + 1).map(|next| next.first_seq);
        match read_segment(dir, *name, next, &mut found) {
            // A running agent may remove a delivered segment while `status` reads.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => read?,
        }
    }
    Ok(found)
}

/// `next` is the first seq of the segment after it; `None` for the last.
fn read_segment(
    dir: &Path,
    name: SegmentName,
    next: Option<u64>,
    found: &mut Recovered,
) -> io::Result<()> {
    let path = name.path(dir);
    let len = path.metadata()?.len();
    if next.is_some_and(|next| next <= found.checkpointed_seq + 1) {
        found.segments.push((name, len));
        return Ok(());
    }
    let mut scan = SegmentScan::open(&path, name.epoch)?;
    let mut blocks = Vec::new();
    while let Some(head) = scan.next(u64::MAX)? {
        blocks.push((scan.sound_end(), head));
    }
    // What follows a damaged block of the last group may never have been synced: had it been
    // kept, its origins would say that the input was read up to there, hole and all.
    if next.is_none()
        && blocks
            .last()
            .is_some_and(|(_, last)| last.last_seq() > found.checkpointed_seq)
    {
        blocks.truncate(whole_groups(name.first_seq, &blocks));
    }
    let sound = blocks.last().map_or(HEADER_BYTES as u64, |(end, _)| *end);
    // A segment is begun only when everything before it is synced.
    let mut last = name.first_seq.saturating_sub(1);
    for (_, head) in &blocks {
        let missing = head
            .first_seq
            .checked_sub(1)
            .and_then(|to| SeqRange::new(last + 1, to));
        missing
            .into_iter()
            .for_each(|range| found.damaged.add(range));
        last = last.max(head.last_seq());
    }
    let through = match next {
        Some(next) => next - 1,
        None => found.last_seq,
    };
    SeqRange::new(last + 1, through)
        .into_iter()
        .for_each(|range| found.damaged.add(range));
    found.last_seq = found.last_seq.max(last);
    read_positions(&File::open(&path)?, &blocks, found)?;
    if next.is_none() {
        found.torn_bytes = len.saturating_sub(sound);
    }
    // Behind the last whole block of a segment that is not the last, nothing will be written.
    found
        .segments
        .push((name, if next.is_none() { sound } else { len }));
    Ok(())
}

/// How many of the blocks are whole groups, or the whole beginning of the last one.
fn whole_groups(first_seq: u64, blocks: &[(u64, Head)]) -> usize {
    let Some((_, last)) = blocks.last() else {
        return 0;
    };
    let begins = blocks.partition_point(|(_, head)| head.first_seq < last.group_seq);
    let mut expected = last.group_seq.max(first_seq);
    let whole = blocks[begins..].iter().take_while(|(_, head)| {
        let follows = head.first_seq == expected;
        expected = head.last_seq() + 1;
        follows
    });
    begins + whole.count()
}

fn read_positions(file: &File, blocks: &[(u64, Head)], found: &mut Recovered) -> io::Result<()> {
    for (end, head) in blocks {
        if head.last_seq() <= found.checkpointed_seq {
            continue;
        }
        let from = end - head.block_len() as u64 + HEAD_BYTES as u64;
        let body = read_range(file, from, head.body_len as usize)?;
        let Some(body) = Body::unpack(head, &body) else {
            continue;
        };
        for origin in body.origins() {
            match serde_json::from_str::<Sourced<Origin>>(origin) {
                Ok(sourced) => {
                    let position = Position {
                        seq: head.last_seq(),
                        origin: sourced.origin,
                    };
                    found.positions.insert(sourced.input, position);
                }
                Err(error) => tracing::error!(
                    seq = head.last_seq(),
                    %error,
                    "a block does not say where it came from; lines may come twice"
                ),
            }
        }
    }
    Ok(())
}
