//! The walk over the entries of a drop, for every codec: what is told of an entry, in which order,
//! and what each part is likely to have to do with the parts before.

use std::collections::HashMap;
use std::sync::Arc;

use super::coder::{Broken, Coder, Field, Place, TOO_LONG, bit_len, mix};
use super::json;
use super::params::Params;
use super::shapes::{Before, Shape, Shapes};
use crate::drops::{DropEntry, TimePrecision};
use crate::template::{self, Split};
use crate::{ClockState, LogEntry, Micros};

/// The most entries of one drop: a full hour of the busiest machine three times over.
pub(crate) const ENTRIES_MAX: usize = 16_384;
/// The most that the entries of a drop may say, in bytes of their texts.
pub(crate) const SAID_MAX_BYTES: usize = 1024 * 1024;
/// From so many seqs on, the time that passed is foretold by their number.
const FORETOLD_FROM: u64 = 16;
/// [`Frame::pace`] before anything is known.
pub(crate) const PACE_FIRST: u64 = 320;

/// An entry a year is slow enough.
const PACE_MAX: u64 = 1 << 33;

/// Entries without a number.
const NO_SEQ: u128 = 1;
const CLOCK_SHIFT: u32 = 1;
const CLOCK_MASK: u128 = 3;
const SUMMARY: u128 = 8;
const SEQ_BACK: u128 = 16;
const TIME_BACK: u128 = 32;

/// What both ends know before the first entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// The time that the first entry's is told from.
    pub at: Micros,
    /// The seq before the one that the first entry is expected to have.
    pub seq: u64,
    pub time: TimePrecision,
    /// Seconds in which 256 entries are written, as the dictionary knows it.
    pub pace: u64,
    /// Whether messages are kept whole instead of being split.
    pub whole: bool,
}

/// An entry as it is told: a time in steps, a seq, flags, and two blobs of parameters.
#[derive(Debug, Clone, Default)]
struct Told {
    flags: u128,
    seq: u64,
    step: i64,
    message: Vec<u8>,
    context: Vec<u8>,
}

/// The state of a walk.
pub(crate) struct Walk<'s> {
    shapes: &'s mut Shapes,
    frame: Frame,
    params: Params,
    /// Hashes of the shapes of the entries before, the last one first.
    before: Before,
    /// Whether this entry is of the same component as the one before.
    same: u32,
    flags: u128,
    seq: u64,
    step: i64,
    /// The last distance of seqs.
    leap: u64,
    /// The last two distances of time before an entry of this shape.
    rhythm: HashMap<u32, [u64; 2]>,
    pace: u64,
    room: usize,
}

impl<'s> Walk<'s> {
    /// A walk that begins at `frame`; new shapes are added to `shapes`. `most` bounds what is read.
    pub(crate) fn new(shapes: &'s mut Shapes, frame: Frame, most: usize) -> Walk<'s> {
        Walk {
            params: Params::new(shapes.columns().clone()),
            shapes,
            frame,
            before: Before::default(),
            same: 0,
            flags: 0,
            seq: frame.seq,
            step: steps(frame.time, frame.at),
            leap: 0,
            rhythm: HashMap::new(),
            pace: frame.pace,
            room: most,
        }
    }

    /// Seconds in which 256 entries were written lately.
    pub(crate) fn pace(&self) -> u64 {
        self.pace
    }

    /// Writes these entries.
    pub(crate) fn write<C: Coder>(
        &mut self,
        coder: &mut C,
        entries: &[DropEntry],
    ) -> Result<(), Broken> {
        coder.number(&COUNT, entries.len() as u128)?;
        let least = entries.iter().map(|entry| entry.entry.level.as_u8()).min();
        self.least(coder, least.unwrap_or_default())?;
        for entry in entries {
            let context = json::write(&entry.entry.context);
            let message = split(&entry.entry.message, self.frame.whole);
            let context = split(&context, self.frame.whole);
            let shape = Shape {
                level: entry.entry.level,
                component: Arc::from(&*entry.entry.component),
                message: Arc::from(&*message.template),
                context: Arc::from(&*context.template),
            };
            let told = Told {
                flags: flags(entry),
                seq: entry.entry.seq.unwrap_or_default(),
                step: steps(self.frame.time, entry.entry.timestamp),
                message: template::encode_params(&message.params),
                context: template::encode_params(&context.params),
            };
            self.entry(coder, Some(&shape), told)?;
        }
        Ok(())
    }

    /// Reads all entries.
    pub(crate) fn read<C: Coder>(&mut self, coder: &mut C) -> Result<Vec<DropEntry>, Broken> {
        let count = coder.number(&COUNT, 0)?;
        let count = usize::try_from(count).ok().filter(|n| *n <= ENTRIES_MAX);
        let count = count.ok_or(TOO_LONG)?;
        self.least(coder, 0)?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let (shape, told) = self.entry(coder, None, Told::default())?;
            entries.push(self.whole_entry(&shape, &told)?);
        }
        Ok(entries)
    }

