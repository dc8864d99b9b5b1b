//! What one token of letters and digits is: literal text, a parameter, or some of each.

use super::{Kind, shape};

/// Bare hexadecimal of at least this many digits is a parameter; shorter is too often a word.
const BARE_HEX_MIN: usize = 8;
/// The length of our own hashed ids (`#` and so many hex digits), which are hex even when they
/// happen to have no letter.
const HASHED_ID_DIGITS: usize = 16;

/// A token: where it ends, and the part of it that is a parameter.
pub(super) struct Token {
    /// One past its last byte.
    pub end: usize,
    /// The parameter: kind, start, end.
    pub hole: Option<(Kind, usize, usize)>,
}

impl Token {
    fn literal(end: usize) -> Token {
        Token { end, hole: None }
    }

    fn whole(kind: Kind, start: usize, end: usize) -> Token {
        Token {
            end,
            hole: Some((kind, start, end)),
        }
    }
}

/// What a run of ASCII letters and digits is made of.
struct Run {
    end: usize,
    digits: usize,
    lead_digits: usize,
    /// Changes between letters and digits.
    switches: usize,
    hex: bool,
}

impl Run {
    fn of(bytes: &[u8], start: usize) -> Run {
        let mut run = Run {
            end: start,
            digits: 0,
            lead_digits: 0,
            switches: 0,
            hex: true,
        };
        let mut was_digit = None;
        for byte in &bytes[start..] {
            let digit = byte.is_ascii_digit();
            if !digit && !byte.is_ascii_alphabetic() {
                break;
            }
            if was_digit == Some(!digit) {
                run.switches += 1;
            }
            was_digit = Some(digit);
            run.hex &= byte.is_ascii_hexdigit();
            run.digits += usize::from(digit);
            run.lead_digits += usize::from(digit && run.switches == 0);
            run.end += 1;
        }
        run
    }
}

/// The token that starts at `start`, a letter or digit that no letter or digit precedes.
pub(super) fn at(bytes: &[u8], start: usize) -> Token {
    let run = Run::of(bytes, start);
    let len = run.end - start;
    if run.hex
        && let Some(end) = uuid_end(bytes, start, len).or_else(|| mac_end(bytes, start, len))
    {
        return Token::whole(Kind::Id, start, end);
    }
    if run.hex && len == HASHED_ID_DIGITS && start > 0 && bytes[start - 1] == b'#' {
        return Token::whole(Kind::Hex, start, run.end);
    }
    if run.digits == 0 {
        return Token::literal(run.end);
    }
    if run.digits == len {
        return number(bytes, start, run.end);
    }
    if len > 2
        && bytes[start] == b'0'
        && bytes[start + 1] | 0x20 == b'x'
        && bytes[start + 2..run.end].iter().all(u8::is_ascii_hexdigit)
    {
        return Token::whole(Kind::Hex, start, run.end);
    }
    mixed(bytes, start, &run)
}

/// A token with both letters and digits.
fn mixed(bytes: &[u8], start: usize, run: &Run) -> Token {
    let len = run.end - start;
    if run.lead_digits > 0 && run.switches == 1 {
        let suffix = len - run.lead_digits;
        let digits_end = start + run.lead_digits;
        if suffix == 1
            && let Some(end) = exponent_end(bytes, digits_end)
        {
            return Token::whole(Kind::Dec, start, end);
        }
        // `30s`, `250ms`, `12V`: a number and its unit. `12ab` is more likely an id.
        let unit = suffix == 1 && len < HASHED_ID_DIGITS || !run.hex;
        if unit {
            return Token {
                end: run.end,
                hole: Some((Kind::Int, start, digits_end)),
            };
        }
    }
    if run.hex && len >= BARE_HEX_MIN {
        return Token::whole(Kind::Hex, start, run.end);
    }
    if run.lead_digits == 0 && run.switches == 1 {
        // `VM001`, `gpio17`, `ttyUSB0`: a name and its number.
        let number_start = run.end - run.digits;
        return Token {
            end: run.end,
            hole: Some((Kind::Int, number_start, run.end)),
        };
    }
    Token::whole(Kind::Id, start, run.end)
}

/// A token that starts with a run of digits that ends at `digits_end`.
fn number(bytes: &[u8], start: usize, digits_end: usize) -> Token {
    if let Some(end) = shape::end(bytes, start) {
        return Token::whole(Kind::Time, start, end);
    }
    if !point_and_digit(bytes, digits_end) {
        return Token::whole(Kind::Int, start, digits_end);
    }
    let fraction = Run::of(bytes, digits_end + 1);
    let fraction_end = digits_end + 1 + fraction.lead_digits;
    let mut end = fraction.end;
    if point_and_digit(bytes, end) {
        // `192.168.1.5`, `1.4.0rc1`: an address or a version.
        while point_and_digit(bytes, end) {
            end = Run::of(bytes, end + 1).end;
        }
        return Token::whole(Kind::Id, start, end);
    }
    if let Some(end) = exponent_end(bytes, fraction_end) {
        return Token::whole(Kind::Dec, start, end);
    }
    if fraction.switches > 1 {
        return Token::whole(Kind::Id, start, end);
    }
    Token {
        end,
        hole: Some((Kind::Dec, start, fraction_end)),
    }
}

fn point_and_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// The end of `e-05` or `e+12` at `at`: with its sign, so that hexadecimal is not meant.
fn exponent_end(bytes: &[u8], at: usize) -> Option<usize> {
    let letter = bytes.get(at)? | 0x20 == b'e';
    let signed = matches!(bytes.get(at + 1)?, b'+' | b'-');
    let run = Run::of(bytes, at + 2);
    let digits = run.digits > 0 && run.digits == run.end - (at + 2);
    (letter && signed && digits).then_some(run.end)
}

fn uuid_end(bytes: &[u8], start: usize, first_len: usize) -> Option<usize> {
    const LEN: usize = 36;
    if first_len != 8 {
        return None;
    }
    let text = bytes.get(start..start + LEN)?;
    let fits = text.iter().enumerate().all(|(i, byte)| match i {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (fits && ends_word(bytes, start + LEN)).then_some(start + LEN)
}

fn mac_end(bytes: &[u8], start: usize, first_len: usize) -> Option<usize> {
    const LEN: usize = 17;
    if first_len != 2 || bytes.get(start + 2) != Some(&b':') {
        return None;
    }
    let text = bytes.get(start..start + LEN)?;
    let fits = text.iter().enumerate().all(|(i, byte)| match i % 3 {
        2 => *byte == b':',
        _ => byte.is_ascii_hexdigit(),
    });
    let more = bytes.get(start + LEN) == Some(&b':');
    (fits && !more && ends_word(bytes, start + LEN)).then_some(start + LEN)
}

fn ends_word(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}
