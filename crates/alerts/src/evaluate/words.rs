//! Words for findings.

use wire::time::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};

/// `45 s`, `12 min`, `2 h 10 min`, `3 d 4 h`.
pub fn duration(us: i64) -> String {
    let us = us.max(0);
    let two = |large: i64, unit: &str, small: i64, part: &str| {
        if small == 0 {
            format!("{large} {unit}")
        } else {
            format!("{large} {unit} {small} {part}")
        }
    };
    match us {
        us if us < MINUTE_US => format!("{} s", us / SECOND_US),
        us if us < HOUR_US => format!("{} min", us / MINUTE_US),
        us if us < DAY_US => two(us / HOUR_US, "h", us % HOUR_US / MINUTE_US, "min"),
        us => two(us / DAY_US, "d", us % DAY_US / HOUR_US, "h"),
    }
}

/// A number without a needless fraction.
pub fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A message as it stands in an alert: one line of a bounded length.
pub fn quote(component: &str, message: &str) -> String {
    const MOST: usize = 200;
    let line: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST + 1)
        .collect();
    if line.chars().count() > MOST {
        let cut: String = line.chars().take(MOST).collect();
        return format!("{component}: {}\u{2026}", cut.trim_end());
    }
    format!("{component}: {}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_numbers_read_as_people_say_them() {
        let shown = [45, 720, 7_800, 7_200, 273_600].map(|s| duration(s * SECOND_US));
        assert_eq!(shown, ["45 s", "12 min", "2 h 10 min", "2 h", "3 d 4 h"]);
        assert_eq!([2.0, 2.5, -0.125].map(number), ["2", "2.5", "-0.12"]);
    }

    #[test]
    fn a_long_message_of_many_lines_is_one_line() {
        let words = quote("app", &format!("Traceback\n{}", "x".repeat(500)));
        assert!(words.starts_with("app: Traceback xxx") && words.ends_with('\u{2026}'));
        assert!(words.chars().count() < 210);
    }
}