    /// The least level of all entries, which tells what kind of drop it is.
    fn least<C: Coder>(&mut self, coder: &mut C, least: u8) -> Result<(), Broken> {
        let place = Place {
            field: Field::Count,
            contexts: &[2],
        };
        self.before.least =
            u32::try_from(coder.number(&place, least.into())?).map_err(|_| TOO_LONG)?;
        Ok(())
    }

    fn entry<C: Coder>(
        &mut self,
        coder: &mut C,
        shape: Option<&Shape>,
        mut told: Told,
    ) -> Result<(Shape, Told), Broken> {
        let (shape, now) = self.shapes.code(coder, &self.before, shape, self.room)?;
        self.same = u32::from(now.is_same());
        self.place(coder, now.kinds[0], &mut told)?;
        self.params.begin_entry();
        let message = self
            .params
            .code(coder, &shape.message, &told.message, self.room)?;
        let context = self
            .params
            .code(coder, &shape.context, &told.context, self.room)?;
        (told.message, told.context) = (message, context);
        self.before = now;
        Ok((shape, told))
    }

    /// Flags, seq and time.
    fn place<C: Coder>(&mut self, coder: &mut C, kind: u32, told: &mut Told) -> Result<(), Broken> {
        let expected = self.seq.wrapping_add(1);
        if !C::READS {
            let seq_back = told.flags & NO_SEQ == 0 && told.seq < expected;
            told.flags |= if seq_back { SEQ_BACK } else { 0 };
            told.flags |= if told.step < self.step { TIME_BACK } else { 0 };
        }
        let place = Place {
            field: Field::Flags,
            contexts: &[
                mix(&[self.flags as u32]),
                2,
                mix(&[kind, self.flags as u32]),
                mix(&[kind, 1]),
            ],
        };
        told.flags = coder.number(&place, told.flags)?;
        let leap = if told.flags & NO_SEQ == 0 {
            self.leap(coder, kind, expected, told)?
        } else {
            0
        };
        self.time(coder, kind, leap, told)?;
        self.flags = told.flags;
        Ok(())
    }

    /// The seq; answers how far it is from the one before.
    fn leap<C: Coder>(
        &mut self,
        coder: &mut C,
        kind: u32,
        expected: u64,
        told: &mut Told,
    ) -> Result<u64, Broken> {
        let place = Place {
            field: Field::Seq,
            contexts: &[
                mix(&[1, kind, self.before.kinds[0], bit_len(self.leap.into())]),
                mix(&[2, kind, self.before.kinds[0]]),
                mix(&[3, kind, self.before.least]),
                mix(&[4, bit_len(self.leap.into()), self.same, self.before.least]),
                mix(&[5, self.same, self.before.least]),
            ],
        };
        let far = coder.number(&place, told.seq.abs_diff(expected).into())?;
        let far = u64::try_from(far).map_err(|_| TOO_LONG)?;
        told.seq = if told.flags & SEQ_BACK == 0 {
            expected.wrapping_add(far)
        } else {
            expected.wrapping_sub(far)
        };
        (self.seq, self.leap) = (told.seq, far);
        Ok(far.saturating_add(1))
    }

    fn time<C: Coder>(
        &mut self,
        coder: &mut C,
        kind: u32,
        leap: u64,
        told: &mut Told,
    ) -> Result<(), Broken> {
        let is_back = told.flags & TIME_BACK != 0;
        let passed = told.step.abs_diff(self.step);
        // Milliseconds are told as whole seconds and the rest, so that what is known of seconds
        // helps.
        let parts = match self.frame.time {
            TimePrecision::Millisecond => 1_000,
            TimePrecision::Second | TimePrecision::Minute => 1,
        };
        let whole = if leap >= FORETOLD_FROM && !is_back {
            self.drift(coder, kind, leap, passed / parts)?
        } else {
            self.passed(coder, kind, leap, passed / parts)?
        };
        let mut passed = whole.checked_mul(parts).ok_or(TOO_LONG)?;
        if parts > 1 {
            let place = Place {
                field: Field::Millisecond,
                contexts: &[
                    mix(&[kind, self.before.kinds[0], u32::from(whole == 0)]),
                    mix(&[kind, u32::from(whole == 0)]),
                    u32::from(whole == 0),
                ],
            };
            let rest = coder.number(&place, (told.step.abs_diff(self.step) % parts).into())?;
            let rest = u64::try_from(rest).map_err(|_| TOO_LONG)?;
            passed = passed.checked_add(rest).ok_or(TOO_LONG)?;
        }
        told.step = if is_back {
            self.step.wrapping_sub(passed as i64)
        } else {
            self.step.wrapping_add(passed as i64)
        };
        self.step = told.step;
        Ok(())
    }

