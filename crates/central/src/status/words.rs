//! The sentences of a verdict. Durations, not clock times: the reader's zone is not known here.

use wire::Micros;

const SECOND_US: i64 = wire::time::SECOND_US;
const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;
/// A message is quoted up to here, so that a reason stays one line.
const QUOTE_MAX_CHARS: usize = 120;

/// `40 s`, `12 min`, `2 h 10 min`, `3 d 4 h`.
pub fn duration(us: i64) -> String {
    let seconds = (us / SECOND_US).max(0);
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        _ => format!("{big} {big_unit} {small} {small_unit}"),
    };
    match seconds {
        s if s < MINUTE_S => format!("{s} s"),
        s if s < HOUR_S => format!("{} min", s / MINUTE_S),
        s if s < DAY_S => two(s / HOUR_S, "h", s % HOUR_S / MINUTE_S, "min"),
        s => two(s / DAY_S, "d", s % DAY_S / HOUR_S, "h"),
    }
}

/// How long before `now`: `12 min ago`, or `just now` within a second and for clocks that differ.
pub fn ago(at: Micros, now: Micros) -> String {
    match now.since_us(at) {
        us if us < SECOND_US => "just now".to_owned(),
        us => format!("{} ago", duration(us)),
    }
}

/// `1 error`, `3 errors`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// A machine's own words within a sentence: one line, without control characters, shortened.
pub fn phrase(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let line = line.trim_end_matches('.').replace(char::is_control, " ");
    match line.char_indices().nth(QUOTE_MAX_CHARS) {
        None => line,
        Some((cut, _)) => format!("{}…", line[..cut].trim_end()),
    }
}

/// `payment: Card declined`: the message's first line, without control characters, shortened.
pub fn quote(component: &str, message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    let text = format!("{component}: {line}").replace(char::is_control, " ");
    match text.char_indices().nth(QUOTE_MAX_CHARS) {
        None => text,
        Some((cut, _)) => format!("{}…", text[..cut].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (7_800, "2 h 10 min"),
            (86_400, "1 d"),
            (273_600, "3 d 4 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(seconds * SECOND_US), words);
        }
    }

    #[test]
    fn a_traceback_is_quoted_by_its_first_line() {
        let message = "motor failed\u{1b}[2J\nTraceback (most recent call last):\n  File";
        assert_eq!(quote("app", message), "app: motor failed [2J");
    }

    #[test]
    fn a_long_message_is_cut() {
        let quoted = quote("payment", &"é".repeat(500));
        assert_eq!(quoted.chars().count(), QUOTE_MAX_CHARS + 1);
        assert!(quoted.ends_with('…'));
    }
}
