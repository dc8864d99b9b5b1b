//! The data plan: used to a share of it, or not lasting until the month's end. A new month clears it.

use wire::Micros;

use super::words::number;
use super::{Finding, RuleState};
use crate::config::condition::Condition;
use crate::config::rule::Rule;
use crate::input::MachineNow;

const MB: f64 = 1_000_000.0;

pub(super) fn judge(
    rule: &Rule,
    state: &mut RuleState,
    machine: &MachineNow,
    now: Micros,
) -> Option<Finding> {
    let Condition::Budget { share } = rule.when else {
        return None;
    };
    let over = machine.data.filter(|data| {
        data.budget_bytes > 0
            && (data.used_bytes as f64 >= share * data.budget_bytes as f64
                || data.forecast_bytes > data.budget_bytes)
    });
    let Some(data) = over else {
        return state.holds.take().map(|_| Finding::Clear);
    };
    let is_sign = state.holds.is_none();
    let since = *state.holds.get_or_insert(now);
    state.last_sign = Some(now);
    let of = |bytes: u64| number(bytes as f64 / MB);
    Some(Finding::Holds {
        since,
        count: 1,
        words: format!(
            "{} of {} MB used this month, {} MB expected at its end",
            of(data.used_bytes),
            of(data.budget_bytes),
            of(data.forecast_bytes)
        ),
        log_id: None,
        is_late: false,
        is_sign,
    })
}
