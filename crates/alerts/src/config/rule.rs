//! A rule: when it holds, how grave that is, and how and whom to tell.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::filter::Scope;

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Names it for ever; alerts and states refer to it.
    pub id: String,
    /// What its alerts are called: the issue type of every message.
    pub name: String,
    /// Whether it is judged.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How grave its alerts are.
    pub severity: Severity,
    /// When it holds.
    pub when: Condition,
    /// Of which machines.
    #[serde(default)]
    pub scope: Scope,
    /// Seconds that the condition must hold before the alert fires.
    #[serde(default)]
    pub for_s: i64,
    /// How soon people are told.
    #[serde(default)]
    pub deliver: Deliver,
    /// Who is told and by what.
    #[serde(default)]
    pub tell: Vec<Tell>,
    /// Whom to tell when nobody acknowledges, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<Escalation>,
    /// Seconds after which those told are told again while nobody acknowledged; 0 is never.
    #[serde(default)]
    pub repeat_s: i64,
    /// Seconds after the end of an alert in which a new one of the same machine is not told of, unless
    /// it is critical.
    #[serde(default)]
    pub cooldown_s: i64,
    /// Seconds without another sign of it after which an alert that has no end of its own ends.
    #[serde(default = "an_hour")]
    pub clear_s: i64,
    /// An alert that has no end of its own does not end before somebody acknowledged it.
    #[serde(default)]
    pub until_acknowledged: bool,
    /// Whether the end is told too.
    #[serde(default)]
    pub tell_end: bool,
}

/// How grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    Info,
    /// To look at in the day.
    Warning,
    /// To act on now: its first message waits for nothing.
    Critical,
}

/// How soon people are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deliver {
    /// At once.
    #[default]
    AtOnce,
    /// Within so many seconds: part of them may be used to see whether many machines fail together.
    Within {
        /// Seconds.
        s: i64,
    },
    /// In the digest of the hour.
    Hourly,
    /// In the digest of the day.
    Daily,
}

/// Who is told, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tell {
    /// `person:<id>`, `group:<id>` or `owner` (of the machine).
    pub who: String,
    /// Ids of channels: `email`, `sms`, `voice`, or the name of a webhook. All of them are used.
    pub by: Vec<String>,
}

/// Whom to tell when nobody acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Seconds after the alert began to fire.
    pub after_s: i64,
    /// Whom.
    pub tell: Vec<Tell>,
}

impl Severity {
    /// As it stands in messages and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

fn yes() -> bool {
    true
}

fn an_hour() -> i64 {
    3_600
}
