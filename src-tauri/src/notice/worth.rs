//! Whether an alert is worth a notification. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

/// Alerts that are remembered as told; older ones do not begin to fire.
const REMEMBERED: usize = 10_000;

/// An alert as the API answers it, as far as a notification needs it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct View {
    pub id: u64,
    pub alert_type: String,
    pub rule_id: String,
    pub severity: String,
    pub phase: String,
    pub kind: String,
    #[serde(default)]
    pub machines: Vec<Machine>,
    pub since: String,
    #[serde(default)]
    pub facts: String,
    #[serde(default)]
    pub is_late: bool,
    /// The alert of many that speaks for it.
    pub group: Option<u64>,
    pub silenced_until: Option<String>,
    #[serde(default)]
    pub in_maintenance: bool,
    /// Its rule, when there still is one.
    #[serde(skip)]
    pub rule: Option<Value>,
}

/// A machine of an alert.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Machine {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub site: String,
}

/// A critical alert always is; a warning when its rule tells people soon, and not by a digest. One that
/// another speaks for, or that somebody wants to hear nothing of, is not.
pub fn is_told(view: &View, rule: Option<&Value>) -> bool {
    let is_critical = view.severity == "critical";
    let is_wanted = view.silenced_until.is_none() && !view.in_maintenance;
    let how = rule.and_then(|rule| rule["deliver"]["how"].as_str());
    let is_soon = !matches!(how, Some("hourly" | "daily"));
    let speaks_for_itself = is_critical || view.group.is_none();
    // The members of a critical group have told themselves.
    let is_news = !(is_critical && view.kind == "group");
    view.phase == "firing" && is_wanted && speaks_for_itself && is_news && (is_critical || is_soon)
}

/// Which alerts were told.
#[derive(Debug, Default)]
pub struct Told(BTreeSet<u64>);

impl Told {
    /// Whether this one was.
    pub fn has(&self, alert: u64) -> bool {
        self.0.contains(&alert)
    }

    /// Remembers it.
    pub fn add(&mut self, alert: u64) {
        self.0.insert(alert);
        while self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(severity: &str) -> View {
        View {
            severity: severity.to_owned(),
            phase: "firing".to_owned(),
            kind: "machine".to_owned(),
            ..View::default()
        }
    }

    #[test]
    fn a_warning_that_stands_in_a_digest_is_not_told_and_a_critical_always_is() {
        let rule = |how: &str| json!({"deliver": {"how": how}});
        for (how, warning) in [("at_once", true), ("within", true), ("hourly", false)] {
            assert_eq!(
                is_told(&view("warning"), Some(&rule(how))),
                warning,
                "{how}"
            );
            assert!(is_told(&view("critical"), Some(&rule(how))), "{how}");
        }
    }

    #[test]
    fn what_another_speaks_for_or_nobody_wants_to_hear_of_is_not_told() {
        let changed = |severity: &str, change: &dyn Fn(&mut View)| {
            let mut view = view(severity);
            change(&mut view);
            is_told(&view, None)
        };
        assert!(!changed("warning", &|view| view.group = Some(3)));
        assert!(changed("critical", &|view| view.group = Some(3)));
        assert!(!changed("critical", &|view| view.kind = "group".into()));
        assert!(!changed("critical", &|view| view.in_maintenance = true));
        assert!(!changed("critical", &|view| view.silenced_until = Some("x".into())));
        assert!(!changed("critical", &|view| view.phase = "acknowledged".into()));
    }

    #[test]
    fn what_was_told_is_remembered_within_bounds() {
        let mut told = Told::default();
        (0..20_000).for_each(|alert| told.add(alert));
        assert!(told.has(19_999) && !told.has(1));
        assert_eq!(told.0.len(), REMEMBERED);
    }
}
