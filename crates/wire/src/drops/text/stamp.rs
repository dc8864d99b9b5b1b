//! The PRD's `MMDD-HHMM`: UTC, without year and seconds. The year comes from a time that the stamp
//! cannot be much later than.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Micros;
use crate::time::DAY_US;

/// A clock that runs ahead must not send its stamps a year back.
pub(super) const AHEAD_US: i64 = DAY_US;
/// From one 29 February to the next, over a year like 2100 that has none.
const YEARS_BACK: i16 = 8;

/// Month, day, hour and minute of a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
}

impl Stamp {
    /// Reads `MMDD-HHMM`; `None` when it names no minute of any year.
    pub(super) fn read(text: &str) -> Option<Stamp> {
        let bytes = text.as_bytes();
        if bytes.len() != 9 || bytes[4] != b'-' {
            return None;
        }
        let two = |at: usize| -> Option<i8> {
            let (tens, ones) = (bytes[at], bytes[at + 1]);
            (tens.is_ascii_digit() && ones.is_ascii_digit())
                .then(|| ((tens - b'0') * 10 + (ones - b'0')) as i8)
        };
        let stamp = Stamp {
            month: two(0)?,
            day: two(2)?,
            hour: two(5)?,
            minute: two(7)?,
        };
        // 2000 was a leap year: it has every day that any year has.
        stamp.in_year(2000, 0, 0).map(|_| stamp)
    }

    /// The instant in this year, with these seconds and milliseconds.
    pub(super) fn in_year(self, year: i16, second: i8, millisecond: i32) -> Option<Micros> {
        let nanos = millisecond.checked_mul(1_000_000)?;
        let at = DateTime::new(
            year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            second,
            nanos,
        );
        let at = TimeZone::UTC.to_timestamp(at.ok()?).ok()?;
        Some(Micros::from_timestamp(at))
    }

    /// The latest such instant that is not more than [`AHEAD_US`] after `near`.
    pub(super) fn latest(self, near: Micros, second: i8, millisecond: i32) -> Option<Micros> {
        let limit = near.plus_us(AHEAD_US);
        let year = limit.to_timestamp().to_zoned(TimeZone::UTC).year();
        (0..=YEARS_BACK)
            .filter_map(|back| self.in_year(year.checked_sub(back)?, second, millisecond))
            .find(|&at| at <= limit)
    }
}

/// An instant taken apart.
pub(super) struct Parts {
    /// `MMDD-HHMM`.
    pub(super) stamp: String,
    /// The year, of the proleptic Gregorian calendar.
    pub(super) year: i16,
    /// Seconds of the minute.
    pub(super) second: i8,
    /// Milliseconds of the second.
    pub(super) millisecond: i32,
}

/// Takes an instant apart.
pub(super) fn parts(at: Micros) -> Parts {
    let zoned = at.to_timestamp().to_zoned(TimeZone::UTC);
    Parts {
        stamp: format!(
            "{:02}{:02}-{:02}{:02}",
            zoned.month(),
            zoned.day(),
            zoned.hour(),
            zoned.minute()
        ),
        year: zoned.year(),
        second: zoned.second(),
        millisecond: i32::from(zoned.millisecond()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        Micros::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_year_is_the_latest_that_is_not_in_the_future() {
        for (stamp, near, wanted) in [
            ("0122-1430", "2026-01-22T14:31:00Z", "2026-01-22T14:30:00Z"),
            // Written at the year's end, received in the new year; and two weeks late.
            ("1231-2359", "2027-01-01T00:04:00Z", "2026-12-31T23:59:00Z"),
            ("1225-0800", "2027-01-08T09:00:00Z", "2026-12-25T08:00:00Z"),
            // The machine's clock is a minute ahead, over the year's end.
            ("0101-0000", "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z"),
            // A leap day, at once and a year late.
            ("0229-1200", "2028-02-29T12:01:00Z", "2028-02-29T12:00:00Z"),
            ("0229-1200", "2029-02-27T00:00:00Z", "2028-02-29T12:00:00Z"),
            // 2100 has no leap day.
            ("0229-1200", "2103-05-01T00:00:00Z", "2096-02-29T12:00:00Z"),
        ] {
            let read = Stamp::read(stamp).unwrap().latest(at(near), 0, 0);
            assert_eq!(read, Some(at(wanted)), "{stamp} near {near}");
        }
    }

    #[test]
    fn what_names_no_minute_is_no_stamp() {
        for text in [
            "0230-1200",
            "1301-1200",
            "0122-2400",
            "0122-1260",
            "0122 1430",
            "122-1430",
            "0122-143",
            "+122-1430",
            "",
        ] {
            assert_eq!(Stamp::read(text), None, "{text}");
        }
    }
}
