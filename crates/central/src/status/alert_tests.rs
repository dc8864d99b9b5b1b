//! How open alerts colour a machine.

use alerts::config::rule::Severity;
use alerts::life::{Acknowledged, AlertKind, Phase};
use store::MachineFacts;

use super::tests::{before, facts, judged};
use super::*;

fn alert(id: u64, severity: Severity, by: Option<&str>) -> alerts::Alert {
    let since = before(12).unwrap();
    alerts::Alert {
        id,
        rule: "hardware-failure".into(),
        issue: "Hardware Failure".into(),
        severity,
        kind: AlertKind::Machine,
        machines: vec!["VM001".parse().unwrap()],
        part: "motor".into(),
        log_id: None,
        phase: by.map_or(Phase::Firing, |_| Phase::Acknowledged),
        since,
        raised_at: since,
        fired_at: Some(since),
        last_at: since,
        count: 1,
        facts: "motor: Motor 3 is stuck".into(),
        is_late: false,
        cools_until: None,
        acknowledged: by.map(|by| Acknowledged {
            by: by.into(),
            note: String::new(),
            at: since,
        }),
        silenced_until: None,
        resolved: None,
        group: None,
        planned: Vec::new(),
        change: 0,
        told: 0,
    }
}

fn verdict(alerts: Vec<alerts::Alert>, last_hour: [u64; 5]) -> (Color, State, String) {
    let found = judged(&MachineFacts {
        alerts,
        last_hour,
        ..facts()
    });
    (found.color, found.state, found.reason)
}

#[test]
fn a_critical_alert_is_red_until_somebody_takes_it_and_yellow_until_it_ends() {
    let motor = "Hardware Failure 12 min ago: motor: Motor 3 is stuck.";
    assert_eq!(
        verdict(vec![alert(1, Severity::Critical, None)], [0, 0, 0, 0, 1]),
        (
            Color::Red,
            State::Error,
            format!("{motor} Nobody has acknowledged it.")
        )
    );
    assert_eq!(
        verdict(
            vec![alert(1, Severity::Critical, Some("Ann"))],
            [0, 0, 0, 0, 1]
        ),
        (
            Color::Yellow,
            State::Online,
            format!("{motor} Acknowledged by Ann.")
        )
    );
}

#[test]
fn one_that_nobody_took_counts_before_others() {
    let both = vec![
        alert(1, Severity::Critical, None),
        alert(2, Severity::Critical, Some("Ann")),
    ];
    let (color, _, reason) = verdict(both, [0; 5]);
    assert_eq!(color, Color::Red);
    assert!(
        reason.ends_with("Nobody has acknowledged it. 1 critical alert more."),
        "{reason}"
    );
}

#[test]
fn ten_errors_are_red_also_when_the_alert_is_taken_and_a_warning_alert_is_not_red() {
    let taken = vec![alert(1, Severity::Critical, Some("Ann"))];
    let (color, _, reason) = verdict(taken, [0, 0, 0, 10, 0]);
    assert_eq!(color, Color::Red);
    assert!(
        reason.starts_with("10 errors in the last hour.") && reason.contains("Ann"),
        "{reason}"
    );
    let warning = vec![alert(1, Severity::Warning, None)];
    assert_eq!(verdict(warning, [0; 5]).0, Color::Green);
}
