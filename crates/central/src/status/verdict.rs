//! The verdict itself.

use serde::{Deserialize, Serialize};
use store::MachineFacts;
use utoipa::ToSchema;
use wire::{CellHealth, Level, Micros};

use super::limits::StatusLimits;
use super::words::{ago, count, duration, phrase, quote};
use super::{alerted, health, links};

/// Green, yellow, red, or grey for a machine that was never heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// All is well.
    Green,
    /// Something to look at.
    Yellow,
    /// Something is wrong.
    Red,
    /// Never heard of.
    Grey,
}

/// The PRD's word beside the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In contact.
    Online,
    /// Silent beyond the limit on every path.
    Offline,
    /// Red while in contact.
    Error,
    /// Never heard of, or not heard of since we started to listen.
    Unknown,
}

/// What is thought of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The colour.
    pub color: Color,
    /// The PRD's word.
    pub state: State,
    /// Why, in words, with the numbers.
    pub reason: String,
}

/// How a machine is heard.
enum Contact {
    /// Never.
    Never,
    /// As it should.
    Good(String),
    /// One of its links is late or down.
    Late(String),
    /// Too long ago, but we have not listened long enough to judge.
    Waiting(String),
    /// Silent beyond the limit on every path.
    Lost(String),
}

/// Judges a machine. `listening_since` is when this process began to listen (its start, or the end
/// of the computer's sleep): silence before that is not the machine's.
pub fn judge(
    facts: &MachineFacts,
    limits: &StatusLimits,
    listening_since: Micros,
    now: Micros,
) -> Verdict {
    let contact = contact(facts, limits, listening_since, now);
    let (trouble, trouble_words) = trouble(facts, limits, now);
    let with = |mut words: String| {
        if let Some(more) = &trouble_words {
            words.push(' ');
            words.push_str(more);
        }
        words
    };
    let (color, state, reason) = match contact {
        Contact::Never => (
            Color::Grey,
            State::Unknown,
            "Never heard of. Start its agent with the agent.toml shown when it was added.".into(),
        ),
        Contact::Lost(words) => (Color::Red, State::Offline, with(words)),
        Contact::Waiting(words) => {
            let color = if trouble == Color::Red {
                Color::Red
            } else {
                Color::Yellow
            };
            (color, State::Unknown, with(words))
        }
        Contact::Late(_) | Contact::Good(_) if trouble == Color::Red => {
            let words = trouble_words.unwrap_or_default();
            let late = if let Contact::Late(late) = contact {
                format!(" {late}")
            } else {
                String::new()
            };
            (Color::Red, State::Error, words + &late)
        }
        Contact::Late(words) => (Color::Yellow, State::Online, with(words)),
        Contact::Good(words) => (trouble, State::Online, trouble_words.unwrap_or(words)),
    };
    Verdict {
        color,
        state,
        reason,
    }
}

/// Colour and words of what critical alerts, the entries of the last hour and the last heartbeat say.
fn trouble(facts: &MachineFacts, limits: &StatusLimits, now: Micros) -> (Color, Option<String>) {
    let (color, words) = match (alerted::words(facts, now), entries(facts, limits, now)) {
        (Some((color, words)), (by_entries, _)) if by_entries != Color::Red => (color, Some(words)),
        (Some((Color::Red, words)), _) => (Color::Red, Some(words)),
        // Acknowledged, and still too many errors: both are told.
        (Some((_, words)), (color, Some(more))) => (color, Some(format!("{more} {words}"))),
        (_, by_entries) => by_entries,
    };
    let Some(health) = health::words(facts, limits, now) else {
        return (color, words);
    };
    let color = if color == Color::Green {
        Color::Yellow
    } else {
        color
    };
    let words = words.map_or_else(|| health.clone(), |words| format!("{words} {health}"));
    (color, Some(words))
}

/// Colour and words of what the entries of the last hour say.
fn entries(facts: &MachineFacts, limits: &StatusLimits, now: Micros) -> (Color, Option<String>) {
    let level = |level: Level| facts.last_hour[usize::from(level.as_u8())];
    let errors = level(Level::Error) + level(Level::Critical);
    let warnings = level(Level::Warn);
    let newest = |found: &Option<(Micros, String, String)>| match found {
        Some((at, component, message)) => {
            format!(" {}: {}", ago(*at, now), quote(component, message))
        }
        None => " in the last hour.".to_owned(),
    };
    if errors > 0 {
        let color = if errors >= limits.errors_red {
            Color::Red
        } else {
            Color::Yellow
        };
        // Its alert is over, or there is no rule for it: else the alert is what is told.
        if level(Level::Critical) > 0 {
            let words = format!("CRITICAL{}", newest(&facts.last_critical));
            return (color, Some(words));
        }
        let number = count(errors, "error", "errors");
        let last = match &facts.last_error {
            Some(_) => format!(", last{}", newest(&facts.last_error)),
            None => ".".to_owned(),
        };
        return (color, Some(format!("{number} in the last hour{last}")));
    }
    if warnings >= limits.warnings_yellow {
        let number = count(warnings, "warning", "warnings");
        return (Color::Yellow, Some(format!("{number} in the last hour.")));
    }
    (Color::Green, None)
}

