//! How much of the month's data is used, what the month will come to, and how thrifty a drop has to
//! be. Pure: the time is an argument.
//!
//! As the budget runs short, repeats go first, then WARN and INFO, then the interval stretches.
//! CRITICAL passes it always. What was not used earlier in the month is there later.

use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use serde::{Deserialize, Serialize};
use wire::Micros;
use wire::drops::DROP_OVERHEAD_BYTES;
use wire::time::{DAY_US, SECOND_US};

/// A drop of a quiet hour: its header and a few entries.
const LEAN_DROP_BYTES: u64 = 250;
/// A drop that says no more than that the machine lives.
const EMPTY_DROP_BYTES: u64 = 120;
/// However short the budget is, a sign of life a day is worth its bytes.
pub const INTERVAL_MAX_US: i64 = DAY_US;
/// At the beginning of a month its first day is no measure yet.
const FORECAST_FROM_US: i64 = DAY_US;

/// The bytes of one calendar month (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Month {
    /// Such as 2026; 0: no drop was sent yet.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// Bytes of the drops that were sent, and of what the carrier adds.
    pub used_bytes: u64,
    /// How many drops.
    pub drops: u64,
}

/// What a drop may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thrift {
    /// There is enough for full drops until the month ends.
    Free,
    /// Repeats may fill a drop only up to so many bytes.
    Spare(u64),
    /// No repeats, and of the entries only ERROR and CRITICAL.
    Grave,
    /// The same, and the interval is so long, in microseconds.
    Stretched(i64),
    /// Nothing is left: only CRITICAL goes.
    Spent,
}

impl Month {
    /// The month of this time goes on, or begins. An earlier one is over only when the clock can be
    /// trusted (`is_dated`).
    pub fn turn(&mut self, now: Micros, is_dated: bool) {
        let (year, month) = year_and_month(now);
        if (self.year, self.month) == (year, month) || !(is_dated || self.year == 0) {
            return;
        }
        let is_over = self.year >= YEAR_OF_A_SET_CLOCK;
        *self = Month {
            year,
            month,
            // What was used before the clock was set was used in this month, as likely as not.
            used_bytes: if is_over { 0 } else { self.used_bytes },
            drops: if is_over { 0 } else { self.drops },
        };
    }

    /// A drop of so many bytes was sent.
    pub fn sent(&mut self, drop_bytes: usize) {
        self.used_bytes += drop_bytes as u64 + DROP_OVERHEAD_BYTES;
        self.drops += 1;
    }

    /// What the month will come to when it goes on as it did.
    pub fn forecast_bytes(&self, now: Micros) -> u64 {
        let (start, end) = bounds(now);
        let passed_us = now.since_us(start).max(FORECAST_FROM_US);
        let left_us = end.since_us(now).max(0);
        let more = u128::from(self.used_bytes) * left_us as u128 / passed_us as u128;
        self.used_bytes
            .saturating_add(u64::try_from(more).unwrap_or(u64::MAX))
    }

    /// How thrifty a drop has to be when they go every `interval_us` and have at most
    /// `max_drop_bytes`.
    pub fn thrift(
        &self,
        (budget_bytes, max_drop_bytes): (u64, usize),
        interval_us: i64,
        now: Micros,
    ) -> Thrift {
        let left_bytes = budget_bytes.saturating_sub(self.used_bytes);
        if left_bytes < EMPTY_DROP_BYTES + DROP_OVERHEAD_BYTES {
            return Thrift::Spent;
        }
        let (_, end) = bounds(now);
        // At the month's end what is left of it may be used up.
        let drops = (end.since_us(now).max(0) / interval_us.max(SECOND_US)).max(1) as u64;
        let each = left_bytes / drops;
        if each >= max_drop_bytes as u64 + DROP_OVERHEAD_BYTES {
            Thrift::Free
        } else if each >= LEAN_DROP_BYTES + DROP_OVERHEAD_BYTES {
            Thrift::Spare(each - DROP_OVERHEAD_BYTES)
        } else if each >= EMPTY_DROP_BYTES + DROP_OVERHEAD_BYTES {
            Thrift::Grave
        } else {
            let needed = i128::from(EMPTY_DROP_BYTES + DROP_OVERHEAD_BYTES);
            let stretched_us = i128::from(end.since_us(now)) * needed / i128::from(left_bytes);
            let stretched_us = i64::try_from(stretched_us).unwrap_or(INTERVAL_MAX_US);
            Thrift::Stretched(stretched_us.clamp(interval_us, interval_us.max(INTERVAL_MAX_US)))
        }
    }
}

impl Thrift {
    /// For a person; `None`: there is nothing to say.
    pub fn words(self) -> Option<String> {
        match self {
            Thrift::Free => None,
            Thrift::Spare(_) => Some("the month's data runs short: less is repeated".to_owned()),
            Thrift::Grave => {
                Some("the month's data runs short: only ERROR and CRITICAL go".to_owned())
            }
            Thrift::Stretched(us) => Some(format!(
                "the month's data runs short: only ERROR and CRITICAL go, every {} minutes",
                us / (60 * SECOND_US)
            )),
            Thrift::Spent => Some("the month's data is used up: only CRITICAL goes".to_owned()),
        }
    }
}

/// Years before are of a clock that was never set.
const YEAR_OF_A_SET_CLOCK: i16 = 2026;

