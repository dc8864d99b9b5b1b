//! One file of the spool: a short header, then blocks to its end. Reading passes over damage.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::block::{self, HEAD_BYTES, Head, MARK, Parsed};

/// What every version of the format begins with; the version's number follows.
const MAGIC: [u8; 7] = *b"VLSPOOL";
/// The version that this program writes and reads. 1 had a frame for each entry.
const VERSION: u8 = b'2';
/// Magic, version, epoch, first seq, and a checksum over them.
pub const HEADER_BYTES: usize = 28;
/// How much is read from a file at a time; a few ordinary blocks.
const READ_BYTES: usize = 32 * 1024;

/// A segment's name: `<epoch>-<first seq>.seg` in hex, so that names sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The spool's epoch.
    pub epoch: u64,
    /// The seq of its first entry.
    pub first_seq: u64,
}

impl SegmentName {
    /// Its path in the spool's directory.
    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{:014x}-{:016x}.seg", self.epoch, self.first_seq))
    }

    /// The bytes that its file begins with.
    pub fn header(self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..7].copy_from_slice(&MAGIC);
        header[7] = VERSION;
        header[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        header[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        let crc = crc32fast::hash(&header[..24]);
        header[24..].copy_from_slice(&crc.to_le_bytes());
        header
    }

    fn parse(name: &str) -> Option<SegmentName> {
        let (epoch, first) = name.strip_suffix(".seg")?.split_once('-')?;
        Some(SegmentName {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            first_seq: u64::from_str_radix(first, 16).ok()?,
        })
    }

    /// Every segment in `dir`, oldest first.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn list(dir: &Path) -> io::Result<Vec<SegmentName>> {
        let mut names = Vec::new();
        for file in fs::read_dir(dir)? {
            names.extend(file?.file_name().to_str().and_then(SegmentName::parse));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether the file is of a version of the format that this program does not know. A header
    /// that is damaged does not make it one: then its blocks are found all the same.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_of_other_version(self, dir: &Path) -> io::Result<bool> {
        let path = self.path(dir);
        let mut header = [0; HEADER_BYTES];
        let file = File::open(&path)?;
        if let Err(error) = file.read_exact_at(&mut header, 0) {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof => Ok(false),
                _ => Err(error),
            };
        }
        if header[..7] != MAGIC || header[7] == VERSION {
            return Ok(false);
        }
        Ok(SegmentScan::open(&path, self.epoch)?
            .next(u64::MAX)?
            .is_none())
    }
}

/// Reads the blocks of one segment in order, passing over what is damaged.
#[derive(Debug)]
pub struct SegmentScan {
    file: File,
    epoch: u64,
    /// Bytes read, from file offset `at`; the first `used` of them are done with.
    buffer: Vec<u8>,
    used: usize,
    at: u64,
    body: Range<usize>,
    sound_end: u64,
}

impl SegmentScan {
    /// From its first block.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, epoch: u64) -> io::Result<SegmentScan> {
        Ok(SegmentScan {
            file: File::open(path)?,
            epoch,
            buffer: Vec::new(),
            used: 0,
            at: HEADER_BYTES as u64,
            body: 0..0,
            sound_end: HEADER_BYTES as u64,
        })
    }

    /// Where the block found last ends; behind the header when there was none.
    pub fn sound_end(&self) -> u64 {
        self.sound_end
    }

    /// The body of the block found last.
    pub fn body(&self) -> &[u8] {
        &self.buffer[self.body.clone()]
    }

    /// The next whole block that ends at or before file offset `limit`; `None` when there is none
    /// (yet). Damage is passed over: its seqs are missing between those of the blocks around it.
    ///
    /// # Errors
    /// Reading failed.
    pub fn next(&mut self, limit: u64) -> io::Result<Option<Head>> {
        loop {
            match block::parse(&self.buffer[self.used..], self.epoch) {
                Parsed::Whole(head) => {
                    let end = self.used + head.block_len();
                    self.body = self.used + HEAD_BYTES..end;
                    self.used = end;
                    self.sound_end = self.at + end as u64;
                    return Ok(Some(head));
                }
                Parsed::Damaged(head) => self.used += head.block_len(),
                Parsed::Bad => self.skip_to_mark(),
                Parsed::Short(need) => {
                    if !self.fill(need, limit)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn skip_to_mark(&mut self) {
        let rest = &self.buffer[self.used + 1..];
        let next = rest.iter().position(|byte| *byte == MARK[0]);
        self.used += 1 + next.unwrap_or(rest.len());
    }

    /// Makes at least `need` bytes available from `used`; false when `limit` comes before.
    fn fill(&mut self, need: usize, limit: u64) -> io::Result<bool> {
        self.buffer.drain(..self.used);
        self.at += self.used as u64;
        self.used = 0;
        self.body = 0..0;
        self.buffer.shrink_to(READ_BYTES);
        while self.buffer.len() < need {
            let from = self.at + self.buffer.len() as u64;
            let want = (READ_BYTES as u64).min(limit.saturating_sub(from)) as usize;
            if want == 0 {
                return Ok(false);
            }
            let old = self.buffer.len();
            self.buffer.resize(old + want, 0);
            let got = match self.file.read_at(&mut self.buffer[old..], from) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.buffer.truncate(old);
                    continue;
                }
                got => got,
            };
            self.buffer.truncate(old + *got.as_ref().unwrap_or(&0));
            if got? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