/// How the machine is heard, over both paths. While WiFi answers, cellular is on standby and not
/// judged; when WiFi falls silent, cellular has its own schedule from then on.
fn contact(
    facts: &MachineFacts,
    limits: &StatusLimits,
    listening_since: Micros,
    now: Micros,
) -> Contact {
    let by_cell = links::cell_since(facts).map(|since| {
        let (yellow_us, red_us) = links::cell_limits(facts, limits);
        let last = facts.last_cell.unwrap_or(since);
        let times = (yellow_us, red_us, yellow_us);
        path(Way::Cell, (since, last), times, listening_since, now)
    });
    let Some(wifi) = facts.last_wifi else {
        return by_cell.unwrap_or(Contact::Never);
    };
    let times = (limits.wifi_yellow_us, limits.wifi_red_us, limits.grace_us);
    let by_wifi = path(Way::Wifi, (wifi, wifi), times, listening_since, now);
    let failing = links::failing(facts).map(cell_fails);
    let Some(by_cell) = by_cell else {
        return by_wifi;
    };
    let drops = match facts.last_cell {
        Some(cell) => format!("Last drop by cell {}.", ago(cell, now)),
        None => "No drop by cell yet.".to_owned(),
    };
    match (by_wifi, failing) {
        (Contact::Good(words) | Contact::Late(words), Some(fails)) => {
            Contact::Late(format!("{words} {fails}"))
        }
        (Contact::Lost(words), Some(fails)) if links::has_given_up(facts) => {
            Contact::Lost(format!("{words} {fails}"))
        }
        (Contact::Lost(words), _) => match by_cell {
            Contact::Good(_) | Contact::Late(_) => Contact::Late(format!("{words} {drops}")),
            Contact::Waiting(words) => Contact::Waiting(words),
            _ => Contact::Lost(format!("{words} {drops}")),
        },
        // Nobody could be heard; a drop that came all the same says that the machine is there.
        (Contact::Waiting(words), _) => match by_cell {
            Contact::Good(_) if facts.last_cell > Some(wifi) => {
                Contact::Late(format!("{words} {drops}"))
            }
            _ => Contact::Waiting(words),
        },
        (by_wifi, _) => by_wifi,
    }
}

fn cell_fails(cell: &CellHealth) -> String {
    match cell.error.as_deref().map(str::trim) {
        None | Some("") => "The card reader takes no drops.".to_owned(),
        Some(error) => format!("The card reader takes no drops: {}.", phrase(error)),
    }
}

/// One of the two ways.
#[derive(Clone, Copy)]
enum Way {
    Wifi,
    Cell,
}

impl Way {
    fn heard(self, last: Micros, now: Micros) -> String {
        match self {
            Way::Wifi => format!("Last contact {} (WiFi).", ago(last, now)),
            Way::Cell => format!("Last drop by cell {}.", ago(last, now)),
        }
    }

    fn silent(self, for_us: i64) -> String {
        match self {
            Way::Wifi => format!("No contact for {} (WiFi).", duration(for_us)),
            Way::Cell => format!("No drop by cell for {}.", duration(for_us)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Way::Wifi => "WiFi",
            Way::Cell => "cell",
        }
    }
}

/// One path: silent since the first time, last heard at the second; `(yellow, red, grace)` in
/// microseconds.
fn path(
    way: Way,
    (since, last): (Micros, Micros),
    (yellow_us, red_us, grace_us): (i64, i64, i64),
    listening_since: Micros,
    now: Micros,
) -> Contact {
    let silent_us = now.since_us(since);
    if silent_us <= yellow_us {
        return Contact::Good(way.heard(last, now));
    }
    if now.since_us(listening_since) < grace_us {
        let listening = duration(now.since_us(listening_since));
        let heard = duration(now.since_us(last));
        return Contact::Waiting(format!(
            "Waiting for its first contact since Vendlog began to listen {listening} ago; \
             the last was {heard} ago ({}).",
            way.name()
        ));
    }
    let words = way.silent(now.since_us(last));
    if silent_us > red_us {
        Contact::Lost(words)
    } else {
        Contact::Late(words)
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "alert_tests.rs"]
mod alert_tests;
