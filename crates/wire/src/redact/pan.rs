//! Whole card numbers, written together or in groups.

use super::brands::{CARD_MAX_DIGITS, CARD_MIN_DIGITS, is_card};
use super::units::{
    Digits, Unit, after_decimal_point, before_decimals, digits, peek, separator, unit,
};

/// How far a word is followed to see whether it is a mixed id, such as a hash, and no card number.
const WORD_MAX_BYTES: usize = 64;

/// Where the card number ends that starts at `at`, a digit that no digit precedes. Nothing inside a
/// decimal or a word that has digits elsewhere (a hash) is one.
pub(super) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    if after_decimal_point(bytes, at) {
        return None;
    }
    let mut found = Digits::default();
    let first = digits(bytes, at, &mut found);
    if first.count >= CARD_MIN_DIGITS {
        return ends(bytes, first.end, &found).then_some(first.end);
    }
    if !(4..=6).contains(&first.count) {
        return None;
    }
    let end = grouped(bytes, first.end, found)?;
    (!inside_uuid(bytes, at)).then_some(end)
}

/// The longest card number of groups under one kind of separator: four to six digits first, then
/// groups of three and more; the last may be shorter.
fn grouped(bytes: &[u8], mut at: usize, mut found: Digits) -> Option<usize> {
    let (kind, _) = separator(bytes, at)?;
    let mut longest = None;
    while let Some((same, group)) = separator(bytes, at)
        && same == kind
        && matches!(peek(bytes, group), Unit::Digit(_))
    {
        let run = digits(bytes, group, &mut found);
        at = run.end;
        if found.as_slice().is_empty() {
            break;
        }
        if ends(bytes, at, &found) {
            longest = Some(at);
        }
        if run.count < 3 {
            break;
        }
    }
    longest
}

fn ends(bytes: &[u8], at: usize, found: &Digits) -> bool {
    let is_decimal = before_decimals(bytes, at) && !before_zero(bytes, at);
    is_card(found.as_slice()) && !is_decimal && !word_goes_on_with_digits(bytes, at)
}

/// `4111111111111111.0` is a whole number that a program took for a decimal.
fn before_zero(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(b".0") && !bytes.get(at + 2).is_some_and(u8::is_ascii_digit)
}

/// `4111…1Visa` ends at the letters; `4111…1f9a03` is a hash.
fn word_goes_on_with_digits(bytes: &[u8], mut at: usize) -> bool {
    let last = bytes.len().min(at + WORD_MAX_BYTES);
    while at < last {
        match unit(bytes, at) {
            (Unit::Digit(_), _) => return true,
            (Unit::Letter, len) => at += len,
            _ => return false,
        }
    }
    false
}

/// Whether the hexadecimal and hyphens around `at` are a UUID.
fn inside_uuid(bytes: &[u8], at: usize) -> bool {
    const LEN: usize = 36;
    let part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let before = bytes[..at]
        .iter()
        .rev()
        .take(LEN)
        .take_while(|b| part(b))
        .count();
    let start = at - before;
    let len = bytes[start..]
        .iter()
        .take(LEN + 1)
        .take_while(|b| part(b))
        .count();
    let word = &bytes[start..start + len];
    len == LEN && [8, 13, 18, 23].iter().all(|hyphen| word[*hyphen] == b'-')
}

/// Compile-time note of what the groups rest on: a card number never fits one group of six.
const _: () = assert!(CARD_MIN_DIGITS > 6 && CARD_MAX_DIGITS < WORD_MAX_BYTES);
