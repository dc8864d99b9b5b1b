//! Nothing was heard, by arrival, on any way that the machine is expected by. Time in which nobody
//! listened is not the machine's silence.

use wire::Micros;
use wire::time::SECOND_US;

use super::words::duration;
use super::{Finding, Listening, RuleState};
use crate::config::condition::{Condition, Way};
use crate::config::rule::Rule;
use crate::input::{MachineNow, WayNow};

pub(super) fn judge(
    rule: &Rule,
    state: &mut RuleState,
    machine: &MachineNow,
    listening: &Listening,
    now: Micros,
) -> Option<Finding> {
    let ways: Vec<&WayNow> = ways(rule, machine).collect();
    // What was found to be lost is lost until it is heard, also when we begin to listen anew.
    let silent_us = |way: &WayNow| match state.holds {
        Some(_) => now.since_us(way.last),
        None => silent_us(way, listening, now),
    };
    let lost = !ways.is_empty() && ways.iter().all(|way| silent_us(way) > limit_us(rule, way));
    if !lost {
        return state.holds.take().map(|_| Finding::Clear);
    }
    let last = ways.iter().map(|way| way.last).max()?;
    let is_sign = state.holds.is_none();
    let since = *state.holds.get_or_insert(last);
    state.last_sign = Some(now);
    let names: Vec<&str> = ways.iter().map(|way| name(way.way)).collect();
    Some(Finding::Holds {
        since,
        count: 1,
        words: format!(
            "No contact for {} ({})",
            duration(now.since_us(last)),
            names.join(" and ")
        ),
        log_id: None,
        is_late: false,
        is_sign,
    })
}

/// The ways of a machine that the rule is about.
pub(crate) fn ways<'a>(
    rule: &Rule,
    machine: &'a MachineNow,
) -> impl Iterator<Item = &'a WayNow> + use<'a> {
    let wanted = match rule.when {
        Condition::Silence { path, .. } | Condition::Flapping { path, .. } => path,
        _ => Way::Any,
    };
    machine
        .ways
        .iter()
        .filter(move |way| wanted == Way::Any || way.way == wanted)
}

/// How long a way was silent while somebody listened.
pub(crate) fn silent_us(way: &WayNow, listening: &Listening, now: Micros) -> i64 {
    now.since_us(way.last.max(listening.of(way.way)))
}

/// Silence beyond this is too long for the rule.
pub(crate) fn limit_us(rule: &Rule, way: &WayNow) -> i64 {
    match (&rule.when, way.way) {
        (Condition::Silence { wifi_s, .. }, Way::Wifi) => wifi_s.saturating_mul(SECOND_US),
        (
            Condition::Silence {
                cell_s: Some(cell_s),
                ..
            },
            Way::Cell,
        ) => cell_s.saturating_mul(SECOND_US),
        _ => way.lost_us,
    }
}

/// As people call it.
pub(crate) fn name(way: Way) -> &'static str {
    match way {
        Way::Wifi => "WiFi",
        Way::Cell => "cell",
        Way::Any => "any way",
    }
}
