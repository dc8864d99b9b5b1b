//! Text as a card scan sees it: digits, masks, separators and the rest, with the escapes of JSON and
//! Python (`\u002d`, `\x1e`) read as the character they stand for.

/// One character, or one escape that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// 0 to 9.
    Digit(u8),
    /// A character that hides a digit: `*`, `#`, `•`, or one of several `x`.
    Mask,
    /// A space, or a hyphen: what stands between the groups of a card number.
    Separator(u8),
    /// A letter.
    Letter,
    /// Anything else.
    Other,
}

/// The unit at `at` (inside `bytes`) and its length in bytes.
pub(super) fn unit(bytes: &[u8], at: usize) -> (Unit, usize) {
    let byte = bytes[at];
    let neighbour = |at: usize| bytes.get(at).is_some_and(|b| b | 0x20 == b'x');
    match byte {
        b'0'..=b'9' => (Unit::Digit(byte - b'0'), 1),
        b'*' | b'#' => (Unit::Mask, 1),
        b'x' | b'X' if neighbour(at + 1) || at > 0 && neighbour(at - 1) => (Unit::Mask, 1),
        b'a'..=b'z' | b'A'..=b'Z' => (Unit::Letter, 1),
        b' ' | b'-' => (Unit::Separator(byte), 1),
        b'\\' => escape(bytes, at),
        0xc2 if bytes[at..].starts_with("\u{a0}".as_bytes()) => (Unit::Separator(b' '), 2),
        0xe2 => typeset(&bytes[at..]),
        // A full-width digit.
        0xef => match bytes[at..] {
            [_, 0xbc, last @ 0x90..=0x99, ..] => (Unit::Digit(last - 0x90), 3),
            _ => (Unit::Other, 1),
        },
        _ => (Unit::Other, 1),
    }
}

/// The unit at `at`, or `Other` at the end of the text.
pub(super) fn peek(bytes: &[u8], at: usize) -> Unit {
    if at < bytes.len() {
        unit(bytes, at).0
    } else {
        Unit::Other
    }
}

/// Bullets, and what typesetting makes of a space or a hyphen so that no line breaks there.
fn typeset(bytes: &[u8]) -> (Unit, usize) {
    let is_any = |of: [&str; 2]| of.iter().any(|text| bytes.starts_with(text.as_bytes()));
    if is_any(["•", "●"]) {
        (Unit::Mask, 3)
    } else if is_any(["\u{2007}", "\u{202f}"]) {
        (Unit::Separator(b' '), 3)
    } else if is_any(["\u{2011}", "\u{2013}"]) {
        (Unit::Separator(b'-'), 3)
    } else {
        (Unit::Other, 1)
    }
}

fn escape(bytes: &[u8], at: usize) -> (Unit, usize) {
    let digits = match bytes.get(at + 1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        _ => return (Unit::Other, 1),
    };
    let Some(hex) = bytes.get(at + 2..at + 2 + digits) else {
        return (Unit::Other, 1);
    };
    let mut code = 0;
    for digit in hex {
        let Some(value) = char::from(*digit).to_digit(16) else {
            return (Unit::Other, 1);
        };
        code = code * 16 + value;
    }
    let meant = match char::from_u32(code) {
        Some(digit @ '0'..='9') => Unit::Digit(digit as u8 - b'0'),
        Some('*' | '#' | '•' | '●') => Unit::Mask,
        Some(' ' | '\u{a0}' | '\u{2007}' | '\u{202f}') => Unit::Separator(b' '),
        Some('-' | '\u{2011}' | '\u{2013}') => Unit::Separator(b'-'),
        _ => Unit::Other,
    };
    (meant, 2 + digits)
}

/// A run of digits or of masks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// How many.
    pub count: usize,
    /// One past its last byte.
    pub end: usize,
}

/// The run of digits at `at`; its digits are appended to `digits` as far as they fit a card number.
pub(super) fn digits(bytes: &[u8], at: usize, into: &mut Digits) -> Run {
    let mut run = Run { count: 0, end: at };
    while run.end < bytes.len()
        && let (Unit::Digit(digit), len) = unit(bytes, run.end)
    {
        into.push(digit);
        run.count += 1;
        run.end += len;
    }
    run
}

/// The run of masks at `at`.
pub(super) fn masks(bytes: &[u8], at: usize) -> Run {
    let mut run = Run { count: 0, end: at };
    while run.end < bytes.len()
        && let (Unit::Mask, len) = unit(bytes, run.end)
    {
        run.count += 1;
        run.end += len;
    }
    run
}

/// The separator at `at` and where it ends.
pub(super) fn separator(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    if at >= bytes.len() {
        return None;
    }
    match unit(bytes, at) {
        (Unit::Separator(which), len) => Some((which, at + len)),
        _ => None,
    }
}

/// Room for the digits of one card number; it counts on beyond it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Digits {
    values: [u8; super::brands::CARD_MAX_DIGITS],
    len: usize,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if let Some(place) = self.values.get_mut(self.len) {
            *place = digit;
        }
        self.len += 1;
    }

    /// The digits, or none when there were too many.
    pub fn as_slice(&self) -> &[u8] {
        self.values.get(..self.len).unwrap_or(&[])
    }
}

/// Whether a decimal point joins `at` to a digit on its left, as in `0.4111`.
pub(super) fn after_decimal_point(bytes: &[u8], at: usize) -> bool {
    at >= 2 && bytes[at - 1] == b'.' && bytes[at - 2].is_ascii_digit()
}

/// Whether a decimal point joins `at` to a digit on its right.
pub(super) fn before_decimals(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}
