//! The parameters of a template: blobs of [`crate::template`] taken apart into numbers and texts,
//! each told by what it has in common with what was said before.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::coder::{Broken, Coder, Field, Place, TOO_LONG, bit_len, mix, mix_text};
use super::columns::{Column, Columns};
use super::param::{
    BAD, HEX_TEXT, PADDED, Param, TEXT, bytes_of, column_key, hex_value, is_hex_text,
};
use crate::template::{self, Kind, Piece};

/// So many values that look like an id are remembered, whatever they belong to.
const REMEMBERED: usize = 16;
/// Numbers below this are told anew rather than by where they were said before.
const TELLING_MIN: u128 = 32;

/// How a number is told.
mod mode {
    pub(super) const ANEW: u128 = 0;
    pub(super) const SAME: u128 = 1;
    pub(super) const UP: u128 = 2;
    pub(super) const DOWN: u128 = 3;
    pub(super) const ECHO: u128 = 4;
    pub(super) const SUM: u128 = 5;
    /// Beyond its column.
    pub(super) const BEYOND: u128 = 6;
}

/// What was last said in one place of one template.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    value: u128,
    change: u128,
    mode: u128,
    /// How often its column was used, where its numbers lie there on average, and the last cell.
    times: u32,
    mean: u32,
    cell: u32,
}

/// What the parameters before have said.
pub(super) struct Params {
    columns: Arc<Columns>,
    last: HashMap<u32, Last>,
    ids: VecDeque<(Kind, Param)>,
    /// The numbers of this entry so far.
    numbers: Vec<u128>,
}

