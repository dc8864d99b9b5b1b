//! What is wrong with a configuration, all of it at once, each with where it stands and what to do.

use std::collections::HashSet;

use jiff::tz::TimeZone;

use super::AlertConfig;
use super::condition::Condition;
use super::rule::{Rule, Tell};
use crate::evaluate::Ready;

/// More rules than anybody can oversee; each entry is held against all of them.
const RULES_MAX: usize = 500;
/// Times in a rule are at most this, seconds: what is kept for windows stays bounded.
const TIME_MAX_S: i64 = 31 * 86_400;
/// Entries that a rule may wait for.
const COUNT_MAX: usize = 10_000;

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where: `rules[3] "Hardware Failure"`, `people[0]`.
    pub place: String,
    /// What, and what to do.
    pub words: String,
}

/// Everything that is wrong with it. `channels` are the ids of the channels that there are; empty when
/// that is not known.
pub fn check(config: &AlertConfig, channels: &[String]) -> Vec<Wrong> {
    let mut found = Found(Vec::new());
    if config.rules.len() > RULES_MAX {
        found.add("rules", format!("at most {RULES_MAX} rules can be used"));
    }
    found.unique("rules", config.rules.iter().map(|rule| &rule.id));
    found.unique("people", config.people.iter().map(|person| &person.id));
    found.unique("groups", config.groups.iter().map(|group| &group.id));
    found.unique("maintenance", config.maintenance.iter().map(|m| &m.id));
    for (n, rule) in config.rules.iter().enumerate() {
        let place = format!("rules[{n}] {:?}", rule.name);
        check_rule(&mut found, &place, rule);
        let steps = rule.escalate.iter().flat_map(|step| &step.tell);
        for tell in rule.tell.iter().chain(steps) {
            check_tell(&mut found, &place, config, tell, channels);
        }
    }
    for (n, person) in config.people.iter().enumerate() {
        let place = format!("people[{n}] {:?}", person.name);
        if !person.timezone.is_empty() && TimeZone::get(&person.timezone).is_err() {
            let zone = &person.timezone;
            found.add(
                &place,
                format!("{zone:?} is no time zone; write it as \"Europe/Berlin\""),
            );
        }
        for address in &person.addresses {
            let is_known = channels.is_empty() || channels.contains(&address.channel);
            if !is_known {
                let channel = &address.channel;
                found.add(
                    &place,
                    format!("there is no channel {channel:?}; add it first"),
                );
            }
        }
    }
    for (n, group) in config.groups.iter().enumerate() {
        for id in &group.people {
            if !config.people.iter().any(|person| person.id == *id) {
                found.add(
                    &format!("groups[{n}]"),
                    format!("there is nobody called {id:?}"),
                );
            }
        }
    }
    for (n, window) in config.maintenance.iter().enumerate() {
        if window.until <= window.from {
            found.add(
                &format!("maintenance[{n}]"),
                "it ends before it begins".to_owned(),
            );
        }
    }
    if config.group_at < 2 {
        found.add("group_at", "a group has at least 2 machines".to_owned());
    }
    if config.daily_digest_minute >= 24 * 60 {
        found.add(
            "daily_digest_minute",
            "a day has 1440 minutes, from 0".to_owned(),
        );
    }
    found.0
}

