//! Local times of a log, turned into instants.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use wire::Micros;
use wire::time::SECOND_US;

/// Lines of several threads may be written a moment out of order; only a larger step back says
/// that the hour is being passed for the second time.
const OUT_OF_ORDER_US: i64 = 2 * SECOND_US;

/// The zone in which a log's times are written.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this IANA name, such as `America/Los_Angeles`; `None` when there is no such.
    pub fn named(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(Zone)
    }

    /// UTC.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The instant of a local time. When summer time ends an hour comes twice: the first one is
    /// meant, unless time would run backwards from `previous`. A time that the clocks skipped is
    /// moved forward.
    pub fn instant(&self, local: DateTime, previous: Option<Micros>) -> Micros {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        let is_fold = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let first = ambiguous.compatible();
        let runs_backwards = |first: Micros| {
            previous.is_some_and(|previous| previous.since_us(first) > OUT_OF_ORDER_US)
        };
        match first.map(Micros::from_timestamp) {
            Ok(first) if is_fold && runs_backwards(first) => {
                ambiguous.later().map_or(first, Micros::from_timestamp)
            }
            Ok(first) => first,
            // Beyond the year 9999 by less than a zone's offset: no log is.
            Err(_) => previous.unwrap_or_default(),
        }
    }
}

/// Reads `2026-01-22 14:30:15`, with `T` for the space and `,123` or `.123456` behind, if that is
/// all there is.
pub fn parse_local(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    if !(19..=29).contains(&bytes.len()) || !text.is_ascii() {
        return None;
    }
    let marks = [
        (4, b"--"),
        (7, b"--"),
        (10, b" T"),
        (13, b"::"),
        (16, b"::"),
    ];
    if marks
        .iter()
        .any(|(at, allowed)| !allowed.contains(&bytes[*at]))
    {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = &text[from..to];
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    };
    let nanos = match text[19..].split_at_checked(1) {
        None => 0,
        Some(("," | ".", digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<9}").parse().ok()?
        }
        Some(_) => return None,
    };
    DateTime::new(
        number(0, 4)?,
        number(5, 7)? as i8,
        number(8, 10)? as i8,
        number(11, 13)? as i8,
        number(14, 16)? as i8,
        number(17, 19)? as i8,
        nanos,
    )
    .ok()
}

/// The instant of a time written with or without its offset; `None` when it cannot be read.
pub fn parse_any(text: &str, zone: &Zone, previous: Option<Micros>) -> Option<Micros> {
    let text = text.trim();
    if let Some(local) = parse_local(text) {
        return Some(zone.instant(local, previous));
    }
    Micros::parse_rfc3339(text)
        .or_else(|_| Micros::parse_rfc3339(&text.replace(',', ".")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants(zone: &str, times: &[&str]) -> Vec<String> {
        let zone = Zone::named(zone).unwrap();
        let mut previous = None;
        let mut instants = Vec::new();
        for time in times {
            let at = zone.instant(parse_local(time).unwrap(), previous);
            previous = Some(at);
            instants.push(at.to_rfc3339());
        }
        instants
    }

    #[test]
    fn the_hour_that_comes_twice_is_first_the_first_and_never_runs_backwards() {
        let times = [
            "2026-11-01 01:30:00",
            "2026-11-01 01:59:59",
            "2026-11-01 01:00:01",
        ];
        assert_eq!(
            instants("America/Los_Angeles", &times),
            [
                "2026-11-01T08:30:00.000Z",
                "2026-11-01T08:59:59.000Z",
                "2026-11-01T09:00:01.000Z"
            ]
        );
    }

    #[test]
    fn two_threads_a_moment_out_of_order_are_no_second_hour() {
        let times = ["2026-11-01 01:30:00,500", "2026-11-01 01:30:00,498"];
        assert_eq!(
            instants("America/Los_Angeles", &times)[1],
            "2026-11-01T08:30:00.498Z"
        );
    }

    #[test]
    fn a_time_that_the_clocks_skipped_is_moved_forward() {
        assert_eq!(
            instants("America/Los_Angeles", &["2026-03-08 02:30:00"]),
            ["2026-03-08T10:30:00.000Z"],
            "that is 03:30 summer time"
        );
    }

    #[test]
    fn only_a_whole_stamp_is_one() {
        for text in [
            "2026-01-22 14:30:15",
            "2026-01-22T14:30:15.5",
            "2026-01-22 14:30:15,123",
        ] {
            assert!(parse_local(text).is_some(), "{text}");
        }
        for text in [
            "2026-01-22",
            "2026-13-22 14:30:15",
            "2026-01-22 14:30:15Z",
            "x".repeat(19).as_str(),
        ] {
            assert!(parse_local(text).is_none(), "{text}");
        }
    }
}
