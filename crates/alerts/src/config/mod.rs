//! What people configure: rules, who is told, when they want to be left alone. One document, kept and
//! exchanged as JSON; [`check`] says what is wrong with one before it is used.

pub mod check;
pub mod condition;
pub mod defaults;
pub mod filter;
pub mod hours;
pub mod people;
pub mod rule;

use serde::{Deserialize, Serialize};
use wire::{MachineId, Micros};

use people::{Group, Person};
use rule::Rule;

/// The whole configuration of alerts, without the channels' accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertConfig {
    /// The rules, in the order they are shown.
    pub rules: Vec<Rule>,
    /// Who can be told.
    pub people: Vec<Person>,
    /// Lists of people.
    pub groups: Vec<Group>,
    /// Times in which a machine is worked on and nobody is told.
    pub maintenance: Vec<Maintenance>,
    /// So many machines that fail the same rule within [`AlertConfig::group_within_s`] are one alert.
    pub group_at: usize,
    /// Seconds.
    pub group_within_s: i64,
    /// When the daily digest goes out, minutes after midnight in the reader's time zone.
    pub daily_digest_minute: u16,
}

impl Default for AlertConfig {
    fn default() -> AlertConfig {
        AlertConfig {
            rules: Vec::new(),
            people: Vec::new(),
            groups: Vec::new(),
            maintenance: Vec::new(),
            group_at: 5,
            group_within_s: 180,
            daily_digest_minute: 8 * 60,
        }
    }
}

/// A time in which nobody is told of a machine's alerts, because somebody is working on it. It ends by
/// itself; what still fires then is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Names it in the API.
    pub id: String,
    /// Which machines; none means all of them.
    #[serde(default)]
    pub machines: Vec<MachineId>,
    /// From when.
    pub from: Micros,
    /// Until when, not included.
    pub until: Micros,
    /// Who began it.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub note: String,
}

impl Maintenance {
    /// Whether it covers this machine now.
    pub fn covers(&self, machine: &MachineId, now: Micros) -> bool {
        self.from <= now
            && now < self.until
            && (self.machines.is_empty() || self.machines.contains(machine))
    }
}
