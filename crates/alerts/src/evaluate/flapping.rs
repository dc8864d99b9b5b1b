//! A link that goes and comes. A way that was silent beyond its schedule and is heard again has gone
//! and come: two changes, by arrival. What happened while nobody listened is not known and not counted.

use wire::Micros;
use wire::time::SECOND_US;

use super::silence::{name, ways};
use super::words::duration;
use super::{Finding, Listening, RuleState};
use crate::config::condition::{Condition, Way};
use crate::config::rule::Rule;
use crate::input::MachineNow;

pub(super) fn judge(
    rule: &Rule,
    state: &mut RuleState,
    machine: &MachineNow,
    listening: &Listening,
    now: Micros,
) -> Option<Finding> {
    let Condition::Flapping {
        path,
        changes,
        within_s,
    } = rule.when
    else {
        return None;
    };
    let mut is_sign = false;
    // With both ways, the newest contact of either counts: a machine that is heard is there.
    let Some(newest) = ways(rule, machine).max_by_key(|way| way.last) else {
        return state.holds.take().map(|_| Finding::Clear);
    };
    if let Some(before) = state.contact
        && before >= listening.of(newest.way)
        && newest.last.since_us(before) > newest.late_us
    {
        state.times.push(before.plus_us(newest.late_us));
        state.times.push(newest.last);
        is_sign = true;
    }
    state.contact = Some(newest.last);
    let oldest = now.plus_us(-within_s.saturating_mul(SECOND_US));
    let old = state.times.partition_point(|&time| time < oldest);
    state.times.drain(..old);
    if state.times.len() < changes.max(1) {
        return state.holds.take().map(|_| Finding::Clear);
    }
    let since = *state.holds.get_or_insert(state.times[0]);
    if is_sign {
        state.last_sign = Some(now);
    }
    let link = if path == Way::Any {
        "the link"
    } else {
        name(path)
    };
    Some(Finding::Holds {
        since,
        count: state.times.len() as u64,
        words: format!(
            "{link} went or came {} times in {}",
            state.times.len(),
            duration(now.since_us(state.times[0]))
        ),
        log_id: None,
        is_late: false,
        is_sign,
    })
}
