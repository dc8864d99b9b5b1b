//! `vendlog-agent spool`: everything that a spool on disk holds, read block by block, beside a
//! running agent or without one. Changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use wire::Level;

use super::block::{Body, Head};
use super::ranges::{SeqRange, SeqRanges};
use super::segment::{HEADER_BYTES, SegmentName, SegmentScan};

/// What a spool holds.
#[derive(Debug, Default, Serialize)]
pub struct Contents {
    /// The spool's epoch; `null` for a directory without a segment.
    pub epoch: Option<u64>,
    /// What all segments hold together.
    pub total: Held,
    /// Seqs that are missing between whole blocks.
    pub damaged: Vec<SeqRange>,
    /// Bytes behind the last whole block: torn by a power cut, or just being written.
    pub torn_bytes: u64,
    /// Segments of another version or epoch, which are not read: the names of their files.
    pub set_aside: Vec<String>,
    /// Each segment, oldest first.
    pub segments: Vec<SegmentContents>,
}

/// What one segment holds.
#[derive(Debug, Serialize)]
pub struct SegmentContents {
    /// The name of its file.
    pub file: String,
    /// What it holds.
    #[serde(flatten)]
    pub held: Held,
}

/// Entries, counted.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Held {
    /// The lowest seq; `null` without entries.
    pub first_seq: Option<u64>,
    /// The highest seq.
    pub last_seq: Option<u64>,
    /// How many there are.
    pub entries: u64,
    /// How many of each level.
    pub levels: BTreeMap<String, u64>,
    /// Blocks that hold them.
    pub blocks: u64,
    /// Bytes of the entries and their origins before they were packed.
    pub raw_bytes: u64,
    /// Bytes on disk.
    pub packed_bytes: u64,
}

impl Held {
    fn add(&mut self, head: &Head, body: &Body) {
        let mut next = 0;
        while let Some((entry, behind)) = body.entry_at(next) {
            *self.levels.entry(entry.level.to_string()).or_default() += 1;
            self.entries += 1;
            next = behind;
        }
        self.first_seq.get_or_insert(head.first_seq);
        self.last_seq = Some(head.last_seq());
        self.blocks += 1;
        self.raw_bytes += u64::from(head.raw_len);
    }

    fn include(&mut self, part: &Held) {
        self.first_seq = self.first_seq.or(part.first_seq);
        self.last_seq = part.last_seq.or(self.last_seq);
        self.entries += part.entries;
        self.blocks += part.blocks;
        self.raw_bytes += part.raw_bytes;
        self.packed_bytes += part.packed_bytes;
        for (level, count) in &part.levels {
            *self.levels.entry(level.clone()).or_default() += count;
        }
    }
}

/// Reads the spool in `dir`.
///
/// # Errors
/// The directory or a segment cannot be read. Damage is no error: it is what this looks for.
pub fn inspect(dir: &Path) -> io::Result<Contents> {
    let names = names(dir)?;
    let mut contents = Contents {
        epoch: names.last().map(|name| name.epoch),
        set_aside: set_aside(dir, &names)?,
        ..Contents::default()
    };
    let mut damaged = SeqRanges::default();
    let mut last = names
        .first()
        .map_or(0, |name| name.first_seq.saturating_sub(1));
    for name in &names {
        // A segment is begun only when everything before it is synced.
        let before = name.first_seq.saturating_sub(1);
        SeqRange::new(last + 1, before)
            .into_iter()
            .for_each(|range| damaged.add(range));
        last = last.max(before);
        let Some(mut scan) = open(dir, *name)? else {
            continue;
        };
        let mut held = Held::default();
        while let Some(head) = scan.next(u64::MAX)? {
            let missing = SeqRange::new(last + 1, head.first_seq.saturating_sub(1));
            missing.into_iter().for_each(|range| damaged.add(range));
            last = last.max(head.last_seq());
            if let Some(body) = Body::unpack(&head, scan.body()) {
                held.add(&head, &body);
            }
        }
        let path = name.path(dir);
        held.packed_bytes = fs::metadata(&path).map_or(0, |meta| meta.len());
        let sound = scan.sound_end().max(HEADER_BYTES as u64);
        contents.torn_bytes = held.packed_bytes.saturating_sub(sound);
        contents.total.include(&held);
        let file = path.file_name().unwrap_or_default();
        let file = file.to_string_lossy().into_owned();
        contents.segments.push(SegmentContents { file, held });
    }
    for level in Level::ALL {
        contents.total.levels.entry(level.to_string()).or_default();
    }
    contents.damaged = damaged.as_slice().to_vec();
    Ok(contents)
}

/// Gives the JSON of each entry of the spool in `dir` within `range` to `each`, in order.
///
/// # Errors
/// The directory or a segment cannot be read, or `each` failed.
pub fn each_entry(
    dir: &Path,
    range: SeqRange,
    mut each: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let names = names(dir)?;
    for (index, name) in names.iter().enumerate() {
        let next = names.get(index + 1).map_or(u64::MAX, |next| next.first_seq);
        if next <= range.from || name.first_seq > range.to {
            continue;
        }
        let Some(mut scan) = open(dir, *name)? else {
            continue;
        };
        while let Some(head) = scan.next(u64::MAX)? {
            if head.last_seq() < range.from || head.first_seq > range.to {
                continue;
            }
            let Some(body) = Body::unpack(&head, scan.body()) else {
                continue;
            };
            let (mut next, mut seq) = (0, head.first_seq);
            while let Some((entry, behind)) = body.entry_at(next) {
                if (range.from..=range.to).contains(&seq) {
                    each(entry.json)?;
                }
                (next, seq) = (behind, seq + 1);
            }
        }
    }
    Ok(())
}

/// The segments of the newest epoch, oldest first.
fn names(dir: &Path) -> io::Result<Vec<SegmentName>> {
    let mut names = match SegmentName::list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let newest = names.last().map(|name| name.epoch);
    names.retain(|name| Some(name.epoch) == newest);
    Ok(names)
}

fn set_aside(dir: &Path, read: &[SegmentName]) -> io::Result<Vec<String>> {
    let mut others = Vec::new();
    if !dir.exists() {
        return Ok(others);
    }
    for file in fs::read_dir(dir)? {
        let path = file?.path();
        if !read.iter().any(|name| name.path(dir) == path) {
            others.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    others.sort_unstable();
    Ok(others)
}

/// `None` when a running agent has removed it meanwhile.
fn open(dir: &Path, name: SegmentName) -> io::Result<Option<SegmentScan>> {
    match SegmentScan::open(&name.path(dir), name.epoch) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}
