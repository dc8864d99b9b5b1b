//! Something began and did not end. The newest beginning and the newest end decide, by their own times,
//! so that a pair that arrives in the wrong order is still a pair.

use wire::Micros;

use super::words::quote;
use super::{Finding, Input, Ready, RuleState};

pub(super) fn judge(
    ready: &Ready,
    state: &mut RuleState,
    input: Input<'_>,
    now: Micros,
) -> Option<Finding> {
    let Input::Entry { entry, is_late } = input else {
        return (state.holds.is_some() && !lasts(state)).then(|| {
            state.holds = None;
            Finding::Clear
        });
    };
    let is_end = ready.ends.as_ref().is_some_and(|m| m.matches(entry));
    if is_end {
        state.ended = state.ended.max(Some(entry.event));
    } else if !is_late {
        // A beginning that comes late is history; its end may be still on the way.
        state.began = state.began.max(Some(entry.event));
    }
    if lasts(state) {
        let began = state.began?;
        let is_new = state.holds.is_none();
        let since = *state.holds.get_or_insert(began);
        if is_end {
            return None;
        }
        state.last_sign = Some(now);
        return Some(Finding::Holds {
            since,
            count: 1,
            words: format!(
                "{} (and not ended since)",
                quote(entry.component, entry.message)
            ),
            log_id: super::log_id(entry),
            is_late: false,
            is_sign: is_new,
        });
    }
    state.holds.take().map(|_| Finding::Clear)
}

fn lasts(state: &RuleState) -> bool {
    state
        .began
        .is_some_and(|began| state.ended.is_none_or(|ended| ended < began))
}
