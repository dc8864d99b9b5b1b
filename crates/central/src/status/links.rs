//! The two ways by which a machine is heard, each judged by its own schedule: heartbeats over WiFi,
//! drops by cell. What that means for the machine is the verdict's work.

use alerts::WayNow;
use alerts::config::condition::Way;
use serde::{Deserialize, Serialize};
use store::MachineFacts;
use utoipa::ToSchema;
use wire::time::{HOUR_US, SECOND_US};
use wire::{CellHealth, Micros};

use super::limits::StatusLimits;

/// How one way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// Nothing ever came this way.
    None,
    /// Heard as it should be.
    Up,
    /// Later than its schedule.
    Late,
    /// Silent beyond its limit.
    Down,
    /// Cell, while WiFi delivers: one drop a day is enough, and it is not judged.
    Standby,
    /// Cell: the machine says, over WiFi, that the reader takes no drops.
    Failing,
}

/// Both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Links {
    /// HTTPS from the agent.
    pub wifi: LinkState,
    /// Drops through the card reader.
    pub cell: LinkState,
}

/// How the ways of a machine are now.
pub fn links(facts: &MachineFacts, limits: &StatusLimits, now: Micros) -> Links {
    let by = |silent_us: i64, yellow_us: i64, red_us: i64| match silent_us {
        us if us <= yellow_us => LinkState::Up,
        us if us <= red_us => LinkState::Late,
        _ => LinkState::Down,
    };
    let wifi = facts.last_wifi.map_or(LinkState::None, |last| {
        by(
            now.since_us(last),
            limits.wifi_yellow_us,
            limits.wifi_red_us,
        )
    });
    let wifi_delivers = matches!(wifi, LinkState::Up | LinkState::Late);
    let cell = match cell_since(facts) {
        _ if wifi_delivers && failing(facts).is_some() => LinkState::Failing,
        Some(_) if wifi_delivers => LinkState::Standby,
        Some(since) => {
            let (yellow_us, red_us) = cell_limits(facts, limits);
            by(now.since_us(since), yellow_us, red_us)
        }
        None => LinkState::None,
    };
    Links { wifi, cell }
}

/// The ways that a machine is expected by now: not one that is on standby, and not drops while its reader
/// takes none.
pub fn expected(facts: &MachineFacts, limits: &StatusLimits, now: Micros) -> Vec<WayNow> {
    let wifi = facts.last_wifi.map(|last| WayNow {
        way: Way::Wifi,
        last,
        late_us: limits.wifi_yellow_us,
        lost_us: limits.wifi_red_us,
    });
    let is_due = !matches!(
        links(facts, limits, now).cell,
        LinkState::None | LinkState::Standby | LinkState::Failing
    ) && !has_given_up(facts);
    let (late_us, lost_us) = cell_limits(facts, limits);
    let cell = cell_since(facts).filter(|_| is_due).map(|last| WayNow {
        way: Way::Cell,
        last,
        late_us,
        lost_us,
    });
    wifi.into_iter().chain(cell).collect()
}

/// How often drops are due, microseconds, where the machine says it.
pub fn cell_interval_us(facts: &MachineFacts) -> Option<i64> {
    let interval_s = said(facts)?.send_interval_s?;
    Some(i64::from(interval_s) * SECOND_US)
}

/// The machine said, while it could, that its reader takes no drops; one that came since proves it wrong.
pub(super) fn has_given_up(facts: &MachineFacts) -> bool {
    failing(facts).is_some() && facts.last_cell < facts.last_wifi
}

/// Since when drops are due. Until WiFi fell silent one a day was enough: its silence counts from
/// then. `None` for a machine without the cellular way.
pub(super) fn cell_since(facts: &MachineFacts) -> Option<Micros> {
    match (facts.last_cell, facts.last_wifi) {
        (Some(cell), Some(wifi)) => Some(cell.max(wifi)),
        (Some(cell), None) => Some(cell),
        (None, wifi) => said(facts).and(wifi),
    }
}

/// When silence by cell is yellow and red, by the agent's own interval where it is known: one drop
/// missed and 30 minutes, two and an hour. The settings are those of the default, an hour.
pub(super) fn cell_limits(facts: &MachineFacts, limits: &StatusLimits) -> (i64, i64) {
    let longer_us = cell_interval_us(facts).map_or(0, |us| us - HOUR_US);
    // With an interval of seconds the half hour and the hour beside it are what is left.
    let by = |limit_us: i64, missed: i64| (limit_us + missed * longer_us).max(limit_us / 3);
    (by(limits.cell_yellow_us, 1), by(limits.cell_red_us, 2))
}

/// What the machine says of a reader that takes no drops.
pub(super) fn failing(facts: &MachineFacts) -> Option<&CellHealth> {
    said(facts).filter(|cell| cell.state == "failing")
}

fn said(facts: &MachineFacts) -> Option<&CellHealth> {
    let (_, beat) = facts.heartbeat.as_ref()?;
    beat.cell.as_ref()
}
