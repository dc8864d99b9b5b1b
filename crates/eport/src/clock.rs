//! The reader's time as it says it, and as seconds. How it writes time and date is a guess.

use serde::{Deserialize, Serialize};

/// The five fields of TIME_DATE. That there are five, and their names, is in one public program; how
/// they are written is a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeAndDate {
    /// UTC, taken to be `HHMMSS`, separators allowed.
    pub gmt_time: String,
    /// UTC, taken to be eight digits in the configured order, separators allowed.
    pub gmt_date: String,
    /// The local zone's offset; not interpreted.
    pub gmt_offset: String,
    /// Local time; not interpreted.
    pub local_time: String,
    /// Local date; not interpreted.
    pub local_date: String,
}

/// The order of a date's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// Month, day, year: what an American device is likely to write.
    #[default]
    Mdy,
    /// Year, month, day.
    Ymd,
    /// Day, month, year.
    Dmy,
}

impl TimeAndDate {
    /// Seconds since 1970, UTC, or `None` when the fields are no time in this order.
    pub fn unix_seconds(&self, order: DateOrder) -> Option<i64> {
        let time = digits(&self.gmt_time, 6)?;
        let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
        let date = digits(&self.gmt_date, 8)?;
        let (year, month, day) = match order {
            DateOrder::Mdy => (date % 10_000, date / 1_000_000, date / 10_000 % 100),
            DateOrder::Ymd => (date / 10_000, date / 100 % 100, date % 100),
            DateOrder::Dmy => (date % 10_000, date / 10_000 % 100, date / 1_000_000),
        };
        let is_time = hour < 24 && minute < 60 && second < 61;
        let is_date = (1970..=9_999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_of(year, month)).contains(&day);
        (is_time && is_date).then(|| {
            days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        })
    }

    /// This moment as the simulated reader says it, in a zone `offset_hours` from UTC.
    pub fn at(unix_seconds: i64, offset_hours: i64, order: DateOrder) -> TimeAndDate {
        let (gmt_time, gmt_date) = written(unix_seconds, order);
        let (local_time, local_date) = written(unix_seconds + offset_hours * 3_600, order);
        TimeAndDate {
            gmt_time,
            gmt_date,
            gmt_offset: format!("{offset_hours:+}"),
            local_time,
            local_date,
        }
    }

    pub(crate) fn fields(&self) -> [String; 5] {
        [
            self.gmt_time.clone(),
            self.gmt_date.clone(),
            self.gmt_offset.clone(),
            self.local_time.clone(),
            self.local_date.clone(),
        ]
    }
}

/// The number made of exactly so many digits, with separators anywhere between.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_clean = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b":/-. ".contains(&b));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (is_clean && digits.len() == count).then(|| digits.parse().ok())?
}

fn written(unix_seconds: i64, order: DateOrder) -> (String, String) {
    let (days, second) = (
        unix_seconds.div_euclid(86_400),
        unix_seconds.rem_euclid(86_400),
    );
    let time = format!(
        "{:02}{:02}{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    );
    let mut year = 1970 + days / 366;
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_since_1970(year, month + 1, 1) <= days {
        month += 1;
    }
    let day = days - days_since_1970(year, month, 1) + 1;
    let date = match order {
        DateOrder::Mdy => format!("{month:02}{day:02}{year:04}"),
        DateOrder::Ymd => format!("{year:04}{month:02}{day:02}"),
        DateOrder::Dmy => format!("{day:02}{month:02}{year:04}"),
    };
    (time, date)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - 477;
    let months: i64 = (1..month).map(|m| days_of(year, m)).sum();
    (year - 1970) * 365 + leap_days + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_was_written_in_every_order() {
        // A leap day, year's ends, and the days around 2100, which is no leap year.
        for seconds in [0, 951_782_400, 1_709_164_799, 1_798_761_599, 4_107_542_399] {
            for order in [DateOrder::Mdy, DateOrder::Ymd, DateOrder::Dmy] {
                let time = TimeAndDate::at(seconds, -8, order);
                assert_eq!(time.unix_seconds(order), Some(seconds), "{time:?}");
            }
        }
    }

    #[test]
    fn separators_do_not_matter_and_nonsense_is_no_time() {
        let mut time = TimeAndDate::at(0, 0, DateOrder::Mdy);
        time.gmt_time = "14:30:15".to_owned();
        time.gmt_date = "01/22/2026".to_owned();
        assert_eq!(time.unix_seconds(DateOrder::Mdy), Some(1_769_092_215));
        for (clock, date) in [
            ("143015", "13222026"),
            ("250000", "01222026"),
            ("14301", "01222026"),
            ("143015", "02302026"),
            ("noon", "01222026"),
        ] {
            time.gmt_time = clock.to_owned();
            time.gmt_date = date.to_owned();
            assert_eq!(time.unix_seconds(DateOrder::Mdy), None, "{clock} {date}");
        }
    }
}
