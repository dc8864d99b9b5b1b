//! Who can be told: people with their addresses and quiet hours, and groups of them.

use serde::{Deserialize, Serialize};

use super::hours::Week;

/// Somebody, or something like a chat room, that can be told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Names it for ever.
    pub id: String,
    /// As people call them. An owner of a machine is found by id or by this.
    pub name: String,
    /// Where they are reached, by channel; the order is the order of falling back.
    pub addresses: Vec<Address>,
    /// When only the first message of a critical alert may come; nothing set is never.
    pub quiet: Option<Week>,
    /// IANA name; empty is UTC. Times in messages and quiet hours are in it.
    pub timezone: String,
}

/// Where somebody is reached by a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The channel's id.
    pub channel: String,
    /// A mail address, a phone number in E.164, or nothing for a webhook that has its own.
    #[serde(default)]
    pub to: String,
}

/// A list of people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// Names it for ever.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// Ids of people.
    pub people: Vec<String>,
}
