//! One block of the spool as bytes: several entries, packed together, and the last origin of each
//! input in them. Sans-IO: bytes in, values out, "incomplete" is no error.
//!
//! `head(40) body`. The head is `mark(4) head crc(4) first seq(8) seqs since the group began(4)
//! count(2) levels(1) flags(1) body length(4) raw length(4) entries length(4) body crc(4)`, numbers
//! little-endian. It has a checksum of its own, so that a block whose body is damaged still says
//! which entries are lost and where the next block begins. Both checksums begin with the spool's
//! epoch: what another spool left on the disk is never taken for ours. The mark begins with a byte
//! that UTF-8 never holds.
//!
//! The body, packed with zstd when that is smaller, is `entries origins`: each entry as
//! `time(8) level(1) [boot(8) base(8)] length(4) JSON`, each origin as `length(4) JSON`.

use std::io;

use wire::{Level, Micros};

use super::levels::Levels;
use crate::clock::Basis;

/// Where a block begins.
pub const MARK: [u8; 4] = [0xF7, b'V', b'B', 0xF8];
/// Bytes of a head.
pub const HEAD_BYTES: usize = 40;
/// The most entries of a block: damage takes a block as a whole, so it is kept small.
pub const BLOCK_ENTRIES: u16 = 64;
/// A block with so many bytes before packing takes no more: zstd gains little beyond it, and this
/// is what a reader holds in memory.
pub const BLOCK_RAW_BYTES: usize = 32 * 1024;
/// The largest body, packed or not: a block that was not full, an entry of 64 KiB whose control
/// characters JSON writes in 6 bytes each, and its origin, with room to spare.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// What zstd does by default; higher levels gain less than 2 % on blocks of this size.
const ZSTD_LEVEL: i32 = 3;

const FLAG_PACKED: u8 = 1;
const FLAG_ENDS_GROUP: u8 = 2;
const FLAGS: u8 = FLAG_PACKED | FLAG_ENDS_GROUP;
/// Set in an entry's level byte when a basis follows.
const WITH_BASIS: u8 = 0x80;

/// What a block says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The seq of its first entry; the others follow without a gap.
    pub first_seq: u64,
    /// The first seq of the group that was written and synced with it.
    pub group_seq: u64,
    /// How many entries it has, at least one.
    pub count: u16,
    /// The levels among them.
    pub levels: Levels,
    /// Whether it is the last of its group.
    pub ends_group: bool,
    /// Whether the body is packed.
    pub packed: bool,
    /// Bytes of the body as it is stored.
    pub body_len: u32,
    /// Bytes of the body before packing.
    pub raw_len: u32,
    /// Bytes of the entries in it; the origins follow.
    pub entries_len: u32,
    body_crc: u32,
}

impl Head {
    /// The seq of its last entry.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + u64::from(self.count) - 1
    }

    /// Bytes of the whole block.
    pub fn block_len(&self) -> usize {
        HEAD_BYTES + self.body_len as usize
    }

    fn encode(&self, epoch: u64) -> [u8; HEAD_BYTES] {
        let group = (self.first_seq - self.group_seq) as u32;
        let flags = [
            (self.packed, FLAG_PACKED),
            (self.ends_group, FLAG_ENDS_GROUP),
        ];
        let flags = flags.iter().filter(|(set, _)| *set);
        let mut out = [0; HEAD_BYTES];
        out[..4].copy_from_slice(&MARK);
        out[8..16].copy_from_slice(&self.first_seq.to_le_bytes());
        out[16..20].copy_from_slice(&group.to_le_bytes());
        out[20..22].copy_from_slice(&self.count.to_le_bytes());
        out[22] = self.levels.bits();
        out[23] = flags.fold(0, |all, (_, flag)| all | flag);
        out[24..28].copy_from_slice(&self.body_len.to_le_bytes());
        out[28..32].copy_from_slice(&self.raw_len.to_le_bytes());
        out[32..36].copy_from_slice(&self.entries_len.to_le_bytes());
        out[36..40].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = checksum(epoch, &out[8..]);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8; HEAD_BYTES], epoch: u64) -> Option<Head> {
        let mut take = Take(bytes);
        if take.array()? != MARK || take.u32()? != checksum(epoch, &bytes[8..]) {
            return None;
        }
        let first_seq = take.u64()?;
        let group_seq = first_seq.checked_sub(u64::from(take.u32()?))?;
        let count = u16::from_le_bytes(take.array()?);
        let levels = Levels::from_bits(take.u8()?);
        let flags = take.u8()?;
        let head = Head {
            first_seq,
            group_seq,
            count,
            levels,
            ends_group: flags & FLAG_ENDS_GROUP != 0,
            packed: flags & FLAG_PACKED != 0,
            body_len: take.u32()?,
            raw_len: take.u32()?,
            entries_len: take.u32()?,
            body_crc: take.u32()?,
        };
        // The checksum was right, so this was written so; it is checked all the same, for what
        // follows trusts it.
        let is_sane = (1..=BLOCK_ENTRIES).contains(&count)
            && first_seq.checked_add(u64::from(count)).is_some()
            && flags & !FLAGS == 0
            && head.body_len as usize <= BODY_MAX_BYTES
            && head.raw_len as usize <= BODY_MAX_BYTES
            && head.entries_len <= head.raw_len;
        is_sane.then_some(head)
    }
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole block; its body follows the head.
    Whole(Head),
    /// Perhaps a block; so many bytes are needed to tell.
    Short(usize),
    /// A block whose body is damaged.
    Damaged(Head),
    /// No block begins here.
    Bad,
}

