//! One file of the spool: a short header, then records to its end. Reading passes over damage.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{self, BODY_MAX_BYTES, Frame, HEAD_BYTES, MARK, Parsed};

/// The first bytes of every segment: what it is, and the version of its format.
pub const HEADER: [u8; 8] = *b"VLSPOOL1";
/// How much is read from a file at a time; a few hundred ordinary records.
const READ_BYTES: usize = 32 * 1024;

/// A segment's name: `<epoch>-<first seq>.seg` in hex, so that names sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The spool's epoch.
    pub epoch: u64,
    /// The seq of its first record.
    pub first_seq: u64,
}

impl SegmentName {
    /// Its path in the spool's directory.
    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{:014x}-{:016x}.seg", self.epoch, self.first_seq))
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
}

/// Reads the records of one segment in order, passing over what is damaged.
#[derive(Debug)]
pub struct SegmentScan {
    file: File,
    /// Bytes read and not yet passed, from file offset `at`.
    buffer: Vec<u8>,
    used: usize,
    at: u64,
}

impl SegmentScan {
    /// From its first record.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path) -> io::Result<SegmentScan> {
        let file = File::open(path)?;
        Ok(SegmentScan {
            file,
            buffer: Vec::new(),
            used: 0,
            at: HEADER.len() as u64,
        })
    }

    /// Where the next record begins, or where the unreadable rest does.
    pub fn position(&self) -> u64 {
        self.at + self.used as u64
    }

    /// The next whole record that ends at or before file offset `limit`; `None` when there is none
    /// (yet). Bytes of a damaged record are passed over once a whole one is found behind them.
    ///
    /// # Errors
    /// Reading failed.
    pub fn next(&mut self, limit: u64) -> io::Result<Option<Frame<'_>>> {
        // Positions, not borrows, until the record is found: the buffer may still grow.
        let (start, len) = loop {
            match frame::parse(&self.buffer[self.used..]) {
                Parsed::Whole(_, len) => break (self.used, len),
                Parsed::Short(need) => {
                    if self.fill(need, limit)? {
                        continue;
                    }
                    match self.whole_after(self.used + 1, limit)? {
                        Some(found) => break found,
                        None => return Ok(None),
                    }
                }
                Parsed::Bad => match self.whole_after(self.used + 1, limit)? {
                    Some(found) => break found,
                    None => return Ok(None),
                },
            }
        };
        self.used = start + len;
        match frame::parse(&self.buffer[start..]) {
            Parsed::Whole(frame, _) => Ok(Some(frame)),
            _ => unreachable!("the same bytes were whole a moment ago"),
        }
    }

    /// Makes at least `need` bytes available from `used`; false when `limit` comes before.
    fn fill(&mut self, need: usize, limit: u64) -> io::Result<bool> {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.at += self.used as u64;
            self.used = 0;
            self.buffer.shrink_to(READ_BYTES);
        }
        self.extend(need, limit)
    }

    fn extend(&mut self, need: usize, limit: u64) -> io::Result<bool> {
        while self.buffer.len() < need {
            let from = self.at + self.buffer.len() as u64;
            let want = READ_BYTES.min(limit.saturating_sub(from) as usize);
            if want == 0 {
                return Ok(false);
            }
            let old = self.buffer.len();
            self.buffer.resize(old + want, 0);
            let got = self.file.read_at(&mut self.buffer[old..], from);
            self.buffer.truncate(old + *got.as_ref().unwrap_or(&0));
            if got? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The first whole record at or after buffer position `from`. What lies before it is damaged
    /// and never was offered to anyone, or was counted by its missing seq.
    fn whole_after(&mut self, mut from: usize, limit: u64) -> io::Result<Option<(usize, usize)>> {
        loop {
            let next = self.buffer.get(from..).and_then(|rest| {
                rest.windows(MARK.len())
                    .position(|window| window == MARK)
                    .map(|at| from + at)
            });
            let Some(start) = next else {
                // A mark may be cut by the end of the buffer.
                from = from.max(self.buffer.len().saturating_sub(MARK.len() - 1));
                if from > BODY_MAX_BYTES + HEAD_BYTES {
                    // Everything before is damage for certain: a record is never so long.
                    self.buffer.drain(..from);
                    self.at += from as u64;
                    self.used = 0;
                    from = 0;
                }
                if self.extend(self.buffer.len() + 1, limit)? {
                    continue;
                }
                return Ok(None);
            };
            let need = match frame::parse(&self.buffer[start..]) {
                Parsed::Whole(_, len) => return Ok(Some((start, len))),
                Parsed::Short(need) => Some(need),
                Parsed::Bad => None,
            };
            from = match need {
                Some(need) if self.extend(start + need, limit)? => start,
                _ => start + 1,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::{Level, Micros};

    use super::*;

    fn segment(records: u64) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = SegmentName {
            epoch: 5,
            first_seq: 1,
        }
        .path(dir.path());
        let mut bytes = HEADER.to_vec();
        for seq in 1..=records {
            let entry = format!("{{\"seq\":{seq}}}");
            Frame {
                seq,
                at: Micros(0),
                level: Level::Info,
                entry: &entry,
                origin: "{}",
            }
            .encode(&mut bytes);
        }
        fs::write(&path, &bytes).unwrap();
        (dir, path, bytes)
    }

    fn seqs(path: &Path) -> Vec<u64> {
        let mut scan = SegmentScan::open(path).unwrap();
        let mut seqs = Vec::new();
        while let Some(frame) = scan.next(u64::MAX).unwrap() {
            seqs.push(frame.seq);
        }
        seqs
    }

    #[test]
    fn names_sort_by_age_and_come_back() {
        let (dir, _, _) = segment(1);
        let later = SegmentName {
            epoch: 5,
            first_seq: 300,
        };
        fs::write(later.path(dir.path()), b"").unwrap();
        fs::write(dir.path().join("other"), b"").unwrap();
        let names = SegmentName::list(dir.path()).unwrap();
        assert_eq!(
            names,
            [
                SegmentName {
                    epoch: 5,
                    first_seq: 1
                },
                later
            ]
        );
    }

    #[test]
    fn any_flipped_byte_costs_at_most_its_own_record() {
        let (_dir, path, bytes) = segment(5);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                fs::write(&path, &damaged).unwrap();
                let read = seqs(&path);
                assert!(read.len() >= 4, "byte {at} ^ {flip:#x}: {read:?}");
                assert!(read.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }

    #[test]
    fn any_truncation_leaves_the_whole_records_before_it() {
        let (_dir, path, bytes) = segment(5);
        let len = (bytes.len() - HEADER.len()) / 5;
        for cut in 0..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            assert_eq!(
                seqs(&path).len(),
                cut.saturating_sub(HEADER.len()) / len,
                "cut at {cut}"
            );
        }
    }
}
