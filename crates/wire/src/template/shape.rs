//! Times: where one ends in a text, and the shapes whose digits are packed into one number.

/// Shapes a time may have, `9` standing for a digit. The place in this list is stored: append only.
pub(super) const SHAPES: [&str; 26] = [
    "99:99:99",
    "99:99",
    "9999-99-99",
    "9999-99-99 99:99:99",
    "9999-99-99T99:99:99",
    "9999-99-99T99:99:99Z",
    "9999-99-99T99:99:99.999Z",
    "9999-99-99T99:99:99.999999Z",
    "9999-99-99T99:99:99.999",
    "9999-99-99T99:99:99.999999",
    "9999-99-99 99:99:99.999",
    "9999-99-99 99:99:99,999",
    "9999-99-99 99:99:99.999999",
    "99:99:99.999",
    "99:99:99,999",
    "99:99:99.999999",
    "9:99:99",
    "9:99:99.999999",
    "9:99",
    "99/99/9999",
    "99/99/9999 99:99:99",
    "9999-99-99T99:99:99+99:99",
    "9999-99-99T99:99:99-99:99",
    "9999-99-99T99:99:99.999+99:99",
    "9999-99-99T99:99:99.999-99:99",
    "9999-99-99 99:99",
];

/// The most digits of a second's fraction that still belong to a time.
const FRACTION_MAX_DIGITS: usize = 9;

/// The place of `text` in [`SHAPES`] and its digits as one number.
pub(super) fn pack(text: &str) -> Option<(usize, u128)> {
    let fits = |shape: &&str| {
        shape.len() == text.len()
            && shape.bytes().zip(text.bytes()).all(|(s, t)| {
                if s == b'9' {
                    t.is_ascii_digit()
                } else {
                    s == t
                }
            })
    };
    let index = SHAPES.iter().position(fits)?;
    let digits = text.bytes().filter(u8::is_ascii_digit);
    Some((
        index,
        digits.fold(0, |n, digit| n * 10 + u128::from(digit - b'0')),
    ))
}

/// Writes the digits of `number` into the shape; `None` when there is no such shape or the number
/// has more digits than it.
pub(super) fn unpack(index: usize, mut number: u128) -> Option<String> {
    let mut text = SHAPES.get(index)?.as_bytes().to_vec();
    for byte in text.iter_mut().rev().filter(|byte| **byte == b'9') {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
    if number == 0 {
        String::from_utf8(text).ok()
    } else {
        None
    }
}

/// Where the time ends that starts at `start`, which is the start of a run of digits; `None` when
/// it is no time.
pub(super) fn end(bytes: &[u8], start: usize) -> Option<usize> {
    let end = date(bytes, start).or_else(|| clock(bytes, start))?;
    let follows = bytes.get(end).copied().unwrap_or(b' ');
    (!follows.is_ascii_alphanumeric() && follows != b'_').then_some(end)
}

fn date(bytes: &[u8], start: usize) -> Option<usize> {
    let iso = digits(bytes, start, 4)
        && byte(bytes, start + 4, b'-')
        && digits(bytes, start + 5, 2)
        && byte(bytes, start + 7, b'-')
        && digits(bytes, start + 8, 2);
    let american = digits(bytes, start, 2)
        && byte(bytes, start + 2, b'/')
        && digits(bytes, start + 3, 2)
        && byte(bytes, start + 5, b'/')
        && digits(bytes, start + 6, 4);
    if !iso && !american {
        return None;
    }
    let day_end = start + 10;
    let joined = byte(bytes, day_end, b' ') || (iso && byte(bytes, day_end, b'T'));
    let clock_end = if joined {
        clock(bytes, day_end + 1)
    } else {
        None
    };
    Some(clock_end.unwrap_or(day_end))
}

fn clock(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + if digits(bytes, start, 2) { 2 } else { 1 };
    if !digits(bytes, start, 1) || !sixtieth(bytes, at) {
        return None;
    }
    at += 3;
    if sixtieth(bytes, at) {
        at += 3;
        at = fraction(bytes, at);
        at = zone(bytes, at);
    }
    let more = byte(bytes, at, b':') && digits(bytes, at + 1, 1);
    (!more && !digits(bytes, at, 1)).then_some(at)
}

/// A point with up to nine digits, or Python's comma with three.
fn fraction(bytes: &[u8], at: usize) -> usize {
    let run = bytes.iter().skip(at + 1).take(FRACTION_MAX_DIGITS + 1);
    let count = run.take_while(|b| b.is_ascii_digit()).count();
    let point = byte(bytes, at, b'.') && (1..=FRACTION_MAX_DIGITS).contains(&count);
    let comma = byte(bytes, at, b',') && count == 3;
    if point || comma { at + 1 + count } else { at }
}

fn zone(bytes: &[u8], at: usize) -> usize {
    if byte(bytes, at, b'Z') {
        return at + 1;
    }
    let sign = byte(bytes, at, b'+') || byte(bytes, at, b'-');
    if sign && digits(bytes, at + 1, 2) && sixtieth(bytes, at + 3) {
        at + 6
    } else {
        at
    }
}

/// A colon and a number from 00 to 59.
fn sixtieth(bytes: &[u8], at: usize) -> bool {
    byte(bytes, at, b':') && digits(bytes, at + 1, 2) && bytes[at + 1] <= b'5'
}

fn byte(bytes: &[u8], at: usize, wanted: u8) -> bool {
    bytes.get(at) == Some(&wanted)
}

fn digits(bytes: &[u8], at: usize, count: usize) -> bool {
    bytes
        .get(at..at + count)
        .is_some_and(|run| run.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_where_a_person_sees_them_end() {
        for (text, wanted) in [
            ("12:30:05 x", Some(8)),
            ("12:30", Some(5)),
            ("2026-01-22", Some(10)),
            ("2026-01-22 14:30:15,123 -", Some(23)),
            ("2026-01-22T14:30:15.123456Z", Some(27)),
            ("2026-01-22T14:30:15+01:00", Some(25)),
            ("0:00:05.123456", Some(14)),
            ("12:99", None),
            ("12:30:05:07", None),
            ("12:30a", None),
            ("1234", None),
        ] {
            assert_eq!(end(text.as_bytes(), 0), wanted, "{text}");
        }
    }

    #[test]
    fn every_shape_packs_and_unpacks() {
        for shape in SHAPES {
            let text = shape.replace('9', "0");
            let (index, number) = pack(&text).expect("a shape fits itself");
            assert_eq!(unpack(index, number).as_deref(), Some(&*text));
        }
        assert_eq!(
            unpack(0, 10_000_000),
            None,
            "more digits than the shape has"
        );
        assert_eq!(unpack(SHAPES.len(), 0), None);
    }
}
