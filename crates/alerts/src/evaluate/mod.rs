//! Whether a rule holds for one subject (a machine, or a part of it). Pure: what was, what came and
//! what time it is go in; what is now and what was found come out. One file a kind of rule.

mod budget;
mod entries;
mod flapping;
mod gap;
mod none;
pub(crate) mod silence;
mod stays;
mod value;
mod words;

use serde::{Deserialize, Serialize};
use wire::Micros;
use wire::time::DAY_US;

use crate::config::condition::{Condition, SplitBy, Way};
use crate::config::filter::{Filter, Matcher};
use crate::config::rule::{Rule, Severity};
use crate::input::{EntryFacts, MachineNow};

pub use words::duration;

/// What is critical and older than this is history.
const CRITICAL_NEWS_US: i64 = DAY_US;

/// A rule made ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The rule as it was written.
    pub rule: Rule,
    /// Its filter, or what begins it.
    pub filter: Option<Matcher>,
    /// What ends it.
    pub ends: Option<Matcher>,
}

/// What is remembered of a rule and a subject between inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleState {
    /// Times of what counts, sorted: events of entries, arrivals of changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<Micros>,
    /// How many more there were that are not kept.
    pub more: u64,
    /// It holds, since this time (of the first event, or of the moment it became true).
    pub holds: Option<Micros>,
    /// When the last sign of it arrived.
    pub last_sign: Option<Micros>,
    /// The newest event that began it, or the newest of its kind.
    pub began: Option<Micros>,
    /// The newest event that ended it.
    pub ended: Option<Micros>,
    /// The last number seen.
    pub number: Option<f64>,
    /// The last contact seen; not kept beyond a restart, when nobody was looking.
    #[serde(skip)]
    pub contact: Option<Micros>,
}

/// What comes in.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// An entry that was stored for the first time.
    Entry {
        /// The entry.
        entry: &'a EntryFacts<'a>,
        /// It came later than it may.
        is_late: bool,
    },
    /// Time passed.
    Tick {
        /// What is known of the machine now.
        machine: &'a MachineNow,
        /// Silence before this is not the machine's.
        listening: &'a Listening,
    },
}

/// Since when each way has been listened to without a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// WiFi.
    pub wifi: Micros,
    /// Drops.
    pub cell: Micros,
}

impl Listening {
    /// All of it begins now.
    pub fn from(now: Micros) -> Listening {
        Listening {
            wifi: now,
            cell: now,
        }
    }

