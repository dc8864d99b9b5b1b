//! A message of the outbox as a channel takes it: with names, places, a link and a chart.

use std::collections::BTreeMap;

use alerts::config::rule::Severity;
use alerts::life::Why;
use alerts::{Item, Outgoing, Subject};
use store::Machine;
use vendlog_notify as notify;
use wire::time::HOUR_US;
use wire::{MachineId, Micros};

use super::channel::Channel;
use crate::app::ServerInfo;

/// Letters of the certificate's pin that name this server in the ids of messages and alerts, so that
/// two servers that report to one PagerDuty do not take each other's alerts for theirs.
const NAME_CHARS: usize = 12;
/// Bars of a chart, each an hour: two days.
const BARS_MOST: i64 = 48;

/// The message for a channel. `id` is that of the outbox's row: a repeat after a crash has the same.
pub fn message(
    id: u64,
    outgoing: &Outgoing,
    machines: &[Machine],
    server: &ServerInfo,
    channel: &Channel,
) -> notify::Message {
    let name = server_name(server);
    let kind = kind(outgoing.subject);
    notify::Message {
        id: format!("vendlog-{name}-m{id}"),
        kind,
        alert: outgoing.alert.map(|no| notify::AlertRef {
            id: format!("vendlog-{name}-a{no}"),
            no,
        }),
        severity: severity(outgoing.severity),
        issue: outgoing.issue.clone(),
        machines: outgoing
            .machines
            .iter()
            .map(|id| machine(id, machines))
            .collect(),
        at: outgoing.since,
        timezone: outgoing.timezone.clone(),
        facts: outgoing.facts.clone(),
        items: outgoing.items.iter().map(item).collect(),
        chart: matches!(kind, notify::Kind::Digest)
            .then(|| chart(outgoing))
            .flatten(),
        link: link(outgoing.alert, server),
        is_late: outgoing.is_late,
        template: channel.template.clone(),
    }
}

/// Where a message goes: the address as the channel's kind takes it.
///
/// # Errors
/// It is none of this kind; says what is expected.
pub fn address(channel: &notify::ChannelConfig, to: &str) -> Result<notify::Address, String> {
    match channel {
        notify::ChannelConfig::Email(_) => notify::Address::email(to),
        notify::ChannelConfig::Sms(_) | notify::ChannelConfig::Voice(_) => {
            notify::Address::phone(to)
        }
        notify::ChannelConfig::Webhook(_) => Ok(notify::Address::Endpoint),
    }
}

fn server_name(server: &ServerInfo) -> String {
    let pin = server.pin.as_deref().unwrap_or_default();
    let letters = pin.trim_start_matches("sha256/").chars();
    letters
        .filter(char::is_ascii_alphanumeric)
        .take(NAME_CHARS)
        .collect()
}

/// Opens the alert in the window's page; nothing where no browser reaches us.
fn link(alert: Option<u64>, server: &ServerInfo) -> Option<String> {
    let url = server.url.as_deref()?;
    Some(match alert {
        Some(id) => format!("{url}/alerts/{id}"),
        None => format!("{url}/alerts"),
    })
}

fn kind(subject: Subject) -> notify::Kind {
    match subject {
        Subject::Group(Why::First) => notify::Kind::Group,
        Subject::Alert(why) | Subject::Group(why) => match why {
            Why::First => notify::Kind::First,
            Why::Repeat(n) => notify::Kind::Repeat { n },
            Why::Escalation(step) => notify::Kind::Escalation { step },
            Why::Resolved => notify::Kind::Resolved,
            Why::Hourly | Why::Daily => notify::Kind::Digest,
        },
        Subject::HourlyDigest | Subject::DailyDigest => notify::Kind::Digest,
        Subject::LateEntries => notify::Kind::Late,
    }
}

fn severity(severity: Severity) -> notify::Severity {
    match severity {
        Severity::Info => notify::Severity::Info,
        Severity::Warning => notify::Severity::Warning,
        Severity::Critical => notify::Severity::Critical,
    }
}

/// The machine as people know it now; one that was removed has its id alone.
fn machine(id: &MachineId, machines: &[Machine]) -> notify::MachineRef {
    let known = machines.iter().find(|machine| machine.id == *id);
    notify::MachineRef {
        id: id.to_string(),
        name: known.map_or_else(String::new, |machine| machine.name.clone()),
        site: known.map_or_else(String::new, |machine| machine.site.clone()),
        location: known.map_or_else(String::new, |machine| machine.location.clone()),
    }
}

