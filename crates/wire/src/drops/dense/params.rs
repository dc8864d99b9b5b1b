//! The parameters of a template: blobs of [`crate::template`] taken apart into numbers and texts,
//! each told by what it has in common with what was said before.

use std::collections::{HashMap, VecDeque};

use super::coder::{Broken, Coder, Field, Place, TOO_LONG, bit_len, mix, mix_text};
use crate::template::{self, Kind, Piece, varint};

/// The form of a parameter that is kept as a text; the same for every kind.
const TEXT: u128 = 3;
/// The form of a whole number with leading zeros.
const PADDED: u128 = 2;
/// So many values that look like an id are remembered, whatever they belong to.
const REMEMBERED: usize = 16;
/// A text that is at least so long and has a digit looks like an id.
const ID_MIN_BYTES: usize = 6;
/// Numbers below this are told anew rather than by where they were said before.
const TELLING_MIN: u128 = 32;

const BAD: Broken = Broken("parameters do not fit their template");

/// How a number is told.
mod mode {
    pub(super) const ANEW: u128 = 0;
    pub(super) const SAME: u128 = 1;
    pub(super) const UP: u128 = 2;
    pub(super) const DOWN: u128 = 3;
    pub(super) const ECHO: u128 = 4;
    pub(super) const SUM: u128 = 5;
}

/// One parameter. What its parts mean depends on kind and form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Param {
    form: u128,
    /// Amount, shape of a time, or count of digits.
    number: u128,
    /// Value of a padded number or of a time.
    second: u128,
    bytes: Vec<u8>,
}

/// What was last said in one place of one template.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    value: u128,
    change: u128,
    mode: u128,
}

/// What the parameters before have said.
#[derive(Default)]
pub(super) struct Params {
    last: HashMap<u32, Last>,
    ids: VecDeque<(Kind, Param)>,
    /// The numbers of this entry so far.
    numbers: Vec<u128>,
}

impl Params {
    /// Forgets the numbers of the entry before.
    pub(super) fn begin_entry(&mut self) {
        self.numbers.clear();
    }

    /// Writes or reads the blob of a template's parameters.
    pub(super) fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        template: &str,
        mut blob: &[u8],
        most: usize,
    ) -> Result<Vec<u8>, Broken> {
        let name = mix_text(template);
        let mut out = Vec::new();
        let mut number = 0;
        for piece in template::pieces(template) {
            let Piece::Hole(kind) = piece.map_err(|_| BAD)? else {
                continue;
            };
            number += 1;
            let slot = mix(&[name, number]);
            let param = if C::READS {
                Param::default()
            } else {
                Param::take(kind, &mut blob)?
            };
            let left = most.checked_sub(out.len()).ok_or(TOO_LONG)?;
            self.param(coder, slot, kind, param, left)?
                .put(kind, &mut out);
        }
        Ok(out)
    }

    fn param<C: Coder>(
        &mut self,
        coder: &mut C,
        slot: u32,
        kind: Kind,
        param: Param,
        most: usize,
    ) -> Result<Param, Broken> {
        let by_name = matches!(kind, Kind::Hex | Kind::Id | Kind::Str);
        if by_name {
            let known = self.ids.iter().position(|(k, p)| *k == kind && *p == param);
            let known = known.filter(|_| !C::READS).map_or(0, |at| at as u128 + 1);
            let place = Place {
                field: Field::Recall,
                contexts: &[slot, kind as u32],
            };
            let told = coder.number(&place, known)?;
            if told > 0 {
                let at = usize::try_from(told - 1).map_err(|_| BAD)?;
                let id = self.ids.remove(at).filter(|(k, _)| *k == kind).ok_or(BAD)?;
                self.ids.push_front(id.clone());
                return Ok(id.1);
            }
        }
        let param = self.spelled(coder, slot, kind, param, most)?;
        if by_name && param.looks_like_an_id() {
            self.ids.push_front((kind, param.clone()));
            self.ids.truncate(REMEMBERED);
        }
        Ok(param)
    }

    fn spelled<C: Coder>(
        &mut self,
        coder: &mut C,
        slot: u32,
        kind: Kind,
        param: Param,
        most: usize,
    ) -> Result<Param, Broken> {
        let mut told = Param::default();
        let place = Place {
            field: Field::Form,
            contexts: &[slot, kind as u32],
        };
        told.form = coder.number(&place, param.form)?;
        let small = |coder: &mut C, what: u32, value: u128| {
            let place = Place {
                field: Field::Length,
                contexts: &[mix(&[slot, what]), mix(&[kind as u32, what])],
            };
            coder.number(&place, value)
        };
        match (kind, told.form) {
            (_, TEXT) => {
                let text = std::str::from_utf8(&param.bytes).map_err(|_| BAD)?;
                told.bytes = coder.text(slot, text, most)?.into_bytes();
            }
            (Kind::Int, PADDED) | (Kind::Time, _) => {
                told.number = small(coder, 1, param.number)?;
                told.second = self.amount(coder, slot, param.second)?;
            }
            (Kind::Dec, _) => {
                let scale = small(coder, 2, param.number & 7)?;
                let amount = self.amount(coder, slot, param.number >> 3)?;
                if scale > 7 || bit_len(amount) > 124 {
                    return Err(BAD);
                }
                told.number = amount << 3 | scale;
            }
            (Kind::Hex | Kind::Id, _) => {
                told.number = small(coder, 3, param.number)?;
                let count = bytes_of(kind, told.number).filter(|count| *count <= most);
                told.bytes = coder.raw(count.ok_or(TOO_LONG)?, &param.bytes)?;
            }
            _ => told.number = self.amount(coder, slot, param.number)?,
        }
        if bit_len(told.number) > 126 {
            return Err(BAD);
        }
        Ok(told)
    }

    /// A number that may have something to do with those before it.
    fn amount<C: Coder>(&mut self, coder: &mut C, slot: u32, value: u128) -> Result<u128, Broken> {
        let last = self.last.get(&slot).copied();
        let before = last.unwrap_or_default();
        let beside = self.numbers.last().copied().unwrap_or_default() as u32;
        let wanted = if C::READS {
            mode::ANEW
        } else {
            self.mode(last, value)
        };
        let place = Place {
            field: Field::Mode,
            contexts: &[
                mix(&[slot, before.mode as u32]),
                slot,
                mix(&[7, u32::from(last.is_some()), self.numbers.len() as u32]),
            ],
        };
        let told = coder.number(&place, wanted)?;
        let change = |coder: &mut C, up: u32, by: u128| {
            let place = Place {
                field: Field::Change,
                contexts: &[
                    mix(&[slot, up, before.change as u32]),
                    mix(&[slot, up]),
                    mix(&[up, bit_len(before.value)]),
                ],
            };
            coder.number(&place, by)
        };
        let value = match told {
            mode::ANEW => {
                let place = Place {
                    field: Field::Amount,
                    contexts: &[
                        mix(&[1, slot, beside]),
                        mix(&[2, slot, before.value as u32]),
                        mix(&[3, slot]),
                        mix(&[4, slot, bit_len(before.value)]),
                        mix(&[5, before.value as u32]),
                        6,
                    ],
                };
                coder.number(&place, value)?
            }
            mode::SAME => before.value,
            mode::UP => {
                let by = change(coder, 1, value.wrapping_sub(before.value))?;
                before.value.checked_add(by).ok_or(BAD)?
            }
            mode::DOWN => {
                let by = change(coder, 0, before.value.wrapping_sub(value))?;
                before.value.checked_sub(by).ok_or(BAD)?
            }
            mode::ECHO => {
                let at = self.numbers.iter().position(|number| *number == value);
                let place = Place {
                    field: Field::Length,
                    contexts: &[mix(&[slot, 9]), 9],
                };
                let at = coder.number(&place, at.unwrap_or_default() as u128)?;
                let at = usize::try_from(at).map_err(|_| BAD)?;
                *self.numbers.get(at).ok_or(BAD)?
            }
            mode::SUM => self.sum().ok_or(BAD)?,
            _ => return Err(BAD),
        };
        self.numbers.push(value);
        let now = Last {
            value,
            change: value.abs_diff(before.value),
            mode: told,
        };
        self.last.insert(slot, now);
        Ok(value)
    }

    /// How a number is best told.
    fn mode(&self, last: Option<Last>, value: u128) -> u128 {
        let cheap = |by: u128| bit_len(by) + 4 < bit_len(value);
        match last {
            Some(last) if value >= TELLING_MIN && last.value == value => mode::SAME,
            _ if value >= TELLING_MIN && self.numbers.contains(&value) => mode::ECHO,
            _ if value >= TELLING_MIN && self.sum() == Some(value) => mode::SUM,
            Some(last) if value > last.value && cheap(value - last.value) => mode::UP,
            Some(last) if value < last.value && cheap(last.value - value) => mode::DOWN,
            _ => mode::ANEW,
        }
    }

    fn sum(&self) -> Option<u128> {
        match self.numbers.as_slice() {
            [.., a, b] => a.checked_add(*b),
            _ => None,
        }
    }
}