fn check_rule(found: &mut Found, place: &str, rule: &Rule) {
    if rule.id.trim().is_empty() || rule.name.trim().is_empty() {
        found.add(place, "a rule needs an id and a name".to_owned());
    }
    if let Err(words) = Ready::new(rule.clone()) {
        found.add(place, words);
    }
    let mut times = vec![rule.for_s, rule.repeat_s, rule.cooldown_s, rule.clear_s];
    times.extend(rule.escalate.iter().map(|step| step.after_s));
    let mut counts = Vec::new();
    match &rule.when {
        Condition::Entries {
            count, within_s, ..
        } => {
            times.push(*within_s);
            counts.push(*count);
            if *count > 1 && *within_s == 0 {
                found.add(place, "say within how many seconds (within_s)".to_owned());
            }
        }
        Condition::Silence { wifi_s, cell_s, .. } => {
            times.extend([*wifi_s, cell_s.unwrap_or(0)]);
            if *wifi_s < 60 || cell_s.is_some_and(|s| s < 60) {
                found.add(place, "less than a minute is no silence".to_owned());
            }
        }
        Condition::Flapping {
            changes, within_s, ..
        } => {
            times.push(*within_s);
            counts.push(*changes);
        }
        Condition::Value { limit, limits, .. } => {
            if !limit.is_finite() || limits.values().any(|limit| !limit.is_finite()) {
                found.add(place, "a limit is a number".to_owned());
            }
        }
        Condition::Budget { share } => {
            if !(0.0..=10.0).contains(share) {
                found.add(place, "write 80 % as 0.8".to_owned());
            }
        }
        Condition::None { open_hours, .. } => {
            if !(0.0..=1_000.0).contains(open_hours) {
                found.add(place, "between 0 and 1000 hours".to_owned());
            }
        }
        Condition::Stays { .. } | Condition::Gap { .. } => {}
    }
    if times.iter().any(|time| !(0..=TIME_MAX_S).contains(time)) {
        found.add(place, "times are seconds, from 0 to 31 days".to_owned());
    }
    if counts.iter().any(|count| !(1..=COUNT_MAX).contains(count)) {
        found.add(place, format!("counts are from 1 to {COUNT_MAX}"));
    }
}

fn check_tell(
    found: &mut Found,
    place: &str,
    config: &AlertConfig,
    tell: &Tell,
    channels: &[String],
) {
    let is_known = match tell.who.split_once(':') {
        Some(("person", id)) => config.people.iter().any(|person| person.id == id),
        Some(("group", id)) => config.groups.iter().any(|group| group.id == id),
        _ => tell.who == "owner",
    };
    if !is_known {
        let who = &tell.who;
        let words = format!("{who:?} is nobody: write person:<id>, group:<id> or owner");
        found.add(place, words);
    }
    for channel in &tell.by {
        if !channels.is_empty() && !channels.contains(channel) {
            found.add(
                place,
                format!("there is no channel {channel:?}; add it first"),
            );
        }
    }
}

struct Found(Vec<Wrong>);

impl Found {
    fn add(&mut self, place: &str, words: String) {
        self.0.push(Wrong {
            place: place.to_owned(),
            words,
        });
    }

    fn unique<'a>(&mut self, place: &str, ids: impl Iterator<Item = &'a String>) {
        let mut seen = HashSet::new();
        for id in ids {
            if !seen.insert(id) {
                self.add(place, format!("the id {id:?} is there twice"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_wrong_is_said_at_once_with_its_place() {
        let config: AlertConfig = serde_json::from_value(json!({
            "rules": [
                {"id": "a", "name": "A", "severity": "warning",
                 "when": {"kind": "entries", "filter": {"pattern": "("}, "count": 5},
                 "tell": [{"who": "person:nobody", "by": ["fax"]}]},
                {"id": "a", "name": "B", "severity": "warning",
                 "when": {"kind": "silence", "wifi_s": 5}},
            ],
            "people": [{"id": "p", "name": "P", "timezone": "Mars/Base",
                        "addresses": [{"channel": "fax", "to": "1"}]}],
            "groups": [{"id": "g", "people": ["q"]}],
        }))
        .unwrap();
        let found = check(&config, &["email".to_owned()]);
        let words: Vec<String> = found
            .iter()
            .map(|w| format!("{}: {}", w.place, w.words))
            .collect();
        let expected = [
            "rules: the id \"a\" is there twice",
            "rules[0] \"A\": the pattern",
            "rules[0] \"A\": say within",
            "rules[0] \"A\": \"person:nobody\" is nobody",
            "rules[0] \"A\": there is no channel \"fax\"",
            "rules[1] \"B\": less than a minute",
            "people[0] \"P\": \"Mars/Base\" is no time zone",
            "people[0] \"P\": there is no channel \"fax\"",
            "groups[0]: there is nobody called \"q\"",
        ];
        for (found, expected) in words.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found} is not {expected}");
        }
        assert_eq!(words.len(), expected.len(), "{words:#?}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_name() {
        let wrong = serde_json::from_value::<AlertConfig>(json!({"rulez": []})).unwrap_err();
        assert!(wrong.to_string().contains("rulez"), "{wrong}");
    }
}
