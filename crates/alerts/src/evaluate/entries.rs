//! So many entries within a time. The window slides over the entries' own times, so that it does not
//! matter in which order they arrive; it ends by arrival, when none came for a while.

use wire::time::{DAY_US, SECOND_US};
use wire::{Level, Micros};

use super::words::{duration, quote};
use super::{CRITICAL_NEWS_US, Finding, Input, Ready, RuleState, faded};
use crate::config::condition::Condition;
use crate::config::rule::{Rule, Severity};
use crate::input::EntryFacts;

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
    if is_late && !is_still_news(&ready.rule, entry) {
        return None;
    }
    if count <= 1 {
        state.more += 1;
        return Some(holds(state, entry, is_late, entry.event, state.more, now));
    }
    let within_us = within_s.saturating_mul(SECOND_US);
    forget(state, count, now, within_us);
    let place = state.times.partition_point(|&time| time <= entry.event);
    state.times.insert(place, entry.event);
    // A sign of it is an entry that stands in a full window itself: stragglers keep no alarm alive.
    let full = full(&state.times, count, within_us);
    if !full[place] {
        return None;
    }
    let since = state.times.iter().zip(&full).find(|(_, full)| **full);
    let since = since.map_or(entry.event, |(time, _)| *time);
    let counted = full.iter().filter(|full| **full).count() as u64 + state.more;
    Some(holds(state, entry, is_late, since, counted, now))
}

fn holds(
    state: &mut RuleState,
    entry: &EntryFacts<'_>,
    is_late: bool,
    since: Micros,
    count: u64,
    now: Micros,
) -> Finding {
    let since = state.holds.map_or(since, |before| before.min(since));
    state.holds = Some(since);
    state.last_sign = Some(now);
    Finding::Holds {
        since,
        count,
        words: words(entry, count, now.since_us(since)),
        log_id: super::log_id(entry),
        is_late,
        is_sign: true,
    }
}

/// Late entries make no alarm, but a CRITICAL of the last day always does, and so does what a critical
/// rule tells of a single entry, such as tampering.
fn is_still_news(rule: &Rule, entry: &EntryFacts<'_>) -> bool {
    let is_single = matches!(rule.when, Condition::Entries { count, .. } if count <= 1);
    let is_grave =
        entry.level == Level::Critical || (is_single && rule.severity == Severity::Critical);
    is_grave && entry.arrival.since_us(entry.event) < CRITICAL_NEWS_US
}

/// Of each time, whether it stands in a window of so many.
fn full(times: &[Micros], count: usize, within_us: i64) -> Vec<bool> {
    let mut full = vec![false; times.len()];
    let mut marked = 0;
    for (first, some) in times.windows(count).enumerate() {
        if some[count - 1].since_us(some[0]) <= within_us {
            let last = first + count;
            full[marked.max(first)..last].fill(true);
            marked = last;
        }
    }
    full
}

/// Keeps what may still be part of a window; what was part of one is counted on.
fn forget(state: &mut RuleState, count: usize, now: Micros, within_us: i64) {
    let oldest = now.plus_us(-within_us.saturating_add(DAY_US));
    let old = state.times.partition_point(|&time| time < oldest);
    let too_many = (state.times.len() + 1).saturating_sub(KEPT.max(2 * count));
    let gone = old.max(too_many);
    if gone > 0 && state.holds.is_some() {
        let full = full(&state.times, count, within_us);
        state.more += full[..gone].iter().filter(|full| **full).count() as u64;
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
