//! Numbers that never came. What is missing may stay missing for ever, so a gap is news when it grows
//! and ends when it has not grown for a while, or was filled.

use wire::Micros;

use super::{Finding, RuleState, faded};
use crate::config::condition::Condition;
use crate::config::rule::Rule;
use crate::input::MachineNow;

pub(super) fn judge(
    rule: &Rule,
    state: &mut RuleState,
    machine: &MachineNow,
    now: Micros,
) -> Option<Finding> {
    let Condition::Gap { missing } = rule.when else {
        return None;
    };
    let now_missing = machine.missing;
    let before = state.number.replace(now_missing as f64);
    if now_missing < missing.max(1) {
        return state.holds.take().map(|_| Finding::Clear);
    }
    // What was missing before anybody looked is not news.
    if before.is_none_or(|before| now_missing as f64 <= before) {
        let ended = faded(rule, state, 0, now);
        return ended.inspect(|_| state.holds = None);
    }
    let since = *state.holds.get_or_insert(now);
    state.last_sign = Some(now);
    Some(Finding::Holds {
        since,
        count: now_missing,
        words: format!("{now_missing} numbers of entries or drops never came"),
        log_id: None,
        is_late: false,
        is_sign: true,
    })
}
