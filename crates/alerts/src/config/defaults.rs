//! The rules of a new installation: the product requirements' two tables and three example rules, and
//! what the real vending application needs beside them. All of them can be edited.

use std::collections::BTreeMap;

use wire::Level;

use super::AlertConfig;
use super::condition::{Condition, Side, SplitBy, Way};
use super::filter::{Filter, Scope};
use super::people::Group;
use super::rule::{Deliver, Rule, Severity, Tell};

/// The group that the ready rules tell.
pub const OPS: &str = "ops";

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The configuration of a new installation; the group has nobody in it yet.
pub fn config() -> AlertConfig {
    AlertConfig {
        rules: rules(),
        groups: vec![Group {
            id: OPS.to_owned(),
            name: "Operations".to_owned(),
            people: Vec::new(),
        }],
        ..AlertConfig::default()
    }
}

/// The ready rules.
pub fn rules() -> Vec<Rule> {
    let mut rules = critical();
    rules.extend(batched());
    rules.extend(application());
    rules
}

/// "Critical Alerts (Immediate)" of the requirements.
fn critical() -> Vec<Rule> {
    vec![
        Rule {
            until_acknowledged: true,
            repeat_s: 30 * MINUTE,
            tell: tell(&["sms", "email"]),
            ..rule(
                "hardware-failure",
                "Hardware Failure",
                Severity::Critical,
                Condition::Entries {
                    filter: level(Level::Critical),
                    count: 1,
                    within_s: 0,
                    split_by: SplitBy::Component,
                },
            )
        },
        Rule {
            deliver: Deliver::Within { s: MINUTE },
            repeat_s: 30 * MINUTE,
            tell: tell(&["sms", "email"]),
            clear_s: 15 * MINUTE,
            ..rule(
                "payment-system-down",
                "Payment System Down",
                Severity::Critical,
                many(payment_errors(), 10, 5 * MINUTE),
            )
        },
        Rule {
            for_s: 5 * MINUTE,
            deliver: Deliver::Within { s: MINUTE },
            repeat_s: 30 * MINUTE,
            tell: tell(&["sms", "email"]),
            ..rule(
                "payment-system-down-reader",
                "Payment System Down",
                Severity::Critical,
                reader_silent(),
            )
        },
        Rule {
            deliver: Deliver::Within { s: 5 * MINUTE },
            cooldown_s: 15 * MINUTE,
            tell: tell(&["sms"]),
            tell_end: true,
            ..rule(
                "machine-offline",
                "Machine Offline",
                Severity::Warning,
                Condition::Silence {
                    path: Way::Any,
                    wifi_s: 30 * MINUTE,
                    cell_s: None,
                },
            )
        },
        Rule {
            until_acknowledged: true,
            repeat_s: 10 * MINUTE,
            tell: tell(&["sms", "email", "voice"]),
            ..rule(
                "security-breach",
                "Security Breach",
                Severity::Critical,
                any(event("tamper")),
            )
        },
    ]
}

/// "Warning Alerts (Batched)" of the requirements, and the second of its three example rules.
fn batched() -> Vec<Rule> {
    vec![
        Rule {
            deliver: Deliver::Within { s: 5 * MINUTE },
            clear_s: 20 * MINUTE,
            cooldown_s: 30 * MINUTE,
            tell: tell(&["email"]),
            ..rule(
                "payment-failures",
                "Multiple Payment Failures",
                Severity::Warning,
                many(payment_errors(), 5, 10 * MINUTE),
            )
        },
        Rule {
            deliver: Deliver::Daily,
            tell: tell(&["email"]),
            ..rule(
                "low-inventory",
                "Low Inventory",
                Severity::Warning,
                Condition::Value {
                    filter: event("inventory"),
                    field: "remaining".to_owned(),
                    side: Side::Below,
                    limit: 20.0,
                    of: Some("product".to_owned()),
                    limits: BTreeMap::new(),
                },
            )
        },
        Rule {
            deliver: Deliver::Hourly,
            clear_s: HOUR,
            tell: tell(&["email"]),
            ..rule(
                "elevated-errors",
                "Elevated Errors",
                Severity::Warning,
                many(level(Level::Error), 5, HOUR),
            )
        },
        Rule {
            deliver: Deliver::Daily,
            tell: tell(&["email"]),
            ..rule(
                "connectivity-issues",
                "Connectivity Issues",
                Severity::Warning,
                Condition::Flapping {
                    path: Way::Any,
                    changes: 4,
                    within_s: DAY,
                },
            )
        },
    ]
}

