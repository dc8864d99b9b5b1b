//! A template and its blob back into the message. Never panics, whatever the blob holds.

use super::encode::{
    CURRENCIES, HEX_LOWER, HEX_UPPER, ID_UUID_LOWER, ID_UUID_UPPER, INT_NEGATIVE, INT_PADDED,
    INT_PLAIN, PADDED_WIDTH_MAX, TEXT,
};
use super::{Kind, Piece, TemplateError, pieces, shape, varint};

const BAD_FORM: TemplateError = TemplateError("a parameter has an unknown form");
const CUT: TemplateError = TemplateError("the parameters are cut off");

/// The exact message of a template and its blob.
///
/// # Errors
/// The blob is damaged or belongs to another template.
pub fn join(template: &str, blob: &[u8]) -> Result<String, TemplateError> {
    walk(template, blob, |_, _| {})
}

/// The exact message, and the byte range of each parameter in it: ascending, not overlapping.
///
/// # Errors
/// The blob is damaged or belongs to another template.
pub fn join_with_spans(
    template: &str,
    blob: &[u8],
) -> Result<(String, Vec<(usize, usize)>), TemplateError> {
    let mut spans = Vec::new();
    let message = walk(template, blob, |start, end| spans.push((start, end)))?;
    Ok((message, spans))
}

fn walk(
    template: &str,
    mut blob: &[u8],
    mut span: impl FnMut(usize, usize),
) -> Result<String, TemplateError> {
    let mut message = String::with_capacity(template.len() + blob.len());
    for piece in pieces(template) {
        match piece? {
            Piece::Text(text) => message.push_str(text),
            Piece::Hole(kind) => {
                let start = message.len();
                decode(&mut message, kind, &mut blob)?;
                span(start, message.len());
            }
        }
    }
    if blob.is_empty() {
        Ok(message)
    } else {
        Err(TemplateError("parameters are left over"))
    }
}

fn decode(out: &mut String, kind: Kind, blob: &mut &[u8]) -> Result<(), TemplateError> {
    let head = varint::take(blob)?;
    let (form, rest) = (head & 3, head >> 2);
    if form == TEXT {
        let text = take(blob, rest)?;
        let text = std::str::from_utf8(text).map_err(|_| TemplateError("a text is not UTF-8"))?;
        out.push_str(text);
        return Ok(());
    }
    match (kind, form) {
        (Kind::Int | Kind::Str, INT_PLAIN) => out.push_str(&rest.to_string()),
        (Kind::Int, INT_NEGATIVE) => {
            out.push('-');
            out.push_str(&rest.to_string());
        }
        (Kind::Int, INT_PADDED) => {
            let width = usize::try_from(rest)
                .ok()
                .filter(|width| *width <= PADDED_WIDTH_MAX);
            let width = width.ok_or(TemplateError("a number is too wide"))?;
            let value = varint::take(blob)?;
            out.push_str(&format!("{value:0width$}"));
        }
        (Kind::Dec, INT_PLAIN) => scaled(out, rest >> 3, (rest & 7) as usize + 1),
        (Kind::Dec, INT_NEGATIVE) => {
            out.push('-');
            scaled(out, rest >> 3, (rest & 7) as usize + 1);
        }
        (Kind::Money, form) => {
            out.push_str(CURRENCIES.get(form as usize).ok_or(BAD_FORM)?);
            scaled(out, rest, 2);
        }
        (Kind::Time, 0) => {
            let shape = usize::try_from(rest).map_err(|_| BAD_FORM)?;
            let text = shape::unpack(shape, varint::take(blob)?);
            out.push_str(&text.ok_or(TemplateError("a time does not fit its shape"))?);
        }
        (Kind::Hex, HEX_LOWER | HEX_UPPER) => {
            if rest & 1 == 1 {
                out.push_str("0x");
            }
            let count = rest >> 1;
            let bytes = take(blob, count.div_ceil(2))?;
            nibbles(out, bytes, count as usize, form == HEX_UPPER);
        }
        (Kind::Id, ID_UUID_LOWER | ID_UUID_UPPER) if rest == 0 => {
            let bytes = take(blob, 16)?;
            for (i, byte) in bytes.iter().enumerate() {
                if matches!(i, 4 | 6 | 8 | 10) {
                    out.push('-');
                }
                nibbles(out, &[*byte], 2, form == ID_UUID_UPPER);
            }
        }
        _ => return Err(BAD_FORM),
    }
    Ok(())
}

fn take<'b>(blob: &mut &'b [u8], count: u128) -> Result<&'b [u8], TemplateError> {
    let count = usize::try_from(count).map_err(|_| CUT)?;
    let (taken, rest) = blob.split_at_checked(count).ok_or(CUT)?;
    *blob = rest;
    Ok(taken)
}

fn scaled(out: &mut String, mantissa: u128, scale: usize) {
    let digits = format!("{mantissa:0width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.push_str(whole);
    out.push('.');
    out.push_str(fraction);
}

fn nibbles(out: &mut String, bytes: &[u8], count: usize, upper: bool) {
    let digits: &[u8; 16] = if upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(
        halves
            .take(count)
            .map(|nibble| char::from(digits[usize::from(nibble)])),
    );
}
