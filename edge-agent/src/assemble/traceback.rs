//! Where a Python traceback ends: behind its first line that is not indented, unless another
//! exception is chained to it. Sans-IO.

use serde::{Deserialize, Serialize};

/// How every traceback begins.
const BEGIN: &str = "Traceback (most recent call last):";
/// What stands between two chained tracebacks.
const CHAINED: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The record is whole, but a traceback may follow it.
    Before,
    /// Inside: the exception's own line is still to come.
    Inside,
    /// Whole, unless an exception is chained to it.
    After,
    /// As `After`, and an empty line has come.
    AfterBlank,
    /// The words of a chained exception have come, its traceback has not.
    Chained,
}

/// Whether a traceback begins on this line (or, for an exception group, with a margin before it).
pub fn begins(text: &str) -> bool {
    let text = text.trim_end();
    text.ends_with(BEGIN)
        && (text.len() == BEGIN.len()
            || text.trim_start() == "+ Exception Group Traceback (most recent call last):")
}

impl Phase {
    /// The phase behind this line; `None` when it does not belong to the record.
    pub fn after(self, text: &str) -> Option<Phase> {
        let blank = text.trim().is_empty();
        match self {
            Phase::Before => begins(text).then_some(Phase::Inside),
            Phase::Inside if blank || begins(text) || text.starts_with([' ', '\t']) => {
                Some(Phase::Inside)
            }
            Phase::Inside => Some(Phase::After),
            Phase::After => blank.then_some(Phase::AfterBlank),
            Phase::AfterBlank => CHAINED.contains(&text.trim()).then_some(Phase::Chained),
            Phase::Chained if blank => Some(Phase::Chained),
            Phase::Chained => begins(text).then_some(Phase::Inside),
        }
    }

    /// Whether the record certainly has more to come.
    pub fn is_inside(self) -> bool {
        matches!(self, Phase::Inside | Phase::Chained)
    }
}
