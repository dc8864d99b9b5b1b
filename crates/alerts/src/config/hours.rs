//! Hours of the week in a time zone: when a machine is open, when a person wants quiet. Written as
//! people write them: `Mo-Fr 08:00-20:00; Sa 09:00-14:00`, or `22:00-06:00` for every night. On a day
//! when clocks change the wall clock decides.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use serde::{Deserialize, Serialize};
use wire::Micros;
use wire::time::DAY_US;

/// Longer stretches are looked at from here on only: nobody waits a month for a sale.
const LOOK_BACK_US: i64 = 31 * DAY_US;
/// More spans than anybody writes.
const SPANS_MAX: usize = 50;
/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;
/// Monday first, as the spans count them.
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// Hours of a week; in JSON the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Week {
    text: String,
    spans: Vec<Span>,
}

/// From a minute of some days until another; beyond midnight when `to` is not later than `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// A bit for each day that it begins on, Monday first.
    days: u8,
    from: u16,
    to: u16,
}

/// Why a text is no hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no hours: write them as \"Mo-Fr 08:00-20:00; Sa 09:00-14:00\" or \"22:00-06:00\""
)]
pub struct HoursError(String);

impl Week {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether the instant is in it.
    pub fn has(&self, at: Micros, zone: &TimeZone) -> bool {
        let local = local(at, zone);
        let today = local.date();
        [today.yesterday().ok(), Some(today)]
            .into_iter()
            .flatten()
            .any(|day| {
                self.of_day(day, zone)
                    .any(|(from, to)| from <= at && at < to)
            })
    }

    /// When the stretch that the instant is in ends; `None` when it is in none. Stretches that touch
    /// are one; a week without an end is given up after eight days.
    pub fn end_of(&self, at: Micros, zone: &TimeZone) -> Option<Micros> {
        let mut end = at;
        for _ in 0..=SPANS_MAX {
            if !self.has(end, zone) {
                break;
            }
            let today = local(end, zone).date();
            let next = [today.yesterday().ok(), Some(today)]
                .into_iter()
                .flatten()
                .flat_map(|day| self.of_day(day, zone).collect::<Vec<_>>())
                .filter(|&(from, to)| from <= end && end < to)
                .map(|(_, to)| to)
                .max()?;
            end = next;
            if end.since_us(at) > 8 * DAY_US {
                break;
            }
        }
        (end > at).then_some(end)
    }

