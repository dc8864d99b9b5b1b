//! The first line of a dense drop: 14 fields between commas, numbers in base 62.
//!
//! `VD1,VM001,H,1vivhP,1,1w,0:y:U:U,,MTY,3rRAci,s4,1x24iw,21,1fDmKI`, in this order: version,
//! machine, number, epoch, first seq covered, how many seqs, counts from DEBUG to CRITICAL, left
//! out (nothing when nothing is), uptime, made at, time and codec, dictionary, characters of the
//! payload, and a CRC-32 over all that stands before it and over the payload, without white space.

use super::Codec;
use crate::drops::{Counts, Covers, DictionaryId, DropError, DropHeader, TimePrecision};
use crate::{MachineId, Micros};

/// How a dense drop begins; the digit is the version.
pub(super) const MAGIC: &str = "VD";
const VERSION: &str = "VD1";
const FIELDS: usize = 14;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// A CRC-32 in base 62, always written so wide.
const CRC_CHARS: usize = 6;

/// What the first line says beyond the [`DropHeader`].
pub(super) struct Line {
    pub header: DropHeader,
    pub codec: Codec,
    pub dictionary: DictionaryId,
    /// Characters of the payload.
    pub chars: usize,
    /// The CRC-32 that it states.
    pub crc: u32,
}

/// The line without its CRC; [`crc`] goes behind it.
pub(super) fn write(
    header: &DropHeader,
    codec: Codec,
    dictionary: DictionaryId,
    chars: usize,
) -> String {
    let covers = &header.covers;
    let seqs = if covers.is_empty() {
        0
    } else {
        covers.last.wrapping_sub(covers.first).wrapping_add(1)
    };
    let time = match header.time {
        TimePrecision::Minute => 'm',
        TimePrecision::Second => 's',
        TimePrecision::Millisecond => 'f',
    };
    [
        VERSION.to_owned(),
        header.machine.to_string(),
        base62(header.number),
        base62(header.epoch),
        base62(covers.first),
        base62(seqs),
        counts(&covers.counts),
        counts(&header.left_out),
        header.uptime_s.map_or(String::new(), base62),
        base62(folded(header.made_at.0.div_euclid(crate::time::SECOND_US))),
        format!("{time}{}", codec as u8),
        base62(dictionary.0.into()),
        base62(chars as u64),
        String::new(),
    ]
    .join(",")
}

/// A CRC as it is written.
pub(super) fn crc(crc: u32) -> String {
    format!("{:0>width$}", base62(crc.into()), width = CRC_CHARS)
}

/// Reads a line off the front of a text without white space; answers it with the length of what the
/// CRC covers of it, and where the payload begins.
pub(super) fn read(text: &str) -> Result<(Line, usize, usize), DropError> {
    const CUT: &str = "its first line is cut or changed";
    let bad = || DropError::Damaged(CUT.to_owned());
    let mut fields = text.splitn(FIELDS, ',');
    let mut next = || fields.next().ok_or_else(bad);
    let version = next()?;
    if version != VERSION {
        return Err(DropError::UnknownVersion(
            version.trim_start_matches(MAGIC).chars().take(8).collect(),
        ));
    }
    let number = |field: &str| from_base62(field).ok_or_else(bad);
    let machine: MachineId = next()?.parse().map_err(|_| bad())?;
    let (drop_number, epoch) = (number(next()?)?, number(next()?)?);
    let (first, seqs) = (number(next()?)?, number(next()?)?);
    let last = if seqs == 0 {
        0
    } else {
        first.wrapping_add(seqs - 1)
    };
    let covers = Covers {
        first,
        last,
        counts: read_counts(next()?).ok_or_else(bad)?,
    };
    let left_out = read_counts(next()?).ok_or_else(bad)?;
    let uptime_s = match next()? {
        "" => None,
        field => Some(number(field)?),
    };
    let made_at = unfolded(number(next()?)?).saturating_mul(crate::time::SECOND_US);
    let (time, codec) = read_forms(next()?).ok_or_else(bad)?;
    let dictionary = u32::try_from(number(next()?)?).map_err(|_| bad())?;
    let chars = usize::try_from(number(next()?)?).map_err(|_| bad())?;
    let rest = next()?;
    let stated = rest
        .get(..CRC_CHARS)
        .and_then(from_base62)
        .ok_or_else(bad)?;
    let covered = text.len() - rest.len();
    let line = Line {
        header: DropHeader {
            machine,
            number: drop_number,
            epoch,
            made_at: Micros(made_at),
            uptime_s,
            covers,
            left_out,
            time,
        },
        codec,
        dictionary: DictionaryId(dictionary),
        chars,
        crc: u32::try_from(stated).map_err(|_| bad())?,
    };
    Ok((line, covered, covered + CRC_CHARS))
}

fn read_forms(field: &str) -> Option<(TimePrecision, Codec)> {
    let (time, codec) = field.split_at_checked(1)?;
    let time = match time {
        "m" => TimePrecision::Minute,
        "s" => TimePrecision::Second,
        "f" => TimePrecision::Millisecond,
        _ => return None,
    };
    Some((time, Codec::from_digit(codec)?))
}

/// `2g:0:3`: zeros at the end are not written.
fn counts(counts: &Counts) -> String {
    let counts = counts.as_array();
    let kept = counts.iter().rposition(|n| *n > 0).map_or(0, |at| at + 1);
    let words: Vec<String> = counts[..kept].iter().map(|n| base62(*n)).collect();
    words.join(":")
}

fn read_counts(field: &str) -> Option<Counts> {
    let mut counts = [0; 5];
    if field.is_empty() {
        return Some(Counts::default());
    }
    for (i, word) in field.split(':').enumerate() {
        *counts.get_mut(i)? = from_base62(word)?;
    }
    Some(Counts::from_array(counts))
}

/// 0, -1, 1, -2, 2 ... as 0, 1, 2, 3, 4 ...
fn folded(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn unfolded(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
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
        for value in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(unfolded(folded(value)), value);
        }
    }
}
