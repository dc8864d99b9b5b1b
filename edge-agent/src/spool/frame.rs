//! One record of the spool as bytes. Sans-IO: bytes in, values out, "incomplete" is no error.
//!
//! `mark(4) length(4) crc32(4) body`, the body being
//! `seq(8) timestamp(8) level(1) entry length(4) entry JSON, origin JSON`, numbers little-endian. The
//! mark begins with a byte that UTF-8 never holds, so the next record is found behind a damaged one.

use wire::{Level, Micros};

/// Where a record begins.
pub const MARK: [u8; 4] = [0xF7, b'V', b'L', 0xF8];
/// Mark, length and checksum.
pub const HEAD_BYTES: usize = 12;
/// The longest body. An entry has at most 64 KiB, JSON may write a control character in 6 bytes,
/// and the origin takes a few hundred.
pub const BODY_MAX_BYTES: usize = 512 * 1024;
/// Seq, timestamp, level and entry length.
const FIXED_BYTES: usize = 21;

/// A record, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// 1, 2, 3 ... within the spool's epoch.
    pub seq: u64,
    /// The entry's own time.
    pub at: Micros,
    /// The entry's level, so that a reader can choose without reading JSON.
    pub level: Level,
    /// The entry as the wire has it: one JSON object with its `seq`.
    pub entry: &'a str,
    /// Where it came from, as JSON; see `input::Origin`.
    pub origin: &'a str,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole record and the bytes it takes.
    Whole(Frame<'a>, usize),
    /// Perhaps a record; so many bytes are needed to tell.
    Short(usize),
    /// No record begins here.
    Bad,
}

impl Frame<'_> {
    /// Appends the record's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let body_len = FIXED_BYTES + self.entry.len() + self.origin.len();
        debug_assert!(
            body_len <= BODY_MAX_BYTES,
            "an entry is cut before it is spooled"
        );
        out.extend_from_slice(&MARK);
        out.extend_from_slice(&(body_len as u32).to_le_bytes());
        let crc_at = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.at.0.to_le_bytes());
        out.push(self.level.as_u8());
        out.extend_from_slice(&(self.entry.len() as u32).to_le_bytes());
        out.extend_from_slice(self.entry.as_bytes());
        out.extend_from_slice(self.origin.as_bytes());
        let crc = checksum(body_len as u32, &out[crc_at + 4..]);
        out[crc_at..crc_at + 4].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Reads what begins at the first byte.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let shown = bytes.len().min(MARK.len());
    if bytes[..shown] != MARK[..shown] {
        return Parsed::Bad;
    }
    if bytes.len() < HEAD_BYTES {
        return Parsed::Short(HEAD_BYTES);
    }
    let len = u32_at(bytes, 4) as usize;
    if !(FIXED_BYTES..=BODY_MAX_BYTES).contains(&len) {
        return Parsed::Bad;
    }
    let Some(body) = bytes.get(HEAD_BYTES..HEAD_BYTES + len) else {
        return Parsed::Short(HEAD_BYTES + len);
    };
    if checksum(len as u32, body) != u32_at(bytes, 8) {
        return Parsed::Bad;
    }
    match fields(body) {
        Some(frame) => Parsed::Whole(frame, HEAD_BYTES + len),
        None => Parsed::Bad,
    }
}

fn fields(body: &[u8]) -> Option<Frame<'_>> {
    let number = |at: usize| {
        body[at..at + 8]
            .try_into()
            .expect("eight bytes were sliced")
    };
    let entry_len = u32_at(body, 17) as usize;
    let (entry, origin) = body[FIXED_BYTES..].split_at_checked(entry_len)?;
    Some(Frame {
        seq: u64::from_le_bytes(number(0)),
        at: Micros(i64::from_le_bytes(number(8))),
        level: Level::from_u8(body[16])?,
        entry: std::str::from_utf8(entry).ok()?,
        origin: std::str::from_utf8(origin).ok()?,
    })
}

/// The length is under the checksum too: a flipped length must not pass for a shorter record.
fn checksum(len: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(
        bytes[at..at + 4]
            .try_into()
            .expect("four bytes were sliced"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Frame<'static>, Vec<u8>) {
        let frame = Frame {
            seq: 7,
            at: Micros(1_700_000_000_000_000),
            level: Level::Error,
            entry: r#"{"seq":7}"#,
            origin: r#"{"offset":12}"#,
        };
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        (frame, bytes)
    }

    #[test]
    fn a_record_comes_back_and_says_how_long_it_is() {
        let (frame, mut bytes) = sample();
        let len = bytes.len();
        bytes.extend_from_slice(b"more");
        assert_eq!(parse(&bytes), Parsed::Whole(frame, len));
    }

    #[test]
    fn every_shorter_start_is_incomplete_and_no_flipped_bit_passes() {
        let (_, bytes) = sample();
        for len in 0..bytes.len() {
            assert!(
                matches!(parse(&bytes[..len]), Parsed::Short(_)),
                "{len} bytes"
            );
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !matches!(parse(&damaged), Parsed::Whole(..)),
                "bit {bit} flipped"
            );
        }
    }
}
