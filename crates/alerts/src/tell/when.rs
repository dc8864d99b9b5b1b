//! When a message may go: digests have their hour, people their quiet, machines their maintenance.

use wire::time::{DAY_US, HOUR_US, MINUTE_US};
use wire::{MachineId, Micros};

use crate::config::AlertConfig;
use crate::config::hours::{self, local};
use crate::config::people::Person;

/// The next full hour after now.
pub fn next_hour(now: Micros) -> Micros {
    Micros(
        now.0
            .div_euclid(HOUR_US)
            .saturating_add(1)
            .saturating_mul(HOUR_US),
    )
}

/// The next time after now at which a person's wall clock shows this minute of the day.
pub fn next_daily(now: Micros, minute: u16, person: Option<&Person>) -> Micros {
    let zone = hours::zone(person.map_or("", |person| &person.timezone));
    let today = local(now, &zone).date();
    let minutes = i64::from(minute.min(24 * 60 - 1));
    [Some(today), today.tomorrow().ok()]
        .into_iter()
        .flatten()
        .filter_map(|day| {
            let (hour, minute) = ((minutes / 60) as i8, (minutes % 60) as i8);
            let at = day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?;
            Some(Micros::from_timestamp(at.timestamp()))
        })
        .find(|at| *at > now)
        .unwrap_or(now.plus_us(DAY_US))
}

/// Until when a person wants quiet; `None` when they do not now.
pub fn quiet_until(person: Option<&Person>, now: Micros) -> Option<Micros> {
    let person = person?;
    let quiet = person.quiet.as_ref()?;
    quiet.end_of(now, &hours::zone(&person.timezone))
}

/// Until when all of these machines are being worked on; `None` when one of them is not.
pub fn maintenance_until(
    config: &AlertConfig,
    machines: &[MachineId],
    now: Micros,
) -> Option<Micros> {
    let until = |machine: &MachineId| {
        config
            .maintenance
            .iter()
            .filter(|window| window.covers(machine, now))
            .map(|window| window.until)
            .max()
    };
    let mut ends = machines.iter().map(until);
    let first = ends.next()??;
    ends.try_fold(first, |soonest, end| end.map(|end| soonest.min(end)))
}

/// How long the message of a rule that leaves so many seconds may be held to see whether many machines
/// fail together: the rest is for delivery itself.
pub fn hold_us(within_s: i64, group_within_s: i64) -> i64 {
    let most = within_s.saturating_mul(1_000_000) * 3 / 5;
    most.min(group_within_s.saturating_mul(1_000_000))
        .clamp(0, 60 * MINUTE_US)
}
