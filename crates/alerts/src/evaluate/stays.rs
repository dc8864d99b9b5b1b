//! Something began and did not end. What counts is the first beginning after the newest end,
//! by their own times, so that a pair that arrives in the wrong order is still a pair.

use wire::Micros;

use super::words::quote;
use super::{Finding, Input, Ready, RuleState, takes_late};

/// Beginnings that are remembered while nothing ended them.
const BEGINNINGS_KEPT: usize = 16;

pub(super) fn judge(
    ready: &Ready,
    state: &mut RuleState,
    input: Input<'_>,
    now: Micros,
) -> Option<Finding> {
    let Input::Entry { entry, is_late } = input else {
        return None;
    };
    let is_end = ready.ends.as_ref().is_some_and(|m| m.matches(entry));
    if is_end {
        state.ended = state.ended.max(Some(entry.event));
    } else if !is_late || takes_late(&ready.rule, entry) {
        // Another beginning that comes late is history.
        let place = state.times.partition_point(|&time| time <= entry.event);
        state.times.insert(place, entry.event);
    }
    let over = state.ended.unwrap_or(Micros(i64::MIN));
    let old = state.times.partition_point(|&time| time <= over);
    state.times.drain(..old);
    // The first beginning says since when; of the others a few are enough.
    state.times.truncate(BEGINNINGS_KEPT);
    let Some(&since) = state.times.first() else {
        return state.holds.take().map(|_| Finding::Clear);
    };
    let is_new = state.holds.is_none();
    state.holds = Some(since);
    if is_end {
        return None;
    }
    state.last_sign = Some(now);
    Some(Finding::Holds {
        since,
        count: 1,
        words: format!(
            "{} (and not ended since)",
            quote(entry.component, entry.message)
        ),
        log_id: super::log_id(entry),
        is_late,
        is_sign: is_new || state.times.len() > 1,
    })
}
