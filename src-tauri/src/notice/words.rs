//! What a notification says. Pure. Log text is hostile: nothing of it may act on the desktop that
//! shows it, neither as markup nor as a control character.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::worth::View;

/// Longest message shown: the desktops cut at two to six lines anyway.
const MAX_MESSAGE_CHARS: usize = 300;

/// Components are at most 50 characters; anything longer is not one of ours.
const MAX_NAME_CHARS: usize = 60;

/// One notification, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The alert it is about; a click opens it.
    pub alert: u64,
    /// First line.
    pub title: String,
    /// The rest.
    pub body: String,
}

impl Notice {
    /// The words for an alert: severity, issue and machine; then where it stands, what, and when.
    pub fn of_alert(view: &View) -> Self {
        let mut where_ = Vec::new();
        let machine = match view.machines.as_slice() {
            [one] => {
                where_.extend([&one.name, &one.site].map(|text| plain(text, MAX_NAME_CHARS)));
                plain(&one.id, MAX_NAME_CHARS)
            }
            many => format!("{} machines", many.len()),
        };
        where_.retain(|text| !text.is_empty());
        let late = if view.is_late { " (late)" } else { "" };
        let since: Option<Timestamp> = view.since.parse().ok();
        let since = since.map(|at| at.to_zoned(TimeZone::system()));
        let since = since.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string());
        let mut lines = vec![where_.join(", "), plain(&view.facts, MAX_MESSAGE_CHARS)];
        lines.extend(since);
        lines.retain(|line| !line.is_empty());
        Self {
            alert: view.id,
            title: format!(
                "{} {}: {machine}{late}",
                view.severity.to_uppercase(),
                plain(&view.alert_type, MAX_NAME_CHARS)
            ),
            body: lines.join("\n"),
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
    use super::super::worth::Machine;
    use super::*;

    fn view(facts: &str) -> View {
        View {
            id: 7,
            alert_type: "Hardware Failure".to_owned(),
            severity: "critical".to_owned(),
            machines: vec![Machine {
                id: "VM001".to_owned(),
                name: "Lobby".to_owned(),
                site: "Main Street".to_owned(),
            }],
            since: "2026-01-22T05:58:03.250Z".to_owned(),
            facts: facts.to_owned(),
            ..View::default()
        }
    }

    #[test]
    fn a_notice_names_machine_issue_place_facts_and_time() {
        let notice = Notice::of_alert(&view("CRITICAL motor: Motor 3 jammed"));
        assert_eq!(notice.alert, 7);
        assert_eq!(notice.title, "CRITICAL Hardware Failure: VM001");
        let lines: Vec<&str> = notice.body.lines().collect();
        assert_eq!(
            lines[..2],
            ["Lobby, Main Street", "CRITICAL motor: Motor 3 jammed"]
        );
        assert!(lines[2].starts_with("2026-01-2"), "{lines:?}");
    }

    #[test]
    fn many_machines_are_counted() {
        let mut many = view("x");
        many.machines = vec![Machine::default(); 6];
        assert_eq!(
            Notice::of_alert(&many).title,
            "CRITICAL Hardware Failure: 6 machines"
        );
    }

    #[test]
    fn a_traceback_is_one_paragraph() {
        let notice = Notice::of_alert(&view("Crash\n  File \"a.py\"\n"));
        assert!(
            notice.body.contains("Crash   File \"a.py\"\n2026"),
            "{}",
            notice.body
        );
    }

    #[test]
    fn control_and_direction_characters_are_spelled_out() {
        let notice = Notice::of_alert(&view("a\u{1b}[31mb\u{202e}c\0"));
        assert!(
            notice.body.contains("a\\u{1b}[31mb\\u{202e}c\\u{0}"),
            "{}",
            notice.body
        );
    }

    #[test]
    fn a_long_message_is_cut_with_a_sign() {
        let body = Notice::of_alert(&view(&"\u{e9}".repeat(10_000))).body;
        let long = body.lines().nth(1).expect("the facts");
        assert_eq!(long.chars().count(), MAX_MESSAGE_CHARS + 1);
        assert!(long.ends_with('\u{2026}'));
    }
}