    /// Microseconds of `from..to` that are in it; of a longer time the last month.
    pub fn within_us(&self, from: Micros, to: Micros, zone: &TimeZone) -> i64 {
        let from = from.max(to.plus_us(-LOOK_BACK_US));
        if to <= from {
            return 0;
        }
        let (mut day, last) = (local(from, zone).date(), local(to, zone).date());
        day = day.yesterday().unwrap_or(day);
        let mut stretches = Vec::new();
        while day <= last {
            stretches.extend(self.of_day(day, zone));
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        stretches.sort_unstable();
        let (mut sum_us, mut covered) = (0, from);
        for (begin, end) in stretches {
            let (begin, end) = (begin.max(covered), end.min(to));
            if end > begin {
                sum_us += end.since_us(begin);
                covered = end;
            }
        }
        sum_us
    }

    /// The stretches that begin on this day of the calendar.
    fn of_day(&self, day: Date, zone: &TimeZone) -> impl Iterator<Item = (Micros, Micros)> {
        let weekday = day.weekday().to_monday_zero_offset();
        self.spans
            .iter()
            .filter(move |span| span.days & (1 << weekday) != 0)
            .filter_map(move |span| {
                let next = if span.to <= span.from {
                    day.tomorrow().ok()?
                } else {
                    day
                };
                Some((
                    instant(day, span.from, zone)?,
                    instant(next, span.to, zone)?,
                ))
            })
    }
}

/// The instant of a minute of the wall clock; one that a change of clocks leaves out is moved on, of
/// one that it makes twice the first.
fn instant(day: Date, minute: u16, zone: &TimeZone) -> Option<Micros> {
    let (day, minute) = if minute >= DAY_MINUTES {
        (day.tomorrow().ok()?, minute - DAY_MINUTES)
    } else {
        (day, minute)
    };
    let time = day
        .at(0, 0, 0, 0)
        .checked_add(i64::from(minute).minutes())
        .ok()?;
    let zoned = time.to_zoned(zone.clone()).ok()?;
    Some(Micros::from_timestamp(zoned.timestamp()))
}

/// As the wall clock shows it.
pub fn local(at: Micros, zone: &TimeZone) -> Zoned {
    at.to_timestamp().to_zoned(zone.clone())
}

/// The zone of a name; one that is empty or not known is UTC.
pub fn zone(name: &str) -> TimeZone {
    if name.is_empty() {
        return TimeZone::UTC;
    }
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

impl FromStr for Week {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Week, HoursError> {
        let wrong = || HoursError(text.chars().take(80).collect());
        let parts = text.split([';', ',']).map(str::trim);
        let spans: Option<Vec<Span>> = parts.filter(|part| !part.is_empty()).map(span).collect();
        let spans = spans.ok_or_else(wrong)?;
        if spans.len() > SPANS_MAX {
            return Err(wrong());
        }
        Ok(Week {
            text: text.trim().to_owned(),
            spans,
        })
    }
}

/// `Mo-Fr 08:00-20:00`, `Sa 9:00-14:00`, `22:00-06:00`.
fn span(text: &str) -> Option<Span> {
    let (days, times) = match text.split_once(char::is_whitespace) {
        Some((days, times)) => (day_bits(days)?, times.trim()),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => (0b111_1111, text),
        None => {
            return Some(Span {
                days: day_bits(text)?,
                from: 0,
                to: DAY_MINUTES,
            });
        }
    };
    let (from, to) = times.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from < DAY_MINUTES).then_some(Span { days, from, to })
}

/// `Mo`, `Mo-Fr`, `Fr-Mo`.
fn day_bits(text: &str) -> Option<u8> {
    let number = |name: &str| {
        let name: String = name.trim().chars().take(2).collect();
        DAYS.iter().position(|day| day.eq_ignore_ascii_case(&name))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (mut day, last) = (number(first)?, number(last)?);
    let mut bits = 1 << day;
    while day != last {
        day = (day + 1) % 7;
        bits |= 1 << day;
    }
    Some(bits)
}

/// `08:00` and `24:00` in minutes.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && all <= DAY_MINUTES).then_some(all)
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Week {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Week, HoursError> {
        text.parse()
    }
}

impl From<Week> for String {
    fn from(week: Week) -> String {
        week.text
    }
}

#[cfg(test)]
mod tests {
    use wire::time::HOUR_US;

    use super::*;

    fn at(text: &str) -> Micros {
        Micros::parse_rfc3339(text).unwrap()
    }

    fn week(text: &str) -> Week {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_those_of_the_wall_clock() {
        let open = week("Mo-Fr 08:00-20:00; Sa 9:00-14:00");
        let zone = zone("America/Los_Angeles");
        // Friday, 2026-11-20; eight hours behind UTC.
        assert!(!open.has(at("2026-11-20T15:59:59Z"), &zone));
        assert!(open.has(at("2026-11-20T16:00:00Z"), &zone));
        assert!(open.has(at("2026-11-21T03:59:59Z"), &zone));
        assert!(!open.has(at("2026-11-21T04:00:00Z"), &zone));
        assert!(open.has(at("2026-11-21T17:00:00Z"), &zone));
        assert!(!open.has(at("2026-11-22T17:00:00Z"), &zone), "Sunday");
    }

    #[test]
    fn a_night_goes_beyond_midnight_and_has_an_end() {
        let (quiet, zone) = (week("22:00-06:00"), zone("Europe/Berlin"));
        let (evening, night) = (at("2026-11-20T21:30:00Z"), at("2026-11-21T02:00:00Z"));
        let end = at("2026-11-21T05:00:00Z");
        assert_eq!(quiet.end_of(evening, &zone), Some(end));
        assert_eq!(quiet.end_of(night, &zone), Some(end));
        assert_eq!(quiet.end_of(end, &zone), None, "the end is not in it");
    }

    #[test]
    fn a_weekend_without_a_break_is_one_stretch() {
        let (quiet, zone) = (week("Fr 18:00-24:00; Sa-Su; Mo 00:00-07:00"), zone("UTC"));
        let saturday = at("2026-11-21T12:00:00Z");
        assert_eq!(
            quiet.end_of(saturday, &zone),
            Some(at("2026-11-23T07:00:00Z"))
        );
        assert!(week("Mo-Su 00:00-24:00").end_of(saturday, &zone).is_some());
    }

    #[test]
    fn the_night_of_a_change_of_clocks_is_an_hour_shorter_or_longer() {
        let (quiet, zone) = (week("22:00-06:00"), zone("Europe/Berlin"));
        // 2026-03-29 02:00 -> 03:00, and 2026-10-25 03:00 -> 02:00.
        let spring = (at("2026-03-28T21:00:00Z"), at("2026-03-29T04:00:00Z"));
        let autumn = (at("2026-10-24T20:00:00Z"), at("2026-10-25T05:00:00Z"));
        for ((from, to), hours) in [(spring, 7), (autumn, 9)] {
            assert_eq!(quiet.end_of(from, &zone), Some(to));
            let far = (from.plus_us(-HOUR_US), to.plus_us(HOUR_US));
            assert_eq!(quiet.within_us(far.0, far.1, &zone), hours * HOUR_US);
        }
        // What is left out begins where the clock goes on; what is there twice counts from the first.
        let gap = week("02:30-04:00");
        assert!(gap.has(at("2026-03-29T01:30:00Z"), &zone));
    }

    #[test]
    fn time_within_is_counted_once() {
        let open = week("Mo-Fr 08:00-20:00; Mo 10:00-12:00; Sa 09:00-14:00");
        let zone = zone("UTC");
        let (monday, next) = (at("2026-11-16T00:00:00Z"), at("2026-11-23T00:00:00Z"));
        assert_eq!(open.within_us(monday, next, &zone), 65 * HOUR_US);
        let part = (at("2026-11-16T19:00:00Z"), at("2026-11-17T09:00:00Z"));
        assert_eq!(open.within_us(part.0, part.1, &zone), 2 * HOUR_US);
        assert_eq!(open.within_us(next, monday, &zone), 0);
    }

    #[test]
    fn what_is_no_hours_is_refused_and_what_is_comes_back_as_written() {
        for wrong in [
            "soon",
            "Mo-",
            "Xx 08:00-09:00",
            "8-9",
            "25:00-26:00",
            "08:61-09:00",
            "-",
        ] {
            assert!(wrong.parse::<Week>().is_err(), "{wrong}");
        }
        let text = "Mo-Fr 08:00-20:00; Sa 09:00-14:00";
        assert_eq!(String::from(week(text)), text);
        assert!(week("").is_empty());
    }
}
