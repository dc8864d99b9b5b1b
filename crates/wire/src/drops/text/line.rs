//! One entry of a drop of ours as a line.

use std::fmt::Write as _;

use super::stamp::{self, Stamp};
use super::{context, escape};
use crate::drops::{DropEntry, DropHeader, TimePrecision};
use crate::entry::COMPONENT_MAX_CHARS;
use crate::{ClockState, Level, LogEntry, Micros};

/// The fields of a line.
pub(super) const FIELDS: usize = 6;

/// The letter of a level; the PRD names none for DEBUG.
pub(super) fn letter(level: Level) -> char {
    match level {
        Level::Debug => 'D',
        Level::Info => 'I',
        Level::Warn => 'W',
        Level::Error => 'E',
        Level::Critical => 'C',
    }
}

/// The level of a letter.
pub(super) fn level(letter: &str) -> Option<Level> {
    Level::ALL
        .into_iter()
        .find(|level| letter.len() == 1 && letter.starts_with(self::letter(*level)))
}

/// Writes the line of an entry, with its line end.
pub(super) fn write(header: &DropHeader, entry: &DropEntry, out: &mut String) {
    let LogEntry {
        timestamp,
        level,
        component,
        message,
        context,
        clock,
        seq,
    } = &entry.entry;
    let at = header.time.cut(*timestamp);
    let parts = stamp::parts(at);
    // A String takes every write.
    let _ = write!(
        out,
        "{}|{}|{}|",
        header.machine,
        parts.stamp,
        letter(*level)
    );
    escape::escape(component, out);
    out.push('|');
    escape::escape(message, out);
    out.push('|');
    escape::escape(&context::write(context), out);
    let _ = write!(out, "#{}", seq.unwrap_or(0));
    let (second, millisecond) = match header.time {
        TimePrecision::Minute => (0, 0),
        TimePrecision::Second => (parts.second, 0),
        TimePrecision::Millisecond => (parts.second, parts.millisecond),
    };
    if header.time != TimePrecision::Minute {
        let _ = write!(out, "@{second:02}");
    }
    if header.time == TimePrecision::Millisecond {
        let _ = write!(out, ".{millisecond:03}");
    }
    let inferred = Stamp::read(&parts.stamp)
        .and_then(|stamp| stamp.latest(header.made_at, second, millisecond));
    if inferred != Some(at) {
        let _ = write!(out, "y{}", parts.year);
    }
    match clock {
        ClockState::Synced => {}
        ClockState::Unsynced => out.push('?'),
        ClockState::Repaired => out.push('~'),
    }
    if entry.is_summary {
        out.push('!');
    }
    out.push('\n');
}

/// Reads a line back; `None` when no [`write`] with this header wrote it.
pub(super) fn read(header: &DropHeader, line: &str) -> Option<DropEntry> {
    let mut fields = line.split('|');
    let mut next = || fields.next();
    let (machine, stamp, letter) = (next()?, next()?, next()?);
    let (component, message, context) = (next()?, next()?, next()?);
    if next().is_some() || machine != header.machine.as_str() {
        return None;
    }
    let (context, mark) = context.rsplit_once('#')?;
    // Zero is the first line's own.
    let mark = Mark::read(mark, header.time).filter(|mark| mark.seq > 0)?;
    let component = escape::unescape(component)?;
    if !(1..=COMPONENT_MAX_CHARS).contains(&component.chars().count()) {
        return None;
    }
    Some(DropEntry {
        entry: LogEntry {
            seq: Some(mark.seq),
            timestamp: mark.instant(Stamp::read(stamp)?, header.made_at)?,
            level: level(letter)?,
            component,
            message: escape::unescape(message)?,
            context: context::read(&escape::unescape(context)?)?,
            clock: mark.clock,
        },
        is_summary: mark.is_summary,
    })
}

/// Whether [`write`] made this line, for some header. The PRD's bare lines do not end so.
pub(super) fn is_ours(line: &str) -> bool {
    let Some((context, mark)) = line
        .rsplit('|')
        .next()
        .and_then(|last| last.rsplit_once('#'))
    else {
        return false;
    };
    let is_mark = |time| Mark::read(mark, time).is_some();
    // With its seconds it is ours whatever came over the rest; `#7` alone may be in any text.
    is_mark(TimePrecision::Second)
        || is_mark(TimePrecision::Millisecond)
        || (is_mark(TimePrecision::Minute)
            && escape::unescape(context).is_some_and(|context| context::read(&context).is_some()))
}

/// What follows the `#` at the end of a line.
struct Mark {
    seq: u64,
    second: i8,
    millisecond: i32,
    year: Option<i16>,
    clock: ClockState,
    is_summary: bool,
}

impl Mark {
    fn read(text: &str, time: TimePrecision) -> Option<Mark> {
        let (text, is_summary) = match text.strip_suffix('!') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (text, clock) = match (text.strip_suffix('?'), text.strip_suffix('~')) {
            (Some(rest), _) => (rest, ClockState::Unsynced),
            (_, Some(rest)) => (rest, ClockState::Repaired),
            _ => (text, ClockState::Synced),
        };
        let (text, year) = match text.split_once('y') {
            Some((rest, year)) => (rest, Some(year.parse().ok()?)),
            None => (text, None),
        };
        let (seq, second, millisecond) = match (time, text.split_once('@')) {
            (TimePrecision::Minute, None) => (text, 0, 0),
            (TimePrecision::Second, Some((seq, second))) => (seq, digits(second, 2)?, 0),
            (TimePrecision::Millisecond, Some((seq, rest))) => {
                let (second, millisecond) = rest.split_once('.')?;
                (seq, digits(second, 2)?, digits(millisecond, 3)?)
            }
            _ => return None,
        };
        let seq = digits::<u64>(seq, seq.len())?;
        i64::try_from(seq).is_ok().then_some(Mark {
            seq,
            second,
            millisecond,
            year,
            clock,
            is_summary,
        })
    }

    fn instant(&self, stamp: Stamp, made_at: Micros) -> Option<Micros> {
        match self.year {
            Some(year) => stamp.in_year(year, self.second, self.millisecond),
            None => stamp.latest(made_at, self.second, self.millisecond),
        }
    }
}

/// A number of exactly so many digits.
pub(super) fn digits<T: std::str::FromStr>(text: &str, count: usize) -> Option<T> {
    let is_number = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}