/// What the real application needs.
fn application() -> Vec<Rule> {
    vec![
        Rule {
            cooldown_s: 30 * MINUTE,
            for_s: MINUTE,
            tell: tell(&["email"]),
            ..rule(
                "reader-silent",
                "Reader Silent",
                Severity::Warning,
                reader_silent(),
            )
        },
        Rule {
            deliver: Deliver::Within { s: 5 * MINUTE },
            cooldown_s: HOUR,
            clear_s: 30 * MINUTE,
            tell: tell(&["email"]),
            ..rule(
                "cell-link-down",
                "Cell Link Down",
                Severity::Warning,
                many(component("eport-link", Level::Error), 3, 30 * MINUTE),
            )
        },
        Rule {
            until_acknowledged: true,
            repeat_s: HOUR,
            tell: tell(&["sms", "email"]),
            ..rule(
                "lost-money",
                "Lost Money",
                Severity::Critical,
                any(event("lost_payment")),
            )
        },
        Rule {
            clear_s: 15 * MINUTE,
            repeat_s: HOUR,
            tell: tell(&["sms", "email"]),
            ..rule(
                "crash-loop",
                "Crash Loop",
                Severity::Critical,
                many(component("app", Level::Critical), 3, 5 * MINUTE),
            )
        },
        Rule {
            deliver: Deliver::Daily,
            clear_s: DAY,
            tell: tell(&["email"]),
            ..rule(
                "missing-entries",
                "Missing Entries",
                Severity::Info,
                Condition::Gap { missing: 1 },
            )
        },
        Rule {
            deliver: Deliver::Daily,
            tell: tell(&["email"]),
            ..rule(
                "data-budget",
                "Data Budget",
                Severity::Warning,
                Condition::Budget { share: 0.8 },
            )
        },
        Rule {
            enabled: false,
            deliver: Deliver::Within { s: 15 * MINUTE },
            cooldown_s: 4 * HOUR,
            tell: tell(&["email"]),
            ..rule(
                "no-sale",
                "No Sale",
                Severity::Warning,
                Condition::None {
                    filter: event("sale"),
                    open_hours: 8.0,
                },
            )
        },
    ]
}

fn rule(id: &str, name: &str, severity: Severity, when: Condition) -> Rule {
    Rule {
        id: id.to_owned(),
        name: name.to_owned(),
        enabled: true,
        severity,
        when,
        scope: Scope::default(),
        for_s: 0,
        deliver: Deliver::AtOnce,
        tell: Vec::new(),
        escalate: Vec::new(),
        repeat_s: 0,
        cooldown_s: 0,
        clear_s: HOUR,
        until_acknowledged: false,
        tell_end: false,
    }
}

fn tell(by: &[&str]) -> Vec<Tell> {
    vec![Tell {
        who: format!("group:{OPS}"),
        by: by.iter().map(|&channel| channel.to_owned()).collect(),
    }]
}

fn any(filter: Filter) -> Condition {
    many(filter, 1, 0)
}

fn many(filter: Filter, count: usize, within_s: i64) -> Condition {
    Condition::Entries {
        filter,
        count,
        within_s,
        split_by: SplitBy::Machine,
    }
}

fn level(level: Level) -> Filter {
    Filter {
        level: Some(level),
        ..Filter::default()
    }
}

fn component(name: &str, level: Level) -> Filter {
    Filter {
        level: Some(level),
        components: vec![name.to_owned()],
        ..Filter::default()
    }
}

/// What the requirements call payment errors: the application says them of three components.
fn payment_errors() -> Filter {
    Filter {
        level: Some(Level::Error),
        components: ["payment", "eport-link", "reader"]
            .map(str::to_owned)
            .to_vec(),
        ..Filter::default()
    }
}

fn event(name: &str) -> Filter {
    Filter {
        context: BTreeMap::from([("event".to_owned(), name.to_owned())]),
        ..Filter::default()
    }
}

/// The pack makes an ERROR of a silence that has lasted for 30 s; any other status line ends it. By cell
/// those lines do not come: there a sale or a payment's line ends it too.
fn reader_silent() -> Condition {
    Condition::Stays {
        begins: component("reader", Level::Error),
        ends: Filter {
            components: ["eport", "payment", "eport-link"]
                .map(str::to_owned)
                .to_vec(),
            pattern: Some(
                r"^\[STATUS-[0-9]\]|^Transaction complete|^Authorization requested".to_owned(),
            ),
            ..Filter::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::check;

    #[test]
    fn the_ready_rules_are_good_and_stand_the_way_through_json() {
        let config = config();
        assert_eq!(check(&config, &[]), Vec::new());
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<AlertConfig>(&json).unwrap(), config);
    }
}
