//! What a dense drop says beside its entries: a line of four fields between commas, and the first
//! bytes of its payload.
//!
//! `VD2,VM001,21,1fDmKI`: version, machine, characters of the payload, and a CRC-32 over all that
//! stands before it and over the payload, without white space; numbers in base 62. A person sees
//! what it is and whose; the rest is as small as bytes make it, since each character of a header is
//! one less for entries.
//!
//! The bytes: dictionary (4), forms (1), then LEB128: number, epoch, first seq covered, how many
//! seqs, seconds from 2026 until it was made, uptime, left out by level, covered by level. What the
//! entries tell anyway is not repeated: the forms say which of these are missing.

use super::Codec;
use super::coder::Broken;
use crate::drops::{Counts, Covers, DictionaryId, DropEntry, DropError, DropHeader, TimePrecision};
use crate::template::varint;
use crate::time::SECOND_US;
use crate::{MachineId, Micros};

/// How a dense drop begins; the digit is the version.
pub(super) const MAGIC: &str = "VD";
const VERSION: &str = "VD2";
const FIELDS: usize = 4;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// A CRC-32 in base 62, always written so wide.
const CRC_CHARS: usize = 6;
/// 2026-01-01T00:00:00Z, in seconds: times since then are short for years.
const TIME_BASE_S: i64 = 1_767_225_600;

/// The forms: precision and codec as one number in the lower half of the byte, and these.
const FORMS_MASK: u8 = 15;
const HAS_UPTIME: u8 = 16;
const HAS_LEFT_OUT: u8 = 32;
/// The counts are what was left out and what is told.
const COUNTS_TOLD: u8 = 64;
/// The last seq covered is that of the last entry.
const LAST_TOLD: u8 = 128;

const TIMES: [TimePrecision; 3] = [
    TimePrecision::Minute,
    TimePrecision::Second,
    TimePrecision::Millisecond,
];
const CUT: Broken = Broken("its header is cut");

/// The first line.
pub(super) struct Line {
    pub machine: MachineId,
    /// Characters of the payload.
    pub chars: usize,
    /// The CRC-32 that it states.
    pub crc: u32,
}

/// The first bytes of the payload.
pub(super) struct Head {
    /// Counts and last seq may be missing until [`Head::complete`].
    pub header: DropHeader,
    pub codec: Codec,
    pub dictionary: DictionaryId,
    forms: u8,
}

/// The line without its CRC; [`crc`] goes behind it.
pub(super) fn write_line(machine: &MachineId, chars: usize) -> String {
    format!("{VERSION},{machine},{},", base62(chars as u64))
}

/// A CRC as it is written.
pub(super) fn crc(crc: u32) -> String {
    format!("{:0>width$}", base62(crc.into()), width = CRC_CHARS)
}

/// Reads a line off the front of a text without white space; answers it with the length of what the
/// CRC covers of it, and where the payload begins.
pub(super) fn read_line(text: &str) -> Result<(Line, usize, usize), DropError> {
    let bad = || DropError::Damaged("its first line is cut or changed".to_owned());
    let mut fields = text.splitn(FIELDS, ',');
    let mut next = || fields.next().ok_or_else(bad);
    let version = next()?;
    if version != VERSION {
        return Err(DropError::UnknownVersion(
            version.trim_start_matches(MAGIC).chars().take(8).collect(),
        ));
    }
    let machine: MachineId = next()?.parse().map_err(|_| bad())?;
    let chars = from_base62(next()?).and_then(|chars| usize::try_from(chars).ok());
    let chars = chars.ok_or_else(bad)?;
    let rest = next()?;
    let stated = rest
        .get(..CRC_CHARS)
        .and_then(from_base62)
        .ok_or_else(bad)?;
    let covered = text.len() - rest.len();
    let line = Line {
        machine,
        chars,
        crc: u32::try_from(stated).map_err(|_| bad())?,
    };
    Ok((line, covered, covered + CRC_CHARS))
}

