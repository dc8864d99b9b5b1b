//! Machines as the rules of alerts see them. How a way is, and whether a machine is expected by it, says
//! its status ([`crate::status`]); nothing of that is judged here.

use std::collections::HashMap;

use ::alerts::{DataNow, MachineNow};
use store::{MachineFacts, SlowFacts};
use wire::time::{HOUR_US, MINUTE_US};
use wire::{MachineId, Micros};

use crate::api::data_plan::PlanView;
use crate::status::{StatusLimits, cell_interval_us, expected};

/// How often an agent speaks over WiFi: its heartbeat when nothing is to be said.
const WIFI_INTERVAL_US: i64 = 5 * MINUTE_US;

/// Every machine of the fleet as it is now.
pub fn machines_now(
    fleet: &[MachineFacts],
    slow: &HashMap<MachineId, SlowFacts>,
    limits: &StatusLimits,
    now: Micros,
) -> Vec<MachineNow> {
    fleet
        .iter()
        .map(|facts| machine_now(facts, slow.get(&facts.machine.id), limits, now))
        .collect()
}

fn machine_now(
    facts: &MachineFacts,
    slow: Option<&SlowFacts>,
    limits: &StatusLimits,
    now: Micros,
) -> MachineNow {
    let machine = &facts.machine;
    MachineNow {
        id: machine.id.clone(),
        name: machine.name.clone(),
        site: machine.site.clone(),
        location: machine.location.clone(),
        tags: machine.tags.clone(),
        owner: machine.owner.clone(),
        timezone: machine.timezone.clone(),
        opening_hours: machine.opening_hours.clone(),
        since: machine.created_at,
        ways: expected(facts, limits, now),
        missing: slow.map_or(0, |slow| slow.missing),
        data: slow.and_then(|slow| data(facts, slow)),
        wifi_interval_us: WIFI_INTERVAL_US,
        cell_interval_us: cell_interval_us(facts).unwrap_or(HOUR_US),
    }
}

/// The month's data where it has a bound, by the same rules as it is shown.
fn data(facts: &MachineFacts, slow: &SlowFacts) -> Option<DataNow> {
    let agent = facts
        .heartbeat
        .as_ref()
        .and_then(|(_, beat)| beat.cell.as_ref());
    let plan = PlanView::new(slow.data.clone()?, agent);
    Some(DataNow {
        used_bytes: plan.used_bytes,
        forecast_bytes: plan.forecast_bytes,
        budget_bytes: plan.budget_bytes?,
    })
}
