//! So many entries within a time. The window slides over the entries' own times, so that it does not
//! matter in which order they arrive; it ends by arrival, when none came for a while.

use wire::time::{DAY_US, SECOND_US};
use wire::{Level, Micros};

use super::words::{duration, quote};
use super::{Finding, Input, Ready, RuleState, faded};
use crate::config::condition::Condition;
use crate::input::EntryFacts;

/// A CRITICAL older than this is history.
const CRITICAL_NEWS_US: i64 = DAY_US;
/// Times kept of one subject at the least; older ones are only counted.
const KEPT: usize = 512;

pub(super) fn judge(
    ready: &Ready,
    state: &mut RuleState,
    input: Input<'_>,
    now: Micros,
) -> Option<Finding> {
    let Condition::Entries {
        count, within_s, ..
    } = ready.rule.when
    else {
        return None;
    };
    let (entry, is_late) = match input {
        Input::Tick { .. } => return faded(&ready.rule, state, within_s, now),
        Input::Entry { entry, is_late } => (entry, is_late),
    };
    if is_late && !is_still_news(entry) {
        return None;
    }
    let within_us = within_s.saturating_mul(SECOND_US);
    let place = state.times.partition_point(|&time| time <= entry.event);
    state.times.insert(place, entry.event);
    let (since, counted) = window(&state.times, count.max(1), within_us)?;
    let counted = counted + state.more;
    forget(state, count, now, within_us);
    state.holds = Some(state.holds.map_or(since, |before| before.min(since)));
    state.last_sign = Some(now);
    Some(Finding::Holds {
        since,
        count: counted,
        words: words(entry, counted, now.since_us(since)),
        log_id: super::log_id(entry),
        is_late,
        is_sign: true,
    })
}

/// Late entries make no alarm, but a CRITICAL of the last day always does.
pub(crate) fn is_still_news(entry: &EntryFacts<'_>) -> bool {
    entry.level == Level::Critical && entry.arrival.since_us(entry.event) < CRITICAL_NEWS_US
}

/// The first time from which so many stand within the window, and how many there are from there on.
fn window(times: &[Micros], count: usize, within_us: i64) -> Option<(Micros, u64)> {
    let first = times
        .windows(count)
        .position(|some| count == 1 || some[count - 1].since_us(some[0]) <= within_us)?;
    Some((times[first], (times.len() - first) as u64))
}

/// Keeps what may still be part of a window.
fn forget(state: &mut RuleState, count: usize, now: Micros, within_us: i64) {
    let oldest = now.plus_us(-within_us.saturating_add(DAY_US));
    let old = state.times.partition_point(|&time| time < oldest);
    let too_many = state.times.len().saturating_sub(KEPT.max(2 * count));
    let gone = old.max(too_many);
    // Counted only while it holds: what was before is not part of it.
    if state.holds.is_some() {
        state.more += gone as u64;
    }
    state.times.drain(..gone);
}

fn words(entry: &EntryFacts<'_>, count: u64, for_us: i64) -> String {
    let said = quote(entry.component, entry.message);
    if count <= 1 {
        return format!("{} {said}", entry.level.as_str());
    }
    let level = entry.level.as_str();
    format!("{count} in {}, last {level} {said}", duration(for_us))
}
