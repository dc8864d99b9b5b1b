//! Parameters as one blob. Each starts with a varint whose lowest two bits name its form; form 3 is
//! always "length and text", so that every text of every kind can be kept exactly.

use super::{Kind, Param, shape, varint};

/// The text form, of every kind: `len << 2 | 3`, then the text.
pub(super) const TEXT: u128 = 3;
/// A number without a sign and without leading zeros.
pub(super) const INT_PLAIN: u128 = 0;
/// A number after a minus.
pub(super) const INT_NEGATIVE: u128 = 1;
/// A number with leading zeros: `width << 2 | 2`, then the value.
pub(super) const INT_PADDED: u128 = 2;
/// Hexadecimal in small letters: `digits << 3 | 0x-prefix << 2 | form`, then half a byte each.
pub(super) const HEX_LOWER: u128 = 0;
/// Hexadecimal in capitals, laid out as [`HEX_LOWER`].
pub(super) const HEX_UPPER: u128 = 1;
/// A UUID in small letters: 16 bytes.
pub(super) const ID_UUID_LOWER: u128 = 0;
/// A UUID in capitals: 16 bytes.
pub(super) const ID_UUID_UPPER: u128 = 1;
/// The most decimals of a scaled decimal: three bits, from one up.
pub(super) const SCALE_MAX: usize = 8;
/// The widest number with leading zeros that is kept as a number.
pub(super) const PADDED_WIDTH_MAX: usize = 32;
/// The most digits of a number kept as one; longer ones are text.
const DIGITS_MAX: usize = 30;
/// Currency signs; the place in this list is the form of an amount.
pub(super) const CURRENCIES: [&str; 3] = ["$", "€", "£"];

/// The parameters as one compact blob; [`join`](super::join) reads it back with their template.
pub fn encode_params(params: &[Param<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.iter().map(|param| param.text.len() + 2).sum());
    for param in params {
        encode(&mut out, param.kind, &param.text);
    }
    out
}

fn encode(out: &mut Vec<u8>, kind: Kind, text: &str) {
    let done = match kind {
        Kind::Int => int(out, text),
        Kind::Dec => dec(out, text),
        Kind::Hex => hex(out, text),
        Kind::Id => uuid(out, text),
        Kind::Str => plain(text).map(|value| varint::put(out, value << 2 | INT_PLAIN)),
        Kind::Money => money(out, text),
        Kind::Time => time(out, text),
        Kind::Raw => None,
    };
    if done.is_none() {
        varint::put(out, (text.len() as u128) << 2 | TEXT);
        out.extend_from_slice(text.as_bytes());
    }
}

/// The value of digits as they are normally written: no sign, no leading zeros.
fn plain(text: &str) -> Option<u128> {
    if text.len() > 1 && text.starts_with('0') {
        None
    } else {
        value(text)
    }
}

/// The value of a text that is nothing but digits.
fn value(text: &str) -> Option<u128> {
    let digits = (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| {
        text.bytes()
            .fold(0, |n, digit| n * 10 + u128::from(digit - b'0'))
    })
}

fn int(out: &mut Vec<u8>, text: &str) -> Option<()> {
    if let Some(value) = plain(text) {
        varint::put(out, value << 2 | INT_PLAIN);
    } else if let Some(digits) = text.strip_prefix('-') {
        varint::put(out, plain(digits)? << 2 | INT_NEGATIVE);
    } else {
        let value = value(text)?;
        varint::put(out, (text.len() as u128) << 2 | INT_PADDED);
        varint::put(out, value);
    }
    Some(())
}

fn dec(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let (form, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (INT_NEGATIVE, unsigned),
        None => (INT_PLAIN, text),
    };
    let (mantissa, scale) = scaled(unsigned)?;
    varint::put(out, mantissa << 5 | (scale as u128 - 1) << 2 | form);
    Some(())
}

/// `12.30` as (1230, 2).
fn scaled(text: &str) -> Option<(u128, usize)> {
    let (whole, fraction) = text.split_once('.')?;
    if !(1..=SCALE_MAX).contains(&fraction.len()) || whole.len() + fraction.len() > DIGITS_MAX {
        return None;
    }
    let mantissa = plain(whole)? * 10u128.pow(fraction.len() as u32) + value(fraction)?;
    Some((mantissa, fraction.len()))
}

fn money(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let form = CURRENCIES.iter().position(|sign| text.starts_with(sign))?;
    let (cents, 2) = scaled(&text[CURRENCIES[form].len()..])? else {
        return None;
    };
    varint::put(out, cents << 2 | form as u128);
    Some(())
}

fn time(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let (shape, digits) = shape::pack(text)?;
    varint::put(out, (shape as u128) << 2);
    varint::put(out, digits);
    Some(())
}

fn hex(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let bare = text.strip_prefix("0x");
    let digits = bare.unwrap_or(text);
    let form = letter_case(digits)?;
    let prefix = u128::from(bare.is_some());
    varint::put(out, (digits.len() as u128) << 3 | prefix << 2 | form);
    nibbles(out, digits.bytes());
    Some(())
}

fn uuid(out: &mut Vec<u8>, text: &str) -> Option<()> {
    if text.len() != 36
        || [8, 13, 18, 23]
            .iter()
            .any(|at| text.as_bytes()[*at] != b'-')
    {
        return None;
    }
    let digits: String = text.split('-').collect();
    let form = letter_case(&digits).filter(|_| digits.len() == 32)?;
    varint::put(
        out,
        if form == HEX_UPPER {
            ID_UUID_UPPER
        } else {
            ID_UUID_LOWER
        },
    );
    nibbles(out, digits.bytes());
    Some(())
}

/// [`HEX_LOWER`] or [`HEX_UPPER`]; `None` when the text is not hexadecimal or mixes the cases.
fn letter_case(digits: &str) -> Option<u128> {
    let bytes = digits.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_hexdigit) {
        None
    } else if !bytes.iter().any(u8::is_ascii_uppercase) {
        Some(HEX_LOWER)
    } else if !bytes.iter().any(u8::is_ascii_lowercase) {
        Some(HEX_UPPER)
    } else {
        None
    }
}

/// Two hex digits a byte; an odd last one fills the upper half.
fn nibbles(out: &mut Vec<u8>, digits: impl Iterator<Item = u8>) {
    let mut upper = None;
    for digit in digits {
        let nibble = if digit.is_ascii_digit() {
            digit - b'0'
        } else {
            (digit | 0x20) - b'a' + 10
        };
        match upper.take() {
            None => upper = Some(nibble << 4),
            Some(first) => out.push(first | nibble),
        }
    }
    out.extend(upper);
}
