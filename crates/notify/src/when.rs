//! An instant in the words of the recipient's time zone.

use jiff::Zoned;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use wire::Micros;

/// `2026-01-22 06:30:15 PST (14:30:15 UTC)`.
pub(crate) fn long(at: Micros, timezone: &str) -> String {
    let local = zoned(at, timezone);
    let shown = format("%Y-%m-%d %H:%M:%S %Z", &local);
    if shown.ends_with(" UTC") {
        return shown;
    }
    let utc = at.to_timestamp().to_zoned(TimeZone::UTC);
    format!("{shown} ({} UTC)", format("%H:%M:%S", &utc))
}

/// `2026-01-22 06:30 PST`.
pub(crate) fn short(at: Micros, timezone: &str) -> String {
    format("%Y-%m-%d %H:%M %Z", &zoned(at, timezone))
}

/// `06:30, January 22`.
pub(crate) fn spoken(at: Micros, timezone: &str) -> String {
    format("%H:%M, %B %-d", &zoned(at, timezone))
}

fn zoned(at: Micros, timezone: &str) -> Zoned {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    at.to_timestamp().to_zoned(zone)
}

/// A time that cannot be written that way is still a time.
fn format(pattern: &str, zoned: &Zoned) -> String {
    strtime::format(pattern, zoned).unwrap_or_else(|_| zoned.timestamp().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_recipients_and_utc_is_beside_them() {
        let at = Micros::parse_rfc3339("2026-01-22T14:30:15.123Z").unwrap();
        let zone = "America/Los_Angeles";
        assert_eq!(long(at, zone), "2026-01-22 06:30:15 PST (14:30:15 UTC)");
        assert_eq!(short(at, zone), "2026-01-22 06:30 PST");
        assert_eq!(spoken(at, zone), "06:30, January 22");
        assert_eq!(long(at, "No/Where"), "2026-01-22 14:30:15 UTC");
        assert_eq!(
            short(Micros(i64::MAX), zone).len(),
            "9999-12-31 14:00 PST".len()
        );
    }
}
