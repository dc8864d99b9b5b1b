//! One parameter of a template, taken out of a blob of [`crate::template`] and put back; and the
//! name of the column that its number is in. How it is told is not known here.

use super::coder::{Broken, mix, mix_text};
use crate::template::{self, Kind, Piece, varint};

/// The form of a parameter that is kept as a text; the same for every kind.
pub(super) const TEXT: u128 = 3;
/// The form of a text that is nothing but small hexadecimal digits; never in a blob.
pub(super) const HEX_TEXT: u128 = 4;
/// A shorter text is rather a word.
const HEX_MIN_BYTES: usize = 4;
/// The form of a whole number with leading zeros.
pub(super) const PADDED: u128 = 2;
/// A text that is at least so long and has a digit looks like an id.
const ID_MIN_BYTES: usize = 6;

pub(super) const BAD: Broken = Broken("parameters do not fit their template");

/// One parameter. What its parts mean depends on kind and form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Param {
    pub form: u128,
    /// Amount, shape of a time, or count of digits.
    pub number: u128,
    /// Value of a padded number or of a time.
    pub second: u128,
    pub bytes: Vec<u8>,
}

impl Param {
    /// Takes a parameter off the front of a blob.
    pub(super) fn take(kind: Kind, blob: &mut &[u8]) -> Result<Param, Broken> {
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
    pub(super) fn put(&self, kind: Kind, blob: &mut Vec<u8>) {
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

    pub(super) fn looks_like_an_id(&self) -> bool {
        let is_text = self.form == TEXT;
        self.bytes.len() >= ID_MIN_BYTES && (!is_text || self.bytes.iter().any(u8::is_ascii_digit))
    }
}

/// The name of a column: its hole, the form of its numbers, and their scale or shape.
pub(super) fn column_key(slot: u32, form: u128, of: u128) -> u32 {
    mix(&[slot, form as u32, of as u32])
}

/// The numbers in the holes of a template, each with the name of its column.
pub(crate) fn numbers(template: &str, mut blob: &[u8]) -> Vec<(u32, u128)> {
    let name = mix_text(template);
    let mut numbers = Vec::new();
    let mut number = 0;
    for piece in template::pieces(template) {
        let Ok(Piece::Hole(kind)) = piece else {
            continue;
        };
        number += 1;
        let slot = mix(&[name, number]);
        let Ok(param) = Param::take(kind, &mut blob) else {
            break;
        };
        numbers.extend(match (kind, param.form) {
            (_, TEXT) | (Kind::Hex | Kind::Id, _) => None,
            (Kind::Int, PADDED) | (Kind::Time, _) => {
                Some((column_key(slot, param.form, param.number), param.second))
            }
            (Kind::Dec, _) => {
                let key = column_key(slot, param.form, param.number & 7);
                Some((key, param.number >> 3))
            }
            _ => Some((column_key(slot, param.form, 0), param.number)),
        });
    }
    numbers
}

pub(super) fn is_hex_text(bytes: &[u8]) -> bool {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    bytes.len() >= HEX_MIN_BYTES
        && bytes.iter().all(is_digit)
        && bytes.iter().any(u8::is_ascii_digit)
}

pub(super) fn hex_value(digit: u8) -> u64 {
    char::from(digit).to_digit(16).unwrap_or_default().into()
}

/// How many bytes the digits of a hexadecimal number or a UUID take.
pub(super) fn bytes_of(kind: Kind, number: u128) -> Option<usize> {
    match kind {
        Kind::Id => Some(16),
        _ => usize::try_from((number >> 1).div_ceil(2)).ok(),
    }
}