impl Param {
    /// Takes a parameter off the front of a blob.
    fn take(kind: Kind, blob: &mut &[u8]) -> Result<Param, Broken> {
        let head = varint::take(blob).map_err(|_| BAD)?;
        let mut param = Param {
            form: head & 3,
            number: head >> 2,
            ..Param::default()
        };
        let mut bytes = |count: Option<usize>| {
            let split = count.and_then(|count| blob.split_at_checked(count));
            let (taken, rest) = split.ok_or(BAD)?;
            *blob = rest;
            Ok(taken.to_vec())
        };
        match (kind, param.form) {
            (_, TEXT) => {
                param.bytes = bytes(usize::try_from(param.number).ok())?;
                param.number = 0;
            }
            (Kind::Int, PADDED) | (Kind::Time, _) => {
                param.second = varint::take(blob).map_err(|_| BAD)?;
            }
            (Kind::Hex | Kind::Id, _) => param.bytes = bytes(bytes_of(kind, param.number))?,
            _ => {}
        }
        Ok(param)
    }

    /// Appends the parameter to a blob.
    fn put(&self, kind: Kind, blob: &mut Vec<u8>) {
        let is_text = self.form == TEXT;
        let number = if is_text {
            self.bytes.len() as u128
        } else {
            self.number
        };
        varint::put(blob, number << 2 | self.form & 3);
        match (kind, self.form) {
            (_, TEXT) => blob.extend_from_slice(&self.bytes),
            (Kind::Int, PADDED) | (Kind::Time, _) => varint::put(blob, self.second),
            _ => blob.extend_from_slice(&self.bytes),
        }
    }

    fn looks_like_an_id(&self) -> bool {
        let is_text = self.form == TEXT;
        self.bytes.len() >= ID_MIN_BYTES && (!is_text || self.bytes.iter().any(u8::is_ascii_digit))
    }
}

/// How many bytes the digits of a hexadecimal number or a UUID take.
fn bytes_of(kind: Kind, number: u128) -> Option<usize> {
    match kind {
        Kind::Id => Some(16),
        _ => usize::try_from((number >> 1).div_ceil(2)).ok(),
    }
}
