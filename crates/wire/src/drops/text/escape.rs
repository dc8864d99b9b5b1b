//! Fields of a text drop: `|`, line ends, control and non-ASCII characters are written so that they
//! can be read back, and so that nothing on the way (a mail system, a zip) has a reason to change
//! them.

use std::fmt::Write as _;

/// Writes a field: printable ASCII without `|`; `\\`, `\n`, `\r`, `\t`, `\p` (a pipe), `\xHH` for
/// other control characters, `\u{H}` for what is not ASCII.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '|' => out.push_str("\\p"),
            ' '..='~' => out.push(c),
            // A String takes every write.
            _ if c.is_ascii() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            _ => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
        }
    }
}

/// Reads a field back; `None` when no [`escape`] wrote it.
pub(super) fn unescape(field: &str) -> Option<String> {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let kind = after.chars().next()?;
        let mut used = 1;
        match kind {
            '\\' => out.push('\\'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'p' => out.push('|'),
            'x' => {
                let code = u8::from_str_radix(hex(after.get(1..3)?)?, 16).ok()?;
                out.push(char::from(code).is_ascii().then_some(char::from(code))?);
                used = 3;
            }
            'u' => {
                let inner = after.get(1..)?.strip_prefix('{')?;
                let end = inner.find('}')?;
                let code = u32::from_str_radix(hex(&inner[..end])?, 16).ok()?;
                out.push(char::from_u32(code)?);
                used = 3 + end;
            }
            _ => return None,
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    Some(out)
}

/// The digits, when they are nothing but digits: Rust's own readers take a sign.
fn hex(digits: &str) -> Option<&str> {
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then_some(digits)
}