    /// That of a way.
    pub fn of(&self, way: Way) -> Micros {
        match way {
            Way::Wifi => self.wifi,
            Way::Cell => self.cell,
            Way::Any => self.wifi.max(self.cell),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// It holds. Told with each new sign of it, and each tick where it is a matter of state.
    Holds {
        /// Since when: of the first event that counts.
        since: Micros,
        /// How many signs of it there were.
        count: u64,
        /// What, in words with its numbers.
        words: String,
        /// The entry that says so, where one does.
        log_id: Option<String>,
        /// It is known only from what came late.
        is_late: bool,
        /// A new sign, not only the old state.
        is_sign: bool,
    },
    /// It no longer holds.
    Clear,
}

impl Ready {
    /// Makes a rule ready.
    ///
    /// # Errors
    /// A filter of it cannot be used; the words say why.
    pub fn new(rule: Rule) -> Result<Ready, String> {
        let (filter, ends) = match &rule.when {
            Condition::Entries { filter, .. }
            | Condition::Value { filter, .. }
            | Condition::None { filter, .. } => (Some(filter), None),
            Condition::Stays { begins, ends } => (Some(begins), Some(ends)),
            Condition::Silence { .. }
            | Condition::Flapping { .. }
            | Condition::Gap { .. }
            | Condition::Budget { .. } => (None, None),
        };
        let (filter, ends) = (
            filter.map(Matcher::new).transpose()?,
            ends.map(Matcher::new).transpose()?,
        );
        Ok(Ready { rule, filter, ends })
    }

    /// Whether an entry says anything to this rule.
    pub fn hears(&self, entry: &EntryFacts<'_>) -> bool {
        self.filter.as_ref().is_some_and(|f| f.matches(entry))
            || self.ends.as_ref().is_some_and(|f| f.matches(entry))
    }

    /// What the entry is about beside its machine: a component, a sentence, a product; or nothing.
    pub fn part(&self, entry: &EntryFacts<'_>) -> String {
        match &self.rule.when {
            Condition::Entries { split_by, .. } => match split_by {
                SplitBy::Machine => String::new(),
                SplitBy::Component => entry.component.to_owned(),
                SplitBy::Template => entry.template.to_owned(),
            },
            Condition::Value { of: Some(of), .. } => match entry.context.get(of) {
                Some(serde_json::Value::String(name)) => name.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            },
            _ => String::new(),
        }
    }

    /// Whether it asks for sentences without their parameters.
    pub fn wants_templates(&self) -> bool {
        let by_template = |filter: &Filter| filter.template.is_some();
        match &self.rule.when {
            Condition::Entries {
                filter, split_by, ..
            } => by_template(filter) || *split_by == SplitBy::Template,
            Condition::Value { filter, .. } | Condition::None { filter, .. } => by_template(filter),
            Condition::Stays { begins, ends } => by_template(begins) || by_template(ends),
            _ => false,
        }
    }

    /// Whether time alone may change what is found of a machine that nothing is remembered of.
    pub fn watches(&self) -> bool {
        matches!(
            self.rule.when,
            Condition::Silence { .. }
                | Condition::Flapping { .. }
                | Condition::Gap { .. }
                | Condition::Budget { .. }
                | Condition::None { .. }
        )
    }
}

/// Judges a rule for one subject. `None` says that nothing changed.
pub fn evaluate(
    ready: &Ready,
    state: &mut RuleState,
    input: Input<'_>,
    part: &str,
    now: Micros,
) -> Option<Finding> {
    let rule = &ready.rule;
    match (&rule.when, input) {
        (Condition::Entries { .. }, input) => entries::judge(ready, state, input, now),
        (Condition::Stays { .. }, input) => stays::judge(ready, state, input, now),
        (Condition::Value { .. }, Input::Entry { entry, is_late }) => {
            value::judge(ready, state, entry, is_late, part)
        }
        (Condition::Value { .. }, Input::Tick { .. }) => None,
        (Condition::None { .. }, input) => none::judge(ready, state, input, now),
        (Condition::Silence { .. }, Input::Tick { machine, listening }) => {
            silence::judge(rule, state, machine, listening, now)
        }
        (Condition::Flapping { .. }, Input::Tick { machine, listening }) => {
            flapping::judge(rule, state, machine, listening, now)
        }
        (Condition::Gap { .. }, Input::Tick { machine, .. }) => {
            gap::judge(rule, state, machine, now)
        }
        (Condition::Budget { .. }, Input::Tick { machine, .. }) => {
            budget::judge(rule, state, machine, now)
        }
        (_, Input::Entry { .. }) => None,
    }
}

/// Whether a rule that is about something that lasts takes a beginning that came late: only a critical one,
/// of something that began in the last day.
fn takes_late(rule: &Rule, entry: &EntryFacts<'_>) -> bool {
    rule.severity == Severity::Critical && entry.arrival.since_us(entry.event) < CRITICAL_NEWS_US
}

/// The id of the entry, where it has one.
fn log_id(entry: &EntryFacts<'_>) -> Option<String> {
    Some((entry.id)()).filter(|id| !id.is_empty())
}

/// `Clear` when it held and there was no sign of it for long enough.
fn faded(rule: &Rule, state: &mut RuleState, at_least_s: i64, now: Micros) -> Option<Finding> {
    let last = state.last_sign?;
    state.holds?;
    let quiet_us = rule.clear_s.max(at_least_s).saturating_mul(1_000_000);
    (now.since_us(last) > quiet_us).then_some(Finding::Clear)
}