/// Reads what begins at the first byte.
pub fn parse(bytes: &[u8], epoch: u64) -> Parsed {
    let shown = bytes.len().min(MARK.len());
    if bytes[..shown] != MARK[..shown] {
        return Parsed::Bad;
    }
    let Some(head) = bytes.first_chunk() else {
        return Parsed::Short(HEAD_BYTES);
    };
    let Some(head) = Head::decode(head, epoch) else {
        return Parsed::Bad;
    };
    match bytes.get(HEAD_BYTES..head.block_len()) {
        None => Parsed::Short(head.block_len()),
        Some(body) if checksum(epoch, body) == head.body_crc => Parsed::Whole(head),
        Some(_) => Parsed::Damaged(head),
    }
}

/// An entry, borrowed from the block it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The entry's own time.
    pub at: Micros,
    /// The entry's level, so that a reader can choose without reading JSON.
    pub level: Level,
    /// What its time is repaired by; only of a clock that was not set.
    pub basis: Option<Basis>,
    /// The entry as the wire has it: one JSON object with its `seq`.
    pub json: &'a str,
}

/// A body on its way in: entries are added until [`Draft::is_full`].
#[derive(Debug, Default)]
pub struct Draft {
    raw: Vec<u8>,
    count: u16,
    levels: Levels,
}

impl Draft {
    /// Adds an entry, whose JSON is what `write` writes.
    ///
    /// # Errors
    /// `write` failed; nothing was added.
    pub fn push(
        &mut self,
        at: Micros,
        level: Level,
        basis: Option<Basis>,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = self.raw.len();
        self.raw.extend_from_slice(&at.0.to_le_bytes());
        match basis {
            None => self.raw.push(level.as_u8()),
            Some(basis) => {
                self.raw.push(level.as_u8() | WITH_BASIS);
                self.raw.extend_from_slice(&basis.boot.to_le_bytes());
                self.raw.extend_from_slice(&basis.base_us.to_le_bytes());
            }
        }
        let from = self.raw.len() + 4;
        self.raw.extend_from_slice(&[0; 4]);
        if let Err(error) = write(&mut self.raw) {
            self.raw.truncate(before);
            return Err(error);
        }
        let len = (self.raw.len() - from) as u32;
        self.raw[from - 4..from].copy_from_slice(&len.to_le_bytes());
        self.count += 1;
        self.levels.add(level);
        Ok(())
    }

    /// Whether it takes no more.
    pub fn is_full(&self) -> bool {
        self.count >= BLOCK_ENTRIES || self.raw.len() >= BLOCK_RAW_BYTES
    }

    /// Entries in it.
    pub fn count(&self) -> u64 {
        u64::from(self.count)
    }

    /// Bytes in it, before packing.
    pub fn raw_len(&self) -> usize {
        self.raw.len()
    }

    /// Appends the block's bytes to `out`. `first_seq` is that of its first entry, `group_seq` that
    /// of the first entry synced with it; `origins` are JSON.
    ///
    /// # Errors
    /// zstd has no memory.
    pub fn encode(
        &self,
        (first_seq, group_seq, ends_group): (u64, u64, bool),
        origins: &[String],
        epoch: u64,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let mut raw = self.raw.clone();
        for origin in origins {
            raw.extend_from_slice(&(origin.len() as u32).to_le_bytes());
            raw.extend_from_slice(origin.as_bytes());
        }
        debug_assert!(
            raw.len() <= BODY_MAX_BYTES,
            "an entry is cut before it is spooled"
        );
        let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL)?;
        let is_packed = packed.len() < raw.len();
        let body = if is_packed { &packed } else { &raw };
        let head = Head {
            first_seq,
            group_seq,
            count: self.count,
            levels: self.levels,
            ends_group,
            packed: is_packed,
            body_len: body.len() as u32,
            raw_len: raw.len() as u32,
            entries_len: self.raw.len() as u32,
            body_crc: checksum(epoch, body),
        };
        out.extend_from_slice(&head.encode(epoch));
        out.extend_from_slice(body);
        Ok(())
    }
}

/// A body that was read.
#[derive(Debug)]
pub struct Body {
    raw: Vec<u8>,
    entries_len: usize,
}

impl Body {
    /// Unpacks the body of `head`; `None` when it is none.
    pub fn unpack(head: &Head, body: &[u8]) -> Option<Body> {
        let raw = match head.packed {
            true => zstd::bulk::decompress(body, head.raw_len as usize).ok()?,
            false => body.to_vec(),
        };
        (raw.len() == head.raw_len as usize).then_some(Body {
            raw,
            entries_len: head.entries_len as usize,
        })
    }

    /// The entry at `from` (0: the first) and where the next one is; `None` behind the last.
    pub fn entry_at(&self, from: usize) -> Option<(Entry<'_>, usize)> {
        let mut take = Take(self.raw[..self.entries_len].get(from..)?);
        let at = Micros(i64::from_le_bytes(take.array()?));
        let level = take.u8()?;
        let basis = match level & WITH_BASIS {
            0 => None,
            _ => Some(Basis {
                boot: take.u64()?,
                base_us: i64::from_le_bytes(take.array()?),
            }),
        };
        let entry = Entry {
            at,
            level: Level::from_u8(level & !WITH_BASIS)?,
            basis,
            json: take.text()?,
        };
        Some((entry, self.entries_len - take.0.len()))
    }

    /// The last origin of each input in it, as JSON.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        let mut take = Take(&self.raw[self.entries_len..]);
        std::iter::from_fn(move || take.text())
    }
}

/// Bytes yet to be read; every read is bounded by what is there.
struct Take<'a>(&'a [u8]);

impl<'a> Take<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.u32()? as usize;
        std::str::from_utf8(self.bytes(len)?).ok()
    }
}

fn checksum(epoch: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&epoch.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
