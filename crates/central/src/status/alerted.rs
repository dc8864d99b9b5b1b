//! What open critical alerts say of a machine: red until somebody takes them, yellow until they end.

use alerts::config::rule::Severity;
use alerts::{Alert, Phase};
use store::MachineFacts;
use wire::Micros;

use super::verdict::Color;
use super::words::{ago, phrase};

/// Colour and words of the alert that matters most: one that nobody took before others, then the newest.
pub(super) fn words(facts: &MachineFacts, now: Micros) -> Option<(Color, String)> {
    let grave = |alert: &&Alert| alert.severity == Severity::Critical;
    let open = facts.alerts.iter().filter(grave);
    let open: Vec<&Alert> = open
        .filter(|alert| matches!(alert.phase, Phase::Firing | Phase::Acknowledged))
        .collect();
    let alert = open
        .iter()
        .max_by_key(|alert| (alert.phase == Phase::Firing, alert.since, alert.id))?;
    let what = format!(
        "{} {}: {}.",
        phrase(&alert.issue),
        ago(alert.since, now),
        phrase(&alert.facts)
    );
    let color = match alert.phase {
        Phase::Firing => Color::Red,
        _ => Color::Yellow,
    };
    let mut words = match (&alert.acknowledged, color) {
        (Some(taken), Color::Yellow) => format!("{what} Acknowledged by {}.", phrase(&taken.by)),
        _ => format!("{what} Nobody has acknowledged it."),
    };
    if open.len() > 1 {
        let more = super::words::count(open.len() as u64 - 1, "critical alert", "critical alerts");
        words.push_str(&format!(" {more} more."));
    }
    Some((color, words))
}