    /// A time by its distance from the one before, in seconds or minutes.
    fn passed<C: Coder>(
        &mut self,
        coder: &mut C,
        kind: u32,
        leap: u64,
        passed: u64,
    ) -> Result<u64, Broken> {
        let unit = self.unit();
        let leap = leap.min(FORETOLD_FROM) as u32;
        let [last, before_last] = self.rhythm.get(&kind).copied().unwrap_or_default();
        let place = Place {
            field: Field::Time,
            contexts: &[
                mix(&[1, kind, unit, leap, self.before.kinds[0], last as u32]),
                mix(&[2, kind, unit, last as u32, before_last as u32]),
                mix(&[3, kind, unit, leap, self.before.kinds[0]]),
                mix(&[4, kind, unit, leap]),
                mix(&[5, unit, leap, self.same]),
                mix(&[6, unit, leap]),
            ],
        };
        let passed = coder.number(&place, passed.into())?;
        let passed = u64::try_from(passed).map_err(|_| TOO_LONG)?;
        self.rhythm.insert(kind, [passed, last]);
        Ok(passed)
    }

    /// A time by how far it is from the one that the number of entries between foretells.
    fn drift<C: Coder>(
        &mut self,
        coder: &mut C,
        kind: u32,
        leap: u64,
        passed: u64,
    ) -> Result<u64, Broken> {
        let unit = self.unit();
        let foretold = u128::from(leap) * u128::from(self.pace) / 256 / u128::from(unit);
        let foretold = foretold as i128;
        let drift = i128::from(passed) - foretold;
        // 0, -1, 1, -2, 2 ...
        let folded = (drift << 1 ^ drift >> 127) as u128;
        let size = bit_len(leap.into());
        let place = Place {
            field: Field::Drift,
            contexts: &[
                mix(&[1, kind, unit, size]),
                mix(&[2, unit, size]),
                mix(&[3, unit, kind]),
                mix(&[4, unit]),
            ],
        };
        let folded = coder.number(&place, folded)?;
        let drift = (folded >> 1) as i128 ^ -((folded & 1) as i128);
        let passed = foretold
            .checked_add(drift)
            .and_then(|at| u64::try_from(at).ok());
        let passed = passed.ok_or(TOO_LONG)?;
        let pace = u128::from(passed) * u128::from(unit) * 256 / u128::from(leap);
        let pace = u64::try_from(pace).unwrap_or(u64::MAX).min(PACE_MAX);
        self.pace = (self.pace * 3 + pace) / 4;
        Ok(passed)
    }

    /// The seconds that times are counted in.
    fn unit(&self) -> u32 {
        match self.frame.time {
            TimePrecision::Minute => 60,
            TimePrecision::Second | TimePrecision::Millisecond => 1,
        }
    }

    /// The entry of what was told.
    fn whole_entry(&mut self, shape: &Shape, told: &Told) -> Result<DropEntry, Broken> {
        const BAD: Broken = Broken("parameters do not fit their template");
        let message = template::join(&shape.message, &told.message).map_err(|_| BAD)?;
        let context = template::join(&shape.context, &told.context).map_err(|_| BAD)?;
        let said = message.len() + context.len() + shape.component.len();
        self.room = self.room.checked_sub(said).ok_or(TOO_LONG)?;
        let clock = (told.flags >> CLOCK_SHIFT & CLOCK_MASK) as u8;
        Ok(DropEntry {
            entry: LogEntry {
                seq: (told.flags & NO_SEQ == 0).then_some(told.seq),
                timestamp: Micros(told.step.saturating_mul(self.frame.time.step_us())),
                level: shape.level,
                component: shape.component.to_string(),
                message,
                context: json::read(&context)?,
                clock: ClockState::from_u8(clock),
            },
            is_summary: told.flags & SUMMARY != 0,
        })
    }
}

const COUNT: Place<'static> = Place {
    field: Field::Count,
    contexts: &[0],
};

fn split(text: &str, whole: bool) -> Split<'_> {
    if whole && !text.is_empty() {
        template::raw(text)
    } else {
        template::split(text)
    }
}

fn steps(time: TimePrecision, at: Micros) -> i64 {
    at.0.div_euclid(time.step_us())
}

fn flags(entry: &DropEntry) -> u128 {
    let mut flags = u128::from(entry.entry.clock.as_u8()) << CLOCK_SHIFT;
    if entry.entry.seq.is_none() {
        flags |= NO_SEQ;
    }
    if entry.is_summary {
        flags |= SUMMARY;
    }
    flags
}
