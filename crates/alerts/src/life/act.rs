//! What people do with alerts. Doing it twice is no error: two people press at the same time.

use serde::{Deserialize, Serialize};
use wire::Micros;

use super::alert::{Acknowledged, Alert, By, History, Phase, Resolved, What, Why};

/// The longest an alert may be silenced: beyond it people should change the rule.
pub const SILENCE_MAX_US: i64 = 30 * wire::time::DAY_US;
/// Characters kept of a note.
pub const NOTE_MAX_CHARS: usize = 2_000;

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Takes it: no repeats, no escalation.
    Acknowledge,
    /// Gives it back.
    Unacknowledge,
    /// Nobody is told until then.
    Silence {
        /// Until when; now or before ends the silence.
        until: Micros,
    },
    /// Says something.
    Note,
    /// Says that it is over.
    Resolve {
        /// By a visit's note rather than from the desk.
        #[serde(default)]
        visit: bool,
    },
}

/// Why it could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No alert has this number.
    #[error("there is no alert {0}")]
    NoSuchAlert(u64),
    /// It is over.
    #[error("alert {0} is over; a new one begins when it happens again")]
    Over(u64),
    /// Too long a silence.
    #[error("an alert can be silenced for 30 days at most; turn the rule off instead")]
    SilenceTooLong,
}

/// Does it to one alert.
///
/// # Errors
/// The alert is over, or the silence is too long.
pub(crate) fn act(
    alert: &mut Alert,
    act: &Act,
    who: &str,
    note: &str,
    now: Micros,
) -> Result<Option<History>, ActError> {
    let note: String = note.chars().take(NOTE_MAX_CHARS).collect();
    let history = |what: What| {
        Some(History {
            alert: alert.id,
            at: now,
            what,
            who: who.to_owned(),
            note: note.clone(),
        })
    };
    if !alert.is_open() {
        return match act {
            Act::Note => Ok(history(What::Noted)),
            Act::Resolve { .. } => Ok(None),
            _ => Err(ActError::Over(alert.id)),
        };
    }
    let line = match act {
        Act::Acknowledge if alert.phase == Phase::Acknowledged && note.is_empty() => None,
        Act::Acknowledge => history(What::Acknowledged),
        Act::Unacknowledge => history(What::Fired),
        Act::Silence { .. } => history(What::Silenced),
        Act::Note => history(What::Noted),
        Act::Resolve { .. } => history(What::Resolved),
    };
    match act {
        Act::Acknowledge => {
            let at = alert.acknowledged.as_ref().map_or(now, |before| before.at);
            alert.acknowledged = Some(Acknowledged {
                by: who.to_owned(),
                note,
                at,
            });
            alert.phase = Phase::Acknowledged;
            let goes_on = |why: Why| matches!(why, Why::Hourly | Why::Daily);
            alert.planned.retain(|planned| goes_on(planned.why));
        }
        Act::Unacknowledge => {
            alert.acknowledged = None;
            alert.phase = Phase::Firing;
        }
        Act::Silence { until } => {
            if until.since_us(now) > SILENCE_MAX_US {
                return Err(ActError::SilenceTooLong);
            }
            alert.silenced_until = Some(*until).filter(|until| *until > now);
        }
        Act::Note => {}
        Act::Resolve { visit } => {
            let by = if *visit { By::Visit } else { By::Hand };
            end(alert, by, who, &note, now);
        }
    }
    Ok(line)
}

/// Ends an alert. What was to be told of its beginning is no longer told, but for a digest, which says
/// what happened.
pub(crate) fn end(alert: &mut Alert, by: By, who: &str, note: &str, now: Micros) {
    alert.phase = Phase::Resolved;
    alert.silenced_until = None;
    alert.resolved = Some(Resolved {
        by,
        who: who.to_owned(),
        note: note.to_owned(),
        at: now,
    });
    let goes_on = |why: Why| matches!(why, Why::Hourly | Why::Daily);
    alert.planned.retain(|planned| goes_on(planned.why));
}
