//! Texts made fit to be shown anywhere: no card number, no control character, no character that
//! turns text around, one line, and a bound. What a channel's own format needs comes after.

use std::fmt::Write as _;

use wire::redact::cards;

/// One line of at most `most` characters, the last an ellipsis when it was cut.
pub(crate) fn line(text: &str, most: usize) -> String {
    let redacted = cards(text);
    let mut cleaned = String::with_capacity(redacted.len().min(most.saturating_mul(4)));
    for c in redacted.chars() {
        if is_enough(&cleaned, most) {
            break;
        }
        if c.is_whitespace() {
            // Also a line break: nothing may end a header or a line.
            if !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else {
            push(&mut cleaned, c);
        }
    }
    cut(cleaned.trim(), most)
}

/// Lines of at most `most` characters together; breaks are `\n`.
pub(crate) fn block(text: &str, most: usize) -> String {
    let redacted = cards(text);
    let mut cleaned = String::with_capacity(redacted.len().min(most.saturating_mul(4)));
    for c in redacted.chars().filter(|c| *c != '\r') {
        if is_enough(&cleaned, most) {
            break;
        }
        match c {
            '\n' => cleaned.push('\n'),
            c if c.is_whitespace() => cleaned.push(' '),
            c => push(&mut cleaned, c),
        }
    }
    cut(cleaned.trim_end(), most)
}

/// At most `most` characters, the last an ellipsis when it was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// Whether what is there is cut anyway: a character has four bytes at most.
fn is_enough(text: &str, most: usize) -> bool {
    text.len() > most.saturating_mul(4)
}

fn push(text: &mut String, c: char) {
    if is_hidden(c) {
        let _ = write!(text, "{}", c.escape_unicode());
    } else {
        text.push(c);
    }
}

/// Control characters, those that turn or hide text (UAX #9, the zero-width ones, the tags), and
/// what no XML may hold.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Why a connection failed, in words that say more than the system's own.
pub(crate) fn network(cause: &str) -> String {
    let known = [
        ("lookup", "the name is not known, or no name server answers"),
        ("onnection refused", "nothing takes connections there"),
        ("etwork is unreachable", "there is no network"),
        ("o route to host", "there is no way there"),
    ];
    let found = known.iter().find(|(sign, _)| cause.contains(sign));
    found.map_or_else(|| cause.to_owned(), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_line_moves_the_cursor_or_turns_the_text() {
        assert_eq!(line("a\r\nBcc: x@y\tz\u{2028}q", 80), "a Bcc: x@y z q");
        assert_eq!(line("\u{1b}[31mred", 80), "\\u{1b}[31mred");
        assert_eq!(line("a\u{202e}b\u{200b}", 80), "a\\u{202e}b\\u{200b}");
        assert_eq!(block("a\r\nb\u{7}", 80), "a\nb\\u{7}");
    }

    #[test]
    fn a_card_number_goes_before_anything_is_cut() {
        assert_eq!(
            line("card 4111111111111111 declined", 80),
            "card [card] declined"
        );
        assert!(!line("card 4111111111111111", 12).contains("4111"));
    }

    #[test]
    fn a_long_text_is_cut_by_characters() {
        assert_eq!(line("ääääää", 4), "äää…");
        assert_eq!(line("ääää", 4), "ääää");
    }
}
