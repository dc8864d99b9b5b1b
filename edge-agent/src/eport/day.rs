//! What a day came to: sales, errors by component; and the entry that says so. The entry itself ends
//! the day's count when it comes back from the spool, so that nothing is counted twice or lost over
//! a crash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::Level;
use wire::time::{DAY_US, HOUR_US, SECOND_US};

use super::moment::Moment;
use crate::assemble::Record;
use crate::pipeline::own_record;

/// The event of the entry.
pub const DAILY_SUMMARY: &str = "daily_summary";
/// So many components are counted by name.
const COMPONENTS_MAX: usize = 12;
/// The name of all others.
const OTHERS: &str = "other";
/// Machines of a fleet do not all speak at midnight: each has its own second of this time.
const SPREAD_US: i64 = HOUR_US;
/// A clock that was set a moment ago shows another day, and that is no reason to end one.
const DAY_MIN_US: i64 = HOUR_US;
/// Where no clock is set, a day is this long.
const DAY_MAX_US: i64 = DAY_US + HOUR_US;

/// A day so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Day {
    /// Every entry up to this seq is counted.
    pub counted_through: u64,
    /// When it began.
    pub began: Option<Moment>,
    /// Sales.
    pub sales: u64,
    /// Their money.
    pub amount_cents: i64,
    /// Entries of ERROR and above.
    pub errors: BTreeMap<String, u64>,
}

/// What the summary says beside the counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around {
    /// Of the machine.
    pub uptime_s: Option<u64>,
    /// As the reader says it.
    pub signal_rssi: Option<i32>,
    /// As the reader says it.
    pub signal_ber: Option<i32>,
    /// Of the month.
    pub used_bytes: u64,
    /// Drops of the month.
    pub drops: u64,
}

impl Day {
    /// Counts an entry, once.
    pub fn count(&mut self, seq: u64, level: Level, component: &str, event: Option<&Value>) {
        if seq <= self.counted_through {
            return;
        }
        self.counted_through = seq;
        if level >= Level::Error {
            let is_known = self.errors.contains_key(component);
            let has_room = self.errors.len() < COMPONENTS_MAX;
            let name = if is_known || has_room {
                component
            } else {
                OTHERS
            };
            *self.errors.entry(name.to_owned()).or_default() += 1;
        }
        let event = event.and_then(Value::as_object);
        if event.is_some_and(|context| context.get("event").is_some_and(|event| event == "sale")) {
            self.sales += 1;
            let cents = event.and_then(|context| context.get("amount_cents")?.as_i64());
            self.amount_cents = self.amount_cents.saturating_add(cents.unwrap_or(0));
        }
    }

    /// The summary of the day has come back from the spool under this number: another day begins.
    pub fn ends(&mut self, seq: u64, now: Moment) {
        if seq > self.counted_through {
            *self = Day {
                counted_through: seq,
                began: Some(now),
                ..Day::default()
            };
        }
    }

    /// How long it is until the day is over, as far as that is known; 0: it is.
    pub fn left_us(&self, now: Moment, machine_id: &str) -> i64 {
        let Some(began) = self.began else { return 0 };
        let Some(age_us) = now.since_us(&began) else {
            // Nobody knows how long the machine was off.
            return DAY_US;
        };
        if age_us >= DAY_MAX_US {
            return 0;
        }
        if !now.is_dated() || !began.is_dated() {
            return DAY_MAX_US - age_us;
        }
        let spread_us = spread_us(machine_id);
        let day = |moment: &Moment| (moment.at.0 - spread_us).div_euclid(DAY_US);
        let end_us = (day(&began) + 1) * DAY_US + spread_us - now.at.0;
        end_us.max(DAY_MIN_US - age_us).max(0)
    }

