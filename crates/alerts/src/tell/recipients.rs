//! Whom a rule means: people, groups and the owner of the machine, each by the channels named.

use crate::config::AlertConfig;
use crate::config::people::{Address, Person};
use crate::config::rule::Tell;
use crate::input::MachineNow;

/// Somebody, by a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The person's id.
    pub person: String,
    /// The channel's id.
    pub channel: String,
    /// The address there.
    pub to: String,
}

/// Everybody who is meant, each address once, in the order written. Somebody without an address for
/// any of the channels named is reached by their first one: better so than not at all.
pub fn targets(
    config: &AlertConfig,
    tell: &[Tell],
    machines: &[Option<&MachineNow>],
) -> Vec<Target> {
    let mut found: Vec<Target> = Vec::new();
    for tell in tell {
        for person in people(config, &tell.who, machines) {
            let named: Vec<&Address> = tell
                .by
                .iter()
                .flat_map(|channel| {
                    person
                        .addresses
                        .iter()
                        .filter(move |a| a.channel == *channel)
                })
                .collect();
            let addresses = if named.is_empty() {
                person.addresses.iter().take(1).collect()
            } else {
                named
            };
            for address in addresses {
                let target = Target {
                    person: person.id.clone(),
                    channel: address.channel.clone(),
                    to: address.to.clone(),
                };
                if !found.contains(&target) {
                    found.push(target);
                }
            }
        }
    }
    found
}

/// The address after those that were tried, for when a channel is broken.
pub fn next_address<'a>(
    config: &'a AlertConfig,
    person: &str,
    tried: &[String],
) -> Option<&'a Address> {
    let person = config.people.iter().find(|p| p.id == person)?;
    let is_new = |address: &&Address| !tried.contains(&address.channel);
    person.addresses.iter().find(is_new)
}

fn people<'a>(
    config: &'a AlertConfig,
    who: &str,
    machines: &[Option<&MachineNow>],
) -> Vec<&'a Person> {
    let by_id = |id: &str| config.people.iter().find(|person| person.id == id);
    if let Some(id) = who.strip_prefix("person:") {
        return by_id(id).into_iter().collect();
    }
    if let Some(id) = who.strip_prefix("group:") {
        let group = config.groups.iter().find(|group| group.id == id);
        return group
            .into_iter()
            .flat_map(|group| group.people.iter().filter_map(|id| by_id(id)))
            .collect();
    }
    let owners = machines.iter().flatten().map(|machine| &machine.owner);
    owners
        .filter(|owner| !owner.is_empty())
        .filter_map(|owner| {
            by_id(owner).or_else(|| config.people.iter().find(|p| p.name == *owner))
        })
        .collect()
}
