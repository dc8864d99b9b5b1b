//! Day files: `days/YYYY-MM-DD.db` holds the entries that are filed on that UTC day.

pub(crate) mod commits;
pub(crate) mod entries;
pub(crate) mod sentences;
pub(crate) mod stored;
pub(crate) mod templates;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use wire::Micros;
use wire::time::{DAY_US, SECOND_US};

const DAY_S: i64 = DAY_US / SECOND_US;

/// A UTC day, as whole days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) i64);

impl Day {
    /// The day an instant lies in.
    pub(crate) fn of(at: Micros) -> Day {
        Day(at.0.div_euclid(DAY_US))
    }

    /// Its first instant.
    pub(crate) fn start(self) -> Micros {
        Micros(self.0.saturating_mul(DAY_US))
    }

    /// The first instant after it.
    pub(crate) fn end(self) -> Micros {
        self.start().plus_us(DAY_US)
    }

    /// `YYYY-MM-DD`; days outside jiff's calendar are held at its ends.
    pub(crate) fn name(self) -> String {
        let at = Timestamp::from_second(self.0.saturating_mul(DAY_S)).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        });
        at.to_zoned(TimeZone::UTC).date().to_string()
    }

    /// The name of its file in `days/`.
    pub(crate) fn file_name(self) -> String {
        self.name() + ".db"
    }

    /// The day whose file has this name; `None` for any other file.
    pub(crate) fn from_file_name(name: &str) -> Option<Day> {
        let date: Date = name.strip_suffix(".db")?.parse().ok()?;
        let epoch = Date::constant(1970, 1, 1);
        let span: Span = epoch.until(date).ok()?;
        let day = Day(i64::from(span.get_days()));
        (day.file_name() == name).then_some(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_its_file_name_belong_together() {
        let at = Micros::parse_rfc3339("2026-11-23T23:59:59.999Z").unwrap();
        let day = Day::of(at);
        assert_eq!(day.file_name(), "2026-11-23.db");
        assert_eq!(Day::from_file_name("2026-11-23.db"), Some(day));
        assert!(day.start() <= at && at < day.end());
        assert_eq!(Day::of(day.end()), Day(day.0 + 1));
        assert_eq!(Day::of(Micros(-1)).file_name(), "1969-12-31.db");
        assert_eq!(Day::from_file_name("1969-12-31.db"), Some(Day(-1)));
        for other in ["2026-11-23.db-wal", "2026-11-23", "notes.db", "2026-1-3.db"] {
            assert_eq!(Day::from_file_name(other), None, "{other}");
        }
    }
}
