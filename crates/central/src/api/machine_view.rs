//! A machine as the API answers it: what is registered, what is known, what is thought of it.

use std::collections::BTreeSet;

use alerts::{Alert, Phase};
use serde::{Deserialize, Serialize};
use store::MachineFacts;
use utoipa::ToSchema;
use wire::{Heartbeat, Level, MachineId, Micros};

use crate::status::{Color, Judge, Links, State, judge, links};

/// One machine with its status.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MachineView {
    /// Its id.
    pub machine_id: MachineId,
    /// A name for people; empty when not given.
    pub name: String,
    /// Where it stands.
    pub location: String,
    /// IANA zone such as `America/Los_Angeles`.
    pub timezone: String,
    /// The customer site.
    pub site: String,
    /// The service route.
    pub route: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Who owns it.
    pub owner: String,
    /// Opening hours as the user wrote them.
    pub opening_hours: String,
    /// Serial numbers of its card readers.
    pub reader_serials: Vec<String>,
    /// When it was added.
    pub created_at: String,
    /// The colour.
    pub status: Color,
    /// The PRD's word beside it.
    pub state: State,
    /// Why, in words, with the numbers.
    pub reason: String,
    /// Its alerts that are not over.
    pub alerts: MachineAlerts,
    /// Last contact per path, by the server's clock.
    pub last_contact: LastContact,
    /// How each path is, by its own schedule.
    pub links: Links,
    /// Last heartbeat, by the server's clock.
    #[schema(required = true)]
    pub last_heartbeat: Option<String>,
    /// ERROR and CRITICAL entries of the last 60 minutes.
    pub errors_1h: u64,
    /// WARN entries of the last 60 minutes.
    pub warnings_1h: u64,
    /// ERROR and CRITICAL entries of the last 24 hours.
    pub errors_24h: u64,
    /// WARN entries of the last 24 hours.
    pub warnings_24h: u64,
    /// The PRD's name of `errors_1h`.
    pub error_count: u64,
    /// Counts of DEBUG, INFO, WARN, ERROR, CRITICAL for the last 24 whole hours, oldest first, the
    /// current hour last.
    pub hours: Vec<Vec<u64>>,
    /// Seconds since the machine booted, as its last heartbeat said.
    #[schema(required = true)]
    pub uptime_s: Option<u64>,
    /// Version of its agent.
    #[schema(required = true)]
    pub agent_version: Option<String>,
    /// The last heartbeat as it came.
    #[schema(required = true)]
    pub heartbeat: Option<Heartbeat>,
}

/// When a machine was last heard, per path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastContact {
    /// Batch or heartbeat over HTTPS.
    #[schema(required = true)]
    pub wifi: Option<String>,
    /// Drop through the card reader.
    #[schema(required = true)]
    pub cell: Option<String>,
}

/// How many alerts of a machine are not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MachineAlerts {
    /// Somebody has to look.
    pub firing: u64,
    /// Somebody does.
    pub acknowledged: u64,
    /// Who acknowledged, each once.
    pub acknowledged_by: Vec<String>,
}

impl MachineAlerts {
    fn new(alerts: &[Alert]) -> MachineAlerts {
        let in_phase = |phase| alerts.iter().filter(move |alert| alert.phase == phase);
        let who: BTreeSet<String> = in_phase(Phase::Acknowledged)
            .filter_map(|alert| alert.acknowledged.as_ref())
            .map(|taken| taken.by.clone())
            .collect();
        MachineAlerts {
            firing: in_phase(Phase::Firing).count() as u64,
            acknowledged: in_phase(Phase::Acknowledged).count() as u64,
            acknowledged_by: who.into_iter().collect(),
        }
    }
}

impl MachineView {
    /// The machine as these facts show it now.
    pub fn new(facts: MachineFacts, judged_by: &Judge, now: Micros) -> MachineView {
        let verdict = judge(&facts, &judged_by.limits, judged_by.listening_since(), now);
        let links = links(&facts, &judged_by.limits, now);
        let level = |counts: &[u64; 5], level: Level| counts[usize::from(level.as_u8())];
        let errors =
            |counts: &[u64; 5]| level(counts, Level::Error) + level(counts, Level::Critical);
        let time = |at: Option<Micros>| at.map(Micros::to_rfc3339);
        let machine = facts.machine;
        let (beat_at, beat) = facts.heartbeat.unzip();
        MachineView {
            machine_id: machine.id,
            name: machine.name,
            location: machine.location,
            timezone: machine.timezone,
            site: machine.site,
            route: machine.route,
            tags: machine.tags,
            owner: machine.owner,
            opening_hours: machine.opening_hours,
            reader_serials: machine.reader_serials,
            created_at: machine.created_at.to_rfc3339(),
            status: verdict.color,
            state: verdict.state,
            reason: verdict.reason,
            alerts: MachineAlerts::new(&facts.alerts),
            last_contact: LastContact {
                wifi: time(facts.last_wifi),
                cell: time(facts.last_cell),
            },
            links,
            last_heartbeat: time(beat_at),
            errors_1h: errors(&facts.last_hour),
            warnings_1h: level(&facts.last_hour, Level::Warn),
            errors_24h: errors(&facts.last_day),
            warnings_24h: level(&facts.last_day, Level::Warn),
            error_count: errors(&facts.last_hour),
            hours: facts.hours.iter().map(|hour| hour.to_vec()).collect(),
            uptime_s: beat.as_ref().and_then(|beat| beat.uptime_s),
            agent_version: beat.as_ref().and_then(|beat| beat.agent_version.clone()),
            heartbeat: beat,
        }
    }
}
