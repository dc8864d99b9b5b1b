//! The `drop` line: what a text drop says of itself, and the checksum of all of it.

use std::fmt::Write as _;

use super::line::{self, digits};
use super::stamp::{self, Stamp};
use crate::drops::{Counts, Covers, DropError, DropHeader, TimePrecision};
use crate::{Level, MachineId};

/// The component of the first line.
const COMPONENT: &str = "drop";

/// A `drop` line taken apart.
pub(super) struct Head<'a> {
    pub(super) header: DropHeader,
    /// How many lines of entries follow.
    pub(super) lines: usize,
    pub(super) checksum: u32,
    /// The line without its checksum: what stands before and after it.
    pub(super) unsummed: (&'a str, &'a str),
}

/// Writes the `drop` line in front of the entries' lines.
pub(super) fn write(header: &DropHeader, count: usize, lines: &str) -> String {
    let parts = stamp::parts(TimePrecision::Second.cut(header.made_at));
    let mut before = format!("{}|{}|I|{COMPONENT}|", header.machine, parts.stamp);
    // A String takes every write.
    let _ = write!(before, "{} covers ", header.number);
    let covers = header.covers;
    if covers.is_empty() {
        before.push_str("nothing");
    } else {
        let counts = write_counts(covers.counts);
        let _ = write!(before, "{}-{} {counts}", covers.first, covers.last);
    }
    if header.left_out.total() > 0 {
        let _ = write!(before, "; left out {}", write_counts(header.left_out));
    }
    let _ = write!(before, "|e={} y={}", header.epoch, parts.year);
    if let Some(uptime_s) = header.uptime_s {
        let _ = write!(before, " u={uptime_s}");
    }
    match header.time {
        TimePrecision::Minute => before.push_str(" p=m"),
        TimePrecision::Second => {}
        TimePrecision::Millisecond => before.push_str(" p=ms"),
    }
    let _ = write!(before, " l={count}");
    let after = format!("#0@{:02}", parts.second);
    let sum = checksum((&before, &after), lines.lines());
    format!("{before} k={sum:08x}{after}\n{lines}")
}

/// Over the `drop` line without its checksum, and the lines that follow.
pub(super) fn checksum<'a>(
    (before, after): (&str, &str),
    lines: impl Iterator<Item = &'a str>,
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before.as_bytes());
    hasher.update(after.as_bytes());
    for line in lines {
        hasher.update(b"\n");
        hasher.update(line.as_bytes());
    }
    hasher.finalize()
}

/// Reads a `drop` line; `Ok(None)` when it is another line.
pub(super) fn read(line: &str) -> Result<Option<Head<'_>>, DropError> {
    let mut fields = line.split('|');
    let mut next = || fields.next().unwrap_or("");
    let (machine, stamp, letter, component) = (next(), next(), next(), next());
    // The component is reserved: what is left of a line of ours must not pass as somebody else's.
    if (letter, component) != ("I", COMPONENT) {
        return Ok(None);
    }
    let (message, context) = (next(), next());
    let head = machine
        .parse::<MachineId>()
        .ok()
        .zip(Stamp::read(stamp))
        .and_then(|(machine, stamp)| read_fields(line, machine, stamp, message, context));
    let damaged = || DropError::Damaged("its first line cannot be read".to_owned());
    head.map(Some).ok_or_else(damaged)
}

fn read_fields<'a>(
    line: &'a str,
    machine: MachineId,
    stamp: Stamp,
    message: &str,
    context: &str,
) -> Option<Head<'a>> {
    let (before, rest) = line.rsplit_once(" k=")?;
    let (sum, second) = rest.split_once("#0@")?;
    let after = &rest[sum.len()..];
    let checksum = u32::from_str_radix(sum, 16)
        .ok()
        .filter(|_| sum.len() == 8)?;
    let mut fields = Fields::default();
    for field in context.rsplit_once(" k=")?.0.split(' ') {
        fields.take(field)?;
    }
    let (number, said) = message.split_once(" covers ")?;
    let (covers, left_out) = match said.split_once("; left out ") {
        Some((covers, left_out)) => (covers, read_counts(left_out)?),
        None => (said, Counts::default()),
    };
    let header = DropHeader {
        machine,
        number: number_of(number)?,
        epoch: fields.epoch?,
        made_at: stamp.in_year(fields.year?, digits(second, 2)?, 0)?,
        uptime_s: fields.uptime_s,
        covers: read_covers(covers)?,
        left_out,
        time: fields.time,
    };
    Some(Head {
        header,
        lines: fields.lines?,
        checksum,
        unsummed: (before, after),
    })
}

#[derive(Default)]
struct Fields {
    epoch: Option<u64>,
    year: Option<i16>,
    uptime_s: Option<u64>,
    time: TimePrecision,
    lines: Option<usize>,
}

impl Fields {
    /// Fields of newer agents are passed over: the checksum holds them too.
    fn take(&mut self, field: &str) -> Option<()> {
        let (name, value) = field.split_once('=')?;
        match name {
            "e" => self.epoch = Some(number_of(value)?),
            "y" => self.year = Some(value.parse().ok()?),
            "u" => self.uptime_s = Some(number_of(value)?),
            "p" => {
                self.time = match value {
                    "m" => TimePrecision::Minute,
                    "ms" => TimePrecision::Millisecond,
                    _ => return None,
                }
            }
            "l" => self.lines = Some(usize::try_from(number_of(value)?).ok()?),
            _ => {}
        }
        Some(())
    }
}

fn read_covers(text: &str) -> Option<Covers> {
    if text == "nothing" {
        return Some(Covers::default());
    }
    let (range, counts) = text.split_once(' ')?;
    let (first, last) = range.split_once('-')?;
    let covers = Covers {
        first: number_of(first)?,
        last: number_of(last)?,
        counts: read_counts(counts)?,
    };
    (covers.first >= 1 && covers.first <= covers.last).then_some(covers)
}

/// `D40 I12 E4`: what there is none of is not named.
fn write_counts(counts: Counts) -> String {
    let named = Level::ALL
        .into_iter()
        .filter(|level| counts.of(*level) > 0)
        .map(|level| format!("{}{}", line::letter(level), counts.of(level)));
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        "none".to_owned()
    } else {
        named.join(" ")
    }
}

fn read_counts(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    if text == "none" {
        return Some(counts);
    }
    for named in text.split(' ') {
        let level = line::level(named.get(..1)?)?;
        counts.add(level, number_of(&named[1..])?);
    }
    Some(counts)
}

/// A whole number that the store can keep.
fn number_of(text: &str) -> Option<u64> {
    digits::<u64>(text, text.len()).filter(|number| i64::try_from(*number).is_ok())
}