fn utc(at: Micros) -> Zoned {
    at.to_timestamp().to_zoned(TimeZone::UTC)
}

fn year_and_month(at: Micros) -> (i16, i8) {
    let at = utc(at);
    (at.year(), at.month())
}

/// The first moment of the month and that of the next.
fn bounds(at: Micros) -> (Micros, Micros) {
    let now = utc(at);
    let first = now.first_of_month().and_then(|first| first.start_of_day());
    let next = first.clone().and_then(|first| first.checked_add(1.month()));
    // Only at the ends of jiff's range there is none: a month is as good as any there.
    let or_else = |zoned: Result<Zoned, jiff::Error>, us: i64| {
        zoned.map_or(at.plus_us(us), |zoned| {
            Micros::from_timestamp(zoned.timestamp())
        })
    };
    (or_else(first, -15 * DAY_US), or_else(next, 15 * DAY_US))
}

#[cfg(test)]
mod tests {
    use wire::time::HOUR_US;

    use super::*;

    fn at(text: &str) -> Micros {
        Micros::parse_rfc3339(text).unwrap()
    }

    fn used(used_bytes: u64) -> Month {
        Month {
            year: 2026,
            month: 11,
            used_bytes,
            drops: 1,
        }
    }

    #[test]
    fn a_month_of_full_drops_fits_the_usual_plan_and_a_small_one_is_kept_by_thrift() {
        let start = at("2026-11-01T00:00:00Z");
        let thrift = |budget| used(0).thrift((budget, 900), HOUR_US, start);
        assert_eq!(thrift(1_500_000), Thrift::Free);
        assert!(matches!(thrift(500_000), Thrift::Spare(bytes) if (450..600).contains(&bytes)));
        assert_eq!(thrift(300_000), Thrift::Grave);
        let Thrift::Stretched(us) = thrift(50_000) else {
            panic!("{:?}", thrift(50_000));
        };
        assert!((4 * HOUR_US..5 * HOUR_US).contains(&us), "{us}");
        assert_eq!(thrift(7_000), Thrift::Stretched(INTERVAL_MAX_US));
        let later = at("2026-11-20T12:00:00Z");
        assert_eq!(
            used(50_000).thrift((50_000, 900), HOUR_US, later),
            Thrift::Spent
        );
    }

    #[test]
    fn whatever_the_traffic_wants_the_budget_holds_and_never_falls_silent() {
        for budget in [20_000u64, 60_000, 150_000, 400_000, 1_500_000] {
            let mut month = used(0);
            let mut now = at("2026-11-01T00:00:00Z");
            let end = at("2026-12-01T00:00:00Z");
            let (mut drops, mut longest_us) = (0u64, 0);
            while now < end {
                let (wanted, wait_us) = match month.thrift((budget, 900), HOUR_US, now) {
                    Thrift::Free => (900, HOUR_US),
                    Thrift::Spare(bytes) => (bytes, HOUR_US),
                    // A bad month: there are always a few errors to tell of.
                    Thrift::Grave => (240, HOUR_US),
                    Thrift::Stretched(us) => (EMPTY_DROP_BYTES, us),
                    Thrift::Spent => (0, HOUR_US),
                };
                if wanted > 0 {
                    month.sent(usize::try_from(wanted).unwrap());
                    drops += 1;
                    longest_us = longest_us.max(wait_us);
                }
                now = now.plus_us(wait_us);
            }
            assert!(
                month.used_bytes <= budget + 900 + DROP_OVERHEAD_BYTES,
                "{budget}: {month:?}"
            );
            assert!(
                month.used_bytes > budget / 2 || drops >= 720,
                "{budget}: {month:?}"
            );
            assert!(
                longest_us <= INTERVAL_MAX_US,
                "{budget}: silent for {longest_us} us"
            );
            println!(
                "budget {budget}: {} bytes in {drops} drops",
                month.used_bytes
            );
        }
    }

    #[test]
    fn a_month_ends_with_the_calendar_and_only_by_a_clock_that_is_set() {
        let mut month = Month::default();
        month.turn(at("1970-01-01T00:05:00Z"), false);
        month.sent(900);
        month.turn(at("2026-11-30T23:59:59Z"), true);
        assert_eq!((month.year, month.month, month.drops), (2026, 11, 1));
        month.turn(at("1970-01-01T00:05:00Z"), false);
        assert_eq!(
            (month.year, month.used_bytes),
            (2026, 900 + DROP_OVERHEAD_BYTES)
        );
        month.turn(at("2026-12-01T00:00:00Z"), true);
        assert_eq!((month.month, month.used_bytes), (12, 0));
        let mut leap = Month::default();
        leap.turn(at("2028-02-29T12:00:00Z"), true);
        leap.sent(1000 - usize::try_from(DROP_OVERHEAD_BYTES).unwrap());
        let forecast = leap.forecast_bytes(at("2028-02-29T12:00:00Z"));
        assert_eq!(forecast, 1000 + 1000 / 57, "half a day of 28.5 is left");
    }

    #[test]
    fn the_forecast_goes_on_as_it_was() {
        let half = at("2026-11-16T00:00:00Z");
        assert_eq!(used(600_000).forecast_bytes(half), 1_200_000);
        let first = at("2026-11-01T01:00:00Z");
        assert!(
            used(1000).forecast_bytes(first) < 31_000,
            "an hour is no measure"
        );
    }
}