    /// The entry that says what the day came to.
    pub fn record(&self, now: Moment, around: Around) -> Record {
        let errors: u64 = self.errors.values().sum();
        let by_component: Vec<String> = self
            .errors
            .iter()
            .map(|(component, count)| format!("{component} {count}"))
            .collect();
        let errors_words = match by_component.is_empty() {
            true => "no errors".to_owned(),
            false => format!("{errors} errors ({})", by_component.join(", ")),
        };
        let amount = format!(
            "{}.{:02}",
            self.amount_cents / 100,
            self.amount_cents.rem_euclid(100)
        );
        let message = format!(
            "daily summary: {} sales, {amount} in all; {errors_words}; {} kB of cellular data in {} \
             drops this month",
            self.sales,
            around.used_bytes.div_ceil(1000),
            around.drops,
        );
        let mut record = own_record(Level::Info, message, now.at);
        let context = &mut record.context;
        context.insert("event".into(), DAILY_SUMMARY.into());
        context.insert("sales".into(), self.sales.into());
        context.insert("amount_cents".into(), self.amount_cents.into());
        for (component, count) in &self.errors {
            context.insert(format!("errors_{component}"), (*count).into());
        }
        let numbers = [
            ("uptime_s", around.uptime_s.map(Value::from)),
            ("rssi", around.signal_rssi.map(Value::from)),
            ("ber", around.signal_ber.map(Value::from)),
            ("used_bytes", Some(around.used_bytes.into())),
        ];
        for (key, value) in numbers {
            context.extend(value.map(|value| (key.to_owned(), value)));
        }
        record
    }
}

/// The machine's own second of the hour after midnight.
fn spread_us(machine_id: &str) -> i64 {
    let hash = i64::from(crc32fast::hash(machine_id.as_bytes()));
    hash * SECOND_US % SPREAD_US
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::Micros;

    use super::*;

    fn moment(text: &str, since_boot_us: i64) -> Moment {
        Moment {
            boot: 1,
            since_boot_us,
            at: Micros::parse_rfc3339(text).unwrap(),
            is_known: true,
        }
    }

    #[test]
    fn sales_and_errors_add_up_once_each_and_the_summary_begins_anew() {
        let mut day = Day::default();
        let sale = json!({"event": "sale", "amount_cents": 82});
        for seq in [1, 2, 2, 1, 3] {
            day.count(seq, Level::Info, "payment", Some(&sale));
        }
        day.count(4, Level::Error, "motor", None);
        day.count(5, Level::Critical, "payment", None);
        day.count(6, Level::Warn, "payment", None);
        let now = moment("2026-11-23T00:10:00Z", 5);
        let around = Around {
            uptime_s: Some(86_400),
            signal_rssi: Some(-71),
            used_bytes: 12_345,
            drops: 20,
            ..Around::default()
        };
        let record = day.record(now, around);
        assert_eq!(
            record.message,
            "daily summary: 3 sales, 2.46 in all; 2 errors (motor 1, payment 1); 13 kB of cellular \
             data in 20 drops this month"
        );
        assert_eq!(record.level, Level::Info);
        assert_eq!(
            Value::Object(record.context),
            json!({"event": "daily_summary", "sales": 3, "amount_cents": 246, "errors_motor": 1,
                   "errors_payment": 1, "uptime_s": 86_400, "rssi": -71, "used_bytes": 12_345})
        );
        day.ends(7, now);
        assert_eq!(
            (day.sales, day.errors.len(), day.counted_through),
            (0, 0, 7)
        );
        day.count(5, Level::Critical, "payment", None);
        assert!(day.errors.is_empty(), "read again after a restart");
    }

    #[test]
    fn components_beyond_a_dozen_are_counted_together() {
        let mut day = Day::default();
        for seq in 1..=30 {
            day.count(seq, Level::Error, &format!("c{seq}"), None);
        }
        assert_eq!(day.errors.len(), COMPONENTS_MAX + 1);
        assert_eq!(day.errors[OTHERS], 30 - COMPONENTS_MAX as u64);
    }

    #[test]
    fn a_day_ends_within_an_hour_after_midnight_and_not_by_a_clock_that_was_just_set() {
        let mut day = Day::default();
        let noon = moment("2026-12-31T12:00:00Z", 0);
        assert_eq!(
            day.left_us(noon, "VM001"),
            0,
            "the first thing a machine says"
        );
        day.ends(1, noon);
        let left = day.left_us(noon, "VM001");
        assert!((12 * HOUR_US..13 * HOUR_US).contains(&left), "{left}");
        let after = moment("2027-01-01T01:00:00Z", 13 * HOUR_US);
        assert_eq!(day.left_us(after, "VM001"), 0);
        let unset = Moment {
            is_known: false,
            ..moment("1970-01-01T00:01:00Z", 0)
        };
        day.ends(2, unset);
        let set = moment("2026-12-31T12:00:00Z", 60 * SECOND_US);
        assert!(day.left_us(set, "VM001") > 23 * HOUR_US);
        assert_ne!(spread_us("VM001"), spread_us("VM002"));
    }
}