impl Params {
    /// Nothing was said yet.
    pub(super) fn new(columns: Arc<Columns>) -> Params {
        Params {
            columns,
            last: HashMap::new(),
            ids: VecDeque::new(),
            numbers: Vec::new(),
        }
    }

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
        let is_hex = param.form == TEXT && is_hex_text(&param.bytes);
        told.form = coder.number(&place, if is_hex { HEX_TEXT } else { param.form })?;
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
            (_, HEX_TEXT) => {
                let count = usize::try_from(small(coder, 4, param.bytes.len() as u128)?);
                let count = count.ok().filter(|count| *count <= most).ok_or(TOO_LONG)?;
                for at in 0..count {
                    let digit = param.bytes.get(at).map_or(0, |byte| hex_value(*byte));
                    let digit = coder.even(16, digit)?;
                    told.bytes.push(b"0123456789abcdef"[digit as usize & 15]);
                }
                told.form = TEXT;
            }
            (Kind::Int, PADDED) | (Kind::Time, _) => {
                told.number = small(coder, 1, param.number)?;
                let key = column_key(slot, told.form, told.number);
                told.second = self.amount(coder, slot, key, param.second)?;
            }
            (Kind::Dec, _) => {
                let scale = small(coder, 2, param.number & 7)?;
                let amount = self.amount(
                    coder,
                    slot,
                    column_key(slot, told.form, scale),
                    param.number >> 3,
                )?;
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
            _ => {
                let key = column_key(slot, told.form, 0);
                told.number = self.amount(coder, slot, key, param.number)?;
            }
        }
        if bit_len(told.number) > 126 {
            return Err(BAD);
        }
        Ok(told)
    }

    /// A number that may have something to do with those before it.
    fn amount<C: Coder>(
        &mut self,
        coder: &mut C,
        slot: u32,
        key: u32,
        value: u128,
    ) -> Result<u128, Broken> {
        let column = self.columns.get(key);
        let last = self.last.get(&slot).copied();
        let before = last.unwrap_or_default();
        let beside = self.numbers.last().copied().unwrap_or_default() as u32;
        let wanted = if C::READS {
            mode::ANEW
        } else {
            self.mode(last, column, value)
        };
        let place = Place {
            field: Field::Mode,
            contexts: &[
                mix(&[slot, before.mode as u32]),
                slot,
                mix(&[
                    7,
                    u32::from(last.is_some()),
                    self.numbers.len() as u32,
                    u32::from(column.is_some()),
                ]),
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
        let mut now = before;
        let value = match (told, column) {
            (mode::ANEW, Some(column)) => within(coder, slot, beside, column, &mut now, value)?,
            (mode::ANEW | mode::BEYOND, _) => {
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
            (mode::SAME, _) => before.value,
            (mode::UP, _) => {
                let by = change(coder, 1, value.wrapping_sub(before.value))?;
                before.value.checked_add(by).ok_or(BAD)?
            }
            (mode::DOWN, _) => {
                let by = change(coder, 0, before.value.wrapping_sub(value))?;
                before.value.checked_sub(by).ok_or(BAD)?
            }
            (mode::ECHO, _) => {
                let at = self.numbers.iter().position(|number| *number == value);
                let place = Place {
                    field: Field::Length,
                    contexts: &[mix(&[slot, 9]), 9],
                };
                let at = coder.number(&place, at.unwrap_or_default() as u128)?;
                let at = usize::try_from(at).map_err(|_| BAD)?;
                *self.numbers.get(at).ok_or(BAD)?
            }
            (mode::SUM, _) => self.sum().ok_or(BAD)?,
            _ => return Err(BAD),
        };
        self.numbers.push(value);
        (now.value, now.change, now.mode) = (value, value.abs_diff(before.value), told);
        self.last.insert(slot, now);
        Ok(value)
    }

    /// How a number is best told.
    fn mode(&self, last: Option<Last>, column: Option<Column>, value: u128) -> u128 {
        let cheap = |by: u128| bit_len(by) + 4 < bit_len(value);
        let is_narrow = column.is_some_and(|column| !column.is_wide());
        match last {
            _ if is_narrow && column.is_some_and(|column| column.index(value).is_some()) => {
                mode::ANEW
            }
            Some(last) if value >= TELLING_MIN && last.value == value => mode::SAME,
            _ if value >= TELLING_MIN && self.numbers.contains(&value) => mode::ECHO,
            _ if value >= TELLING_MIN && self.sum() == Some(value) => mode::SUM,
            _ if column.is_some_and(|column| column.index(value).is_some()) => mode::ANEW,
            _ if column.is_some() => mode::BEYOND,
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

/// A number by its place in its column.
fn within<C: Coder>(
    coder: &mut C,
    slot: u32,
    beside: u32,
    column: Column,
    state: &mut Last,
    value: u128,
) -> Result<u128, Broken> {
    let index = column.index(value).unwrap_or_default();
    let times = state.times.min(3);
    let wide = u32::from(column.is_wide());
    let (mean, cell) = match times {
        0 => (0, 0),
        _ => (state.mean, state.cell),
    };
    // What stands beside it matters exactly where there are few of both.
    let beside = match beside {
        few if few < TELLING_MIN as u32 && wide == 0 => few,
        many => TELLING_MIN as u32 + bit_len(many.into()),
    };
    let last = if wide == 0 { cell } else { cell >> 2 };
    let shared = mix(&[wide, column.cells() as u32]);
    let place = Place {
        field: Field::Cell,
        contexts: &[
            mix(&[1, slot]),
            mix(&[2, shared, times, mean >> 4]),
            mix(&[3, slot, times.min(1), mean >> 6]),
            mix(&[4, slot, beside]),
            mix(&[5, shared]),
            mix(&[6, slot, times.min(1), last]),
            mix(&[7, shared, times, cell, mean >> 6]),
        ],
    };
    let cell = coder.cell(&place, column.cells(), column.cell(index))?;
    let (first, end) = (column.first(cell), column.first(cell + 1));
    let rest = coder.even(end - first, index.saturating_sub(first))?;
    let index = first + rest;
    let place = column.place(index) as i32;
    let mean = state.mean as i32;
    let count = state.times.min(7) as i32 + 1;
    state.mean = (mean + (place - mean) / count) as u32;
    state.cell = cell as u32;
    state.times += 1;
    Ok(column.value(index))
}