/// The first bytes of the payload of a drop with these entries.
pub(super) fn write_head(
    header: &DropHeader,
    codec: Codec,
    dictionary: DictionaryId,
    entries: &[DropEntry],
) -> Vec<u8> {
    let covers = &header.covers;
    let time = TIMES.iter().position(|time| *time == header.time);
    let mut forms = (codec as u8 - 1) * TIMES.len() as u8 + time.unwrap_or_default() as u8;
    let mut set = |flag: u8, is_set: bool| {
        forms |= if is_set { flag } else { 0 };
        is_set
    };
    let has_uptime = set(HAS_UPTIME, header.uptime_s.is_some());
    let has_left_out = set(HAS_LEFT_OUT, header.left_out != Counts::default());
    let counts_told = set(COUNTS_TOLD, told(header, entries) == Some(covers.counts));
    let last_told = set(LAST_TOLD, last(entries) == Some(covers.last));
    let mut bytes = dictionary.0.to_be_bytes().to_vec();
    bytes.push(forms);
    let mut put = |value: u64| varint::put(&mut bytes, value.into());
    put(header.number);
    put(header.epoch);
    put(covers.first);
    if !last_told {
        put(covers.last.wrapping_sub(covers.first).wrapping_add(1));
    }
    let made_at_s = header.made_at.0.div_euclid(SECOND_US);
    put(made_at_s.wrapping_sub(TIME_BASE_S) as u64);
    if has_uptime {
        put(header.uptime_s.unwrap_or_default());
    }
    for (is_there, counts) in [
        (has_left_out, &header.left_out),
        (!counts_told, &covers.counts),
    ] {
        if is_there {
            counts.as_array().into_iter().for_each(&mut put);
        }
    }
    bytes
}

/// Takes the head off the front of a payload.
pub(super) fn take_head(machine: MachineId, bytes: &mut &[u8]) -> Result<Head, Broken> {
    let (dictionary, rest) = bytes.split_first_chunk().ok_or(CUT)?;
    let (forms, rest) = rest.split_first().ok_or(CUT)?;
    *bytes = rest;
    let (forms, both) = (*forms, forms & FORMS_MASK);
    let codec = Codec::from_number(both / TIMES.len() as u8 + 1);
    let codec = codec.ok_or(Broken("its entries are written in a way that is not known"))?;
    let mut take = || {
        let value = varint::take(bytes).map_err(|_| CUT)?;
        u64::try_from(value).map_err(|_| CUT)
    };
    let (number, epoch, first) = (take()?, take()?, take()?);
    let seqs = if forms & LAST_TOLD == 0 { take()? } else { 0 };
    let made_at_s = (take()? as i64).wrapping_add(TIME_BASE_S);
    let uptime_s = match forms & HAS_UPTIME {
        0 => None,
        _ => Some(take()?),
    };
    let mut counts = |is_there: bool| {
        let mut counts = [0; 5];
        if is_there {
            for count in &mut counts {
                *count = take()?;
            }
        }
        Ok::<_, Broken>(Counts::from_array(counts))
    };
    let left_out = counts(forms & HAS_LEFT_OUT != 0)?;
    let covers = Covers {
        first,
        last: first.wrapping_add(seqs).wrapping_sub(1),
        counts: counts(forms & COUNTS_TOLD == 0)?,
    };
    Ok(Head {
        header: DropHeader {
            machine,
            number,
            epoch,
            made_at: Micros(made_at_s.saturating_mul(SECOND_US)),
            uptime_s,
            covers,
            left_out,
            time: TIMES[usize::from(both) % TIMES.len()],
        },
        codec,
        dictionary: DictionaryId(u32::from_be_bytes(*dictionary)),
        forms,
    })
}

impl Head {
    /// The header, with what its entries tell.
    pub(super) fn complete(mut self, entries: &[DropEntry]) -> Result<DropHeader, Broken> {
        const NOT_TOLD: Broken = Broken("its entries do not tell what they should");
        if self.forms & LAST_TOLD != 0 {
            self.header.covers.last = last(entries).ok_or(NOT_TOLD)?;
        }
        if self.forms & COUNTS_TOLD != 0 {
            self.header.covers.counts = told(&self.header, entries).ok_or(NOT_TOLD)?;
        }
        Ok(self.header)
    }
}

/// What was left out and what the entries within the seqs covered are; `None` beyond all bounds.
fn told(header: &DropHeader, entries: &[DropEntry]) -> Option<Counts> {
    let mut counts = header.left_out.as_array();
    for entry in entries.iter().map(|entry| &entry.entry) {
        if entry.seq.is_some_and(|seq| header.covers.contains(seq)) {
            let count = counts.get_mut(usize::from(entry.level.as_u8()))?;
            *count = count.checked_add(1)?;
        }
    }
    Some(Counts::from_array(counts))
}

fn last(entries: &[DropEntry]) -> Option<u64> {
    entries
        .iter()
        .filter_map(|entry| entry.entry.seq)
        .next_back()
}

fn base62(mut value: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[(value % 62) as usize]));
        value /= 62;
        if value == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

fn from_base62(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0u64, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        value.checked_mul(62)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_come_back() {
        for value in [0, 1, 61, 62, 3_843, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(from_base62(&base62(value)), Some(value));
        }
        assert_eq!(from_base62("zzzzzzzzzzzz"), None, "more than 64 bits");
    }
}
