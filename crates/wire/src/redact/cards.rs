//! The scan for card numbers, over any text.

use std::borrow::Cow;

use super::units::{Digits, Unit, digits, masks, unit};
use super::{CARD_MARK, masked, pan, track};

/// The fewest characters of anything that is redacted: `****1234`.
const SHORTEST_CARD: usize = 8;

/// Removes card numbers, also partly masked ones and magnetic-stripe data. Text without any is
/// borrowed back unchanged; text that went through once comes back as it is.
pub fn cards(text: &str) -> Cow<'_, str> {
    if !could_hold_one(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let Some(mut redacted) = pass(text) else {
        return Cow::Borrowed(text);
    };
    // A mark can uncover a number that its neighbours had made look like a part of a hash.
    while let Some(again) = pass(&redacted) {
        redacted = again;
    }
    Cow::Owned(redacted)
}

/// Whether there are enough digits, masks or escapes at all; most messages are done with here.
fn could_hold_one(bytes: &[u8]) -> bool {
    let part = |byte: &&u8| {
        matches!(
            **byte,
            b'0'..=b'9' | b'*' | b'#' | b'x' | b'X' | b'\\' | 0xe2 | 0xef
        )
    };
    bytes.iter().filter(part).count() >= SHORTEST_CARD
}

/// One walk from left to right; `None` when nothing was found.
fn pass(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    // Whether the word that `at` is in has digits already: then it is an id, not a card number.
    let mut word_has_digits = false;
    while at < bytes.len() {
        let (unit, len) = unit(bytes, at);
        let found = match unit {
            Unit::Digit(_) | Unit::Mask => card_end(bytes, at, word_has_digits),
            Unit::Other => track::end(bytes, at),
            Unit::Letter | Unit::Separator(_) => None,
        };
        if let Some(end) = found {
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..at]);
            out.push_str(CARD_MARK);
            at = end;
            copied = end;
            word_has_digits = false;
            continue;
        }
        match unit {
            Unit::Digit(_) => {
                word_has_digits = true;
                at = digits(bytes, at, &mut Digits::default()).end;
            }
            Unit::Mask => {
                word_has_digits &= bytes[at].is_ascii_alphabetic();
                at = masks(bytes, at).end;
            }
            Unit::Letter => at += len,
            Unit::Separator(_) | Unit::Other => {
                word_has_digits = false;
                at += len;
            }
        }
    }
    let mut out = out?;
    out.push_str(&text[copied..]);
    Some(out)
}

fn card_end(bytes: &[u8], at: usize, word_has_digits: bool) -> Option<usize> {
    let whole = if word_has_digits || !matches!(unit(bytes, at).0, Unit::Digit(_)) {
        None
    } else {
        chip_data(bytes, at).or_else(|| pan::end(bytes, at))
    };
    let end = whole.or_else(|| masked::end(bytes, at, word_has_digits))?;
    Some(track::tail(bytes, end).unwrap_or(end))
}

/// `4111…1D2512201…`: the letter would make it look like a hash.
fn chip_data(bytes: &[u8], at: usize) -> Option<usize> {
    let mut found = Digits::default();
    let run = digits(bytes, at, &mut found);
    let letter = matches!(bytes.get(run.end), Some(b'D' | b'd'));
    let card = letter && super::brands::is_card(found.as_slice());
    if card && track::tail(bytes, run.end).is_some() {
        Some(run.end)
    } else {
        None
    }
}
