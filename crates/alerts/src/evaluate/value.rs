//! A number beyond its limit, by the newest entry that carries it; each product by itself.

use wire::Micros;

use super::words::number;
use super::{Finding, Ready, RuleState, takes_late};
use crate::config::condition::{Condition, Side};
use crate::input::EntryFacts;

pub(super) fn judge(
    ready: &Ready,
    state: &mut RuleState,
    entry: &EntryFacts<'_>,
    is_late: bool,
    part: &str,
) -> Option<Finding> {
    let Condition::Value {
        field,
        side,
        limit,
        limits,
        ..
    } = &ready.rule.when
    else {
        return None;
    };
    let value = read(entry.context.get(field)?)?;
    let is_older = |at: Micros| state.began.is_some_and(|newest| at < newest);
    if is_older(entry.event) {
        return None;
    }
    let limit = limits.get(part).copied().unwrap_or(*limit);
    let (is_bad, word) = match side {
        Side::Below => (value < limit, "below"),
        Side::Above => (value > limit, "above"),
    };
    // Trouble that comes late is history, unless it is critical; its end is news whenever it comes.
    if is_bad && is_late && !takes_late(&ready.rule, entry) {
        return None;
    }
    state.began = Some(entry.event);
    state.number = Some(value);
    if !is_bad {
        return state.holds.take().map(|_| Finding::Clear);
    }
    let is_sign = state.holds.is_none();
    let since = *state.holds.get_or_insert(entry.event);
    state.last_sign = Some(entry.arrival);
    let what = if part.is_empty() { field } else { part };
    Some(Finding::Holds {
        since,
        count: 1,
        words: format!("{what} is {}, {word} {}", number(value), number(limit)),
        log_id: super::log_id(entry),
        is_late,
        is_sign,
    })
}

/// A number, also one written as text.
fn read(value: &serde_json::Value) -> Option<f64> {
    let number = match value {
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    number.is_finite().then_some(number)
}