fn item(item: &Item) -> notify::Item {
    let over = if item.is_over { " (over)" } else { "" };
    notify::Item {
        machine: item.machine.to_string(),
        issue: item.issue.clone(),
        at: item.since,
        text: format!("{}{over}", item.facts),
        count: item.count,
    }
}

/// The signs of each hour, up to the hour of the digest.
fn chart(outgoing: &Outgoing) -> Option<notify::Chart> {
    let last = hour(outgoing.at);
    let first = outgoing.items.iter().map(|item| hour(item.since)).min()?;
    let first = first.clamp(last - BARS_MOST + 1, last);
    let mut counts: BTreeMap<i64, u64> = (first..=last).map(|hour| (hour, 0)).collect();
    for item in &outgoing.items {
        let count = counts
            .entry(hour(item.since).clamp(first, last))
            .or_default();
        *count = count.saturating_add(item.count);
    }
    let place = severity(outgoing.severity) as usize;
    let bars = counts.into_iter().map(|(hour, count)| {
        let mut counts = [0; 4];
        counts[place] = count;
        let at = Micros(hour.saturating_mul(HOUR_US));
        notify::Bar { at, counts }
    });
    Some(notify::Chart {
        title: "Signs an hour".to_owned(),
        bars: bars.collect(),
    })
}

fn hour(at: Micros) -> i64 {
    at.0.div_euclid(HOUR_US)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    const AT: Micros = Micros(1_800_000_000_000_000);

    pub(in crate::alerts::deliver) fn outgoing() -> Outgoing {
        Outgoing {
            alert: Some(12),
            change: 1,
            subject: Subject::Alert(Why::First),
            person: "ann".into(),
            channel: "email".into(),
            to: "ann@example.com".into(),
            timezone: "America/Los_Angeles".into(),
            at: AT,
            severity: Severity::Warning,
            issue: "Elevated Errors".into(),
            machines: vec!["VM001".parse().unwrap(), "VM002".parse().unwrap()],
            since: AT,
            facts: "7 errors".into(),
            is_late: false,
            items: Vec::new(),
        }
    }

    fn channel() -> Channel {
        let config = json!({"kind": "webhook", "url": "https://hooks.example/"});
        Channel {
            id: "hook".into(),
            enabled: true,
            limit_per_day: None,
            template: None,
            config: serde_json::from_value(config).unwrap(),
        }
    }

    fn lobby() -> Machine {
        Machine {
            id: "VM001".parse().unwrap(),
            name: "Lobby".into(),
            location: "2nd floor".into(),
            timezone: String::new(),
            site: "Main Street".into(),
            route: String::new(),
            tags: Vec::new(),
            owner: String::new(),
            opening_hours: String::new(),
            reader_serials: Vec::new(),
            created_at: AT,
        }
    }

    #[test]
    fn a_message_names_machines_as_people_know_them_and_links_to_its_alert() {
        let server = ServerInfo {
            url: Some("https://pc:4433".into()),
            pin: Some("sha256/ab+/cdefghijklmnop=".into()),
            listen_error: None,
        };
        let message = message(7, &outgoing(), &[lobby()], &server, &channel());
        assert_eq!(message.machines[0].name, "Lobby");
        assert_eq!(message.machines[0].site, "Main Street");
        assert_eq!(message.machines[1].id, "VM002", "removed, and named still");
        assert_eq!(message.link.as_deref(), Some("https://pc:4433/alerts/12"));
        assert_eq!(message.id, "vendlog-abcdefghijkl-m7");
        assert_eq!(message.alert.unwrap().id, "vendlog-abcdefghijkl-a12");
        assert!(message.chart.is_none());
    }

    #[test]
    fn a_digest_has_a_bar_for_every_hour_also_for_those_in_which_nothing_was() {
        let mut digest = outgoing();
        digest.subject = Subject::DailyDigest;
        let item = |hours: i64, count| Item {
            alert: None,
            machine: "VM001".parse().unwrap(),
            issue: "x".into(),
            since: AT.plus_us(-hours * HOUR_US),
            facts: String::new(),
            count,
            is_over: true,
        };
        digest.items = vec![item(5, 2), item(5, 1), item(0, 4)];
        let chart = chart(&digest).unwrap();
        let counts: Vec<u64> = chart.bars.iter().map(|bar| bar.counts[1]).collect();
        assert_eq!(counts, [3, 0, 0, 0, 0, 4]);
        digest.items.push(item(9_000, 1));
        assert_eq!(super::chart(&digest).unwrap().bars.len(), 48);
    }
}
