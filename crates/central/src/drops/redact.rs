//! What is kept or said of a file has no card number in it: its bytes, whatever they are, its name,
//! and words about it.

use std::borrow::Cow;

use wire::redact::cards;

/// More than the longest card number or magnetic stripe takes, however it is written.
pub const CARD_MAX_BYTES: usize = 256;

/// Words with names of files in them, without card numbers.
pub fn text(text: &str) -> String {
    cards(text).into_owned()
}

/// The name of a file or the subject of a mail, without card numbers. One that was cut may end in
/// the beginning of a number.
pub fn name(name: &str) -> String {
    let redacted = text(name);
    if name.chars().count() < ::drops::limits::NAME_CHARS {
        return redacted;
    }
    let is_card = |c: char| !c.is_alphabetic() || matches!(c, 'x' | 'X');
    redacted.trim_end_matches(is_card).to_owned()
}

/// The bytes without card numbers. What is not UTF-8 is looked through byte by byte, so that a
/// damaged file keeps all else as it is.
pub fn bytes(bytes: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(bytes) {
        Ok(text) => match cards(&text) {
            Cow::Borrowed(_) => text.into_bytes(),
            Cow::Owned(redacted) => redacted.into_bytes(),
        },
        Err(other) => latin(other.into_bytes()),
    }
}

/// As if each byte were a character, and back.
fn latin(bytes: Vec<u8>) -> Vec<u8> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    match cards(&text) {
        Cow::Borrowed(_) => bytes,
        Cow::Owned(redacted) => redacted
            .chars()
            .flat_map(|c| match u8::try_from(u32::from(c)) {
                Ok(byte) => vec![byte],
                Err(_) => c.to_string().into_bytes(), // of the redaction's own words
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &[u8] = b"4111111111111111";

    fn has_card(bytes: &[u8]) -> bool {
        bytes.windows(CARD.len()).any(|window| window == CARD)
    }

    #[test]
    fn a_card_number_goes_from_text_and_from_what_is_no_text() {
        for around in [&b"\x20"[..], b"\xff\x00\xfe", "é".as_bytes()] {
            let file = [around, CARD, around, b"tail"].concat();
            let kept = bytes(file);
            assert!(!has_card(&kept), "{kept:?}");
            assert!(kept.starts_with(around) && kept.ends_with(b"tail"));
        }
    }

    #[test]
    fn a_name_that_was_cut_does_not_end_in_a_part_of_a_card_number() {
        let whole = "Refund 4111 1111 1111 1111";
        assert_eq!(name(whole), "Refund [card]");
        let subject = format!("{}card 4111 1111 1111 111", "a ".repeat(90));
        let cut: String = subject.chars().take(::drops::limits::NAME_CHARS).collect();
        let kept = name(&cut);
        assert!(kept.ends_with("card"), "{kept}");
        assert_eq!(
            name("VM001-1764000000000000-17.txt"),
            "VM001-1764000000000000-17.txt"
        );
    }

    #[test]
    fn all_else_stays_as_it_is() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(all.clone()), all);
        let drop = b"VM001|0122-1430|C|motor|Motor 3 is stuck|{}#17@15\n".to_vec();
        assert_eq!(bytes(drop.clone()), drop);
    }
}
