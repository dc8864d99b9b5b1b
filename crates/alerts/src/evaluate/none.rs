//! Something that should come does not: no sale for so many hours in which the machine is open. A
//! machine that never had one is not judged, and neither is time in which it was not heard: its sales
//! may be on their way.

use wire::Micros;
use wire::time::HOUR_US;

use super::words::duration;
use super::{Finding, Input, Ready, RuleState};
use crate::config::condition::Condition;
use crate::config::hours::{self, Week};
use crate::input::MachineNow;

pub(super) fn judge(
    ready: &Ready,
    state: &mut RuleState,
    input: Input<'_>,
    now: Micros,
) -> Option<Finding> {
    let Condition::None { open_hours, .. } = ready.rule.when else {
        return None;
    };
    match input {
        // Late or not: a sale is a sale. Whether it is recent enough is seen with the next tick.
        Input::Entry { entry, .. } => {
            state.began = state.began.max(Some(entry.event));
            None
        }
        Input::Tick { machine, .. } => {
            let last = state.began?;
            let Some(heard) = heard_until(machine) else {
                return state.holds.take().map(|_| Finding::Clear);
            };
            let open_us = open_us(machine, last, heard.min(now));
            if open_us as f64 <= open_hours * HOUR_US as f64 {
                return state.holds.take().map(|_| Finding::Clear);
            }
            let is_sign = state.holds.is_none();
            state.holds = Some(last);
            state.last_sign = Some(now);
            Some(Finding::Holds {
                since: last,
                count: 1,
                words: format!("none for {} of opening time", duration(open_us)),
                log_id: None,
                is_late: false,
                is_sign,
            })
        }
    }
}

/// Up to when what happened on the machine is known: its last contact.
fn heard_until(machine: &MachineNow) -> Option<Micros> {
    machine.ways.iter().map(|way| way.last).max()
}

/// How long the machine was open; hours that cannot be read are "always".
fn open_us(machine: &MachineNow, from: Micros, to: Micros) -> i64 {
    match machine.opening_hours.parse::<Week>() {
        Ok(week) if !week.is_empty() => week.within_us(from, to, &hours::zone(&machine.timezone)),
        _ => to.since_us(from).max(0),
    }
}
