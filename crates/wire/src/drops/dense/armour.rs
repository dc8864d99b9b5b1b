//! Bytes as printable ASCII: 13 bytes in 16 characters of 91. White space is not part of it, so a
//! mail program may wrap it; no line of it begins with a point, and nothing in it means anything to
//! quoted-printable or HTML.

/// The 94 printable characters without `.` (a line of one ends an SMTP message), `=` (the escape of
/// quoted-printable) and `<` (a tag of HTML).
const ALPHABET: &[u8; 91] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-/:;>?@[]^_`{|}~\"'\\";
/// 91^16 is a little more than 2^104: 0.1 % is lost.
const BLOCK_BYTES: usize = 13;
/// The characters of a block of so many bytes; each length has its own.
const CHARS: [usize; BLOCK_BYTES + 1] = [0, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 16];
const BASE: u128 = ALPHABET.len() as u128;
const NONE: u8 = u8::MAX;

const VALUES: [u8; 128] = {
    let mut values = [NONE; 128];
    let mut i = 0;
    while i < ALPHABET.len() {
        values[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    values
};

/// The characters of these bytes.
pub(super) fn put(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(BLOCK_BYTES) * 16);
    for block in bytes.chunks(BLOCK_BYTES) {
        let mut value = block
            .iter()
            .fold(0u128, |value, byte| value << 8 | u128::from(*byte));
        let mut chars = [0u8; 16];
        let chars = &mut chars[..CHARS[block.len()]];
        for place in chars.iter_mut().rev() {
            *place = ALPHABET[(value % BASE) as usize];
            value /= BASE;
        }
        text.extend(chars.iter().map(|byte| char::from(*byte)));
    }
    text
}

/// The bytes of these characters; `None` when they are not what [`put`] writes.
pub(super) fn take(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 16 * BLOCK_BYTES + BLOCK_BYTES);
    for block in text.chunks(CHARS[BLOCK_BYTES]) {
        let len = CHARS.iter().position(|chars| *chars == block.len())?;
        let mut value = 0u128;
        for byte in block {
            let digit = *VALUES.get(usize::from(*byte))?;
            if digit == NONE {
                return None;
            }
            value = value * BASE + u128::from(digit);
        }
        if value >> (8 * len) != 0 {
            return None;
        }
        bytes.extend_from_slice(&value.to_be_bytes()[16 - len..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_come_back() {
        for len in 0..60usize {
            for fill in [0u8, 1, 127, 255] {
                let bytes = vec![fill; len];
                let text = put(&bytes);
                assert_eq!(take(text.as_bytes()), Some(bytes), "{len} times {fill}");
                assert!(
                    text.bytes()
                        .all(|b| b.is_ascii_graphic() && !b".=<".contains(&b))
                );
            }
        }
    }

    #[test]
    fn what_was_not_written_by_it_is_refused() {
        for text in ["A", "~~", "A.", "AAAAAA", "\u{7f}A", "A A"] {
            assert_eq!(take(text.as_bytes()), None, "{text}");
        }
    }
}
