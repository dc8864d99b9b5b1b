//! What a notification says. Pure. Log text is hostile: nothing of it may act on the desktop that
//! shows it, neither as markup nor as a control character.

/// Longest message shown: the desktops cut at two to six lines anyway.
const MAX_MESSAGE_CHARS: usize = 300;

/// Components are at most 50 characters; anything longer is not one of ours.
const MAX_NAME_CHARS: usize = 60;

/// One notification, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The machine it is about; a click opens it.
    pub machine: String,
    /// First line.
    pub title: String,
    /// The rest.
    pub body: String,
}

impl Notice {
    /// The words for a CRITICAL entry.
    pub fn of_critical(machine: &str, component: &str, message: &str) -> Self {
        let shown_machine = plain(machine, MAX_NAME_CHARS);
        Self {
            machine: machine.to_owned(),
            title: format!(
                "{shown_machine}: CRITICAL in {}",
                plain(component, MAX_NAME_CHARS)
            ),
            body: plain(message, MAX_MESSAGE_CHARS),
        }
    }
}

/// At most `max_chars` of the text, with what is not to be seen spelled out.
fn plain(text: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for c in text.trim().chars() {
        let piece = match c {
            '\n' | '\r' | '\t' => " ".to_owned(),
            c if is_invisible(c) => c.escape_unicode().to_string(),
            c => c.to_string(),
        };
        count += piece.chars().count();
        if count > max_chars {
            shown.push('\u{2026}');
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

/// Controls, and the format characters that turn or hide text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_machine_component_and_message() {
        let notice = Notice::of_critical("VM001", "motor", "Motor 3 jammed");
        assert_eq!(notice.machine, "VM001");
        assert_eq!(notice.title, "VM001: CRITICAL in motor");
        assert_eq!(notice.body, "Motor 3 jammed");
    }

    #[test]
    fn a_traceback_is_one_paragraph() {
        let notice = Notice::of_critical("VM001", "app", "Crash\n  File \"a.py\"\n");
        assert_eq!(notice.body, "Crash   File \"a.py\"");
    }

    #[test]
    fn control_and_direction_characters_are_spelled_out() {
        let notice = Notice::of_critical("VM001", "app", "a\u{1b}[31mb\u{202e}c\0");
        assert_eq!(notice.body, "a\\u{1b}[31mb\\u{202e}c\\u{0}");
    }

    #[test]
    fn a_long_message_is_cut_with_a_sign() {
        let notice = Notice::of_critical("VM001", "app", &"\u{e9}".repeat(10_000));
        assert_eq!(notice.body.chars().count(), MAX_MESSAGE_CHARS + 1);
        assert!(notice.body.ends_with('\u{2026}'));
    }
}
