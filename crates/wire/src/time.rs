//! Instants as the store keeps them: whole microseconds since 1970-01-01T00:00:00Z, in an `i64`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Microseconds of one second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds of one minute.
pub const MINUTE_US: i64 = 60 * SECOND_US;
/// Microseconds of one hour.
pub const HOUR_US: i64 = 60 * MINUTE_US;
/// Microseconds of one day.
pub const DAY_US: i64 = 24 * HOUR_US;

/// An instant in microseconds since the Unix epoch, UTC. In JSON it is a number; the API answers
/// RFC 3339 text instead (see [`Micros::to_rfc3339`]).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// The instant of a jiff timestamp, cut to the microsecond.
    pub fn from_timestamp(timestamp: Timestamp) -> Micros {
        Micros(timestamp.as_microsecond())
    }

    /// As a jiff timestamp; an instant outside jiff's range (years -9999 to 9999) is clamped to it.
    pub fn to_timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// Reads RFC 3339 (`2026-01-22T14:30:15.123Z`, or with an offset).
    ///
    /// # Errors
    /// The text is no RFC 3339 instant.
    pub fn parse_rfc3339(text: &str) -> Result<Micros, jiff::Error> {
        text.parse::<Timestamp>().map(Micros::from_timestamp)
    }

    /// RFC 3339 in UTC with exactly three decimals: `2026-01-22T14:30:15.123Z`.
    pub fn to_rfc3339(self) -> String {
        format!("{:.3}", self.to_timestamp())
    }

    /// This instant moved by so many microseconds, held at the ends of the range.
    pub fn plus_us(self, us: i64) -> Micros {
        Micros(self.0.saturating_add(us))
    }

    /// Microseconds since `earlier`; negative when `earlier` is later.
    pub fn since_us(self, earlier: Micros) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_goes_there_and_back_at_millisecond_precision() {
        let at = Micros::parse_rfc3339("2026-01-22T14:30:15.123Z").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-01-22T14:30:15.123Z");
        let offset = Micros::parse_rfc3339("2026-01-22T06:30:15.123-08:00").unwrap();
        assert_eq!(at, offset, "an offset names the same instant");
        assert_eq!(Micros(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_time_without_a_zone_is_refused() {
        assert!(Micros::parse_rfc3339("2026-01-22 14:30:15").is_err());
    }
}
