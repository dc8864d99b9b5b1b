//! What editors, mail programs and block devices put around a text: byte order marks, CRLF, padding.
//! Footers stay: only the drop reader knows where a drop ends.

use std::borrow::Cow;

/// UTF-16 becomes UTF-8, a byte order mark goes, line ends become LF, and what pads the end
/// (spaces, NUL, 0x1A and empty lines) goes. Anything else stays byte for byte.
pub fn clean(bytes: &[u8]) -> Vec<u8> {
    let text = without_mark(bytes);
    let end = text
        .iter()
        .rposition(|byte| !is_padding(*byte))
        .map_or(0, |last| last + 1);
    let mut out = Vec::with_capacity(end + 1);
    let mut rest = text[..end].iter().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' if rest.peek() == Some(&&b'\n') => {}
            b'\r' => out.push(b'\n'),
            other => out.push(*other),
        }
    }
    out
}

fn is_padding(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0x1a)
}

fn without_mark(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(from_utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(from_utf16(rest, u16::from_be_bytes)),
        _ => Cow::Borrowed(bytes),
    }
}

fn from_utf16(bytes: &[u8], read: impl Fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_line_ends_and_padding_go() {
        assert_eq!(
            clean(b"\xef\xbb\xbfa\r\nb\rc \r\n \0\0\x1a\x1a"),
            b"a\nb\nc"
        );
        assert_eq!(clean(b"\xff\xfea\0\r\0\n\0b\0"), b"a\nb");
        assert_eq!(clean(b"\xfe\xff\0a\0b"), b"ab");
        assert_eq!(clean(b"  \r\n"), b"");
        assert_eq!(clean(b" a | b"), b" a | b", "the start stays");
        assert_eq!(clean(b"\xff\xff\x80"), b"\xff\xff\x80");
    }
}
