//! Magnetic-stripe data: `%B4111…^NAME^2512…?` and `;4111…=2512…?`, and its tail after a card number.

use super::units::{Unit, peek, unit};

/// The longest tail of track data: a track holds at most 79 characters; escapes make it longer.
const TRACK_MAX_BYTES: usize = 200;
/// The shortest discretionary data after a separator: expiry as YYMM.
const TAIL_MIN_DIGITS: usize = 4;
/// After the letter `D` (chip data) more is wanted: expiry and service code.
const CHIP_TAIL_MIN_DIGITS: usize = 7;
/// Digits of the card number in a track.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// Where track data ends that starts at `at`, a `;` or a `%`. Its form is enough: no check digit.
pub(super) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    let first = bytes.get(at)?;
    let start = match first {
        b';' => at + 1,
        b'%' if matches!(bytes.get(at + 1), Some(b'B' | b'b')) => at + 2,
        _ => return None,
    };
    let mut next = start;
    let mut count = 0;
    while next < bytes.len() && count <= *PAN_DIGITS.end() {
        match unit(bytes, next) {
            (Unit::Digit(_) | Unit::Mask, len) => {
                count += 1;
                next += len;
            }
            (Unit::Separator(b' '), len) if *first == b'%' => next += len,
            _ => break,
        }
    }
    if PAN_DIGITS.contains(&count) {
        tail(bytes, next)
    } else {
        None
    }
}

/// Where track data ends whose card number ends at `at`; `None` when none follows.
pub(super) fn tail(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'=' => second_track(bytes, at + 1, TAIL_MIN_DIGITS),
        b'D' | b'd' => second_track(bytes, at + 1, CHIP_TAIL_MIN_DIGITS),
        b'^' => first_track(bytes, at + 1),
        _ => None,
    }
}

/// Digits, masks and `=`, then perhaps `?`; in chip data perhaps a padding `F`.
fn second_track(bytes: &[u8], start: usize, at_least: usize) -> Option<usize> {
    let mut at = start;
    let mut count = 0;
    while at < bytes.len().min(start + TRACK_MAX_BYTES) {
        match unit(bytes, at) {
            (Unit::Digit(_) | Unit::Mask, len) => {
                count += 1;
                at += len;
            }
            _ if bytes[at] == b'=' => at += 1,
            _ => break,
        }
    }
    if peek(bytes, at) == Unit::Letter && matches!(bytes[at], b'F' | b'f') {
        at += 1;
    }
    let closed = bytes.get(at) == Some(&b'?');
    (count >= at_least || closed).then_some(at + usize::from(closed))
}

/// The name up to the second `^`, then everything up to `?` or the end of the word.
fn first_track(bytes: &[u8], start: usize) -> Option<usize> {
    let window = &bytes[start..bytes.len().min(start + TRACK_MAX_BYTES)];
    let line = window
        .iter()
        .position(|b| matches!(b, b'\n' | b'\r'))
        .unwrap_or(window.len());
    let window = &window[..line];
    let name = window
        .iter()
        .position(|b| *b == b'^')
        .map_or(0, |caret| caret + 1);
    let rest = &window[name..];
    let ends = |b: &u8| b.is_ascii_whitespace() || b"?\"'\\,;<>)]}".contains(b);
    let len = rest.iter().position(ends).unwrap_or(rest.len());
    let closed = rest.get(len) == Some(&b'?');
    let mut end = start + name + len + usize::from(closed);
    // Never inside a character.
    while end < bytes.len() && bytes[end] & 0xc0 == 0x80 {
        end += 1;
    }
    Some(end)
}
