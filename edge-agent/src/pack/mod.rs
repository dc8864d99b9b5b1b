//! Packs: what the lines of a known application truly mean. A pack gives level, component and
//! context, and names what is to be hashed; it never adds or drops an entry.

mod ids;
mod rule;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wire::{LogEntry, Micros};

pub use rule::{Pack, PackError};

/// The packs that come with the agent, by name.
const SHIPPED: [(&str, &str); 1] = [("soap", include_str!("../../../packs/soap.toml"))];

/// The names that `pack = "..."` may have.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// The pack of this name; `None` when the agent has no such.
///
/// # Errors
/// The pack's own text is wrong; a test reads every shipped one.
pub fn named(name: &str) -> Option<Result<Arc<Pack>, PackError>> {
    let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
    Some(Pack::read(text).map(Arc::new))
}

/// What a pack must remember between two entries, by the number of the rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackState {
    runs: BTreeMap<usize, Run>,
}

/// An unbroken run of one rule's lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Run {
    since: Micros,
    raised: bool,
}

impl PackState {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl Pack {
    /// Gives `entry`, whose message is redacted already, what the first matching rule says. Only
    /// the first line of the message is looked at.
    pub fn classify(&self, entry: &mut LogEntry, state: &mut PackState) {
        let first_line = entry
            .message
            .split('\n')
            .next()
            .unwrap_or_default()
            .to_owned();
        let matched = self.rules.iter().position(|rule| rule.matches(&first_line));
        for (index, rule) in self.rules.iter().enumerate() {
            let ends = |run: &rule::RunRule| first_line.starts_with(&run.ended_by);
            if matched != Some(index) && rule.run.as_ref().is_some_and(ends) {
                state.runs.remove(&index);
            }
        }
        let Some(index) = matched else { return };
        let rule = &self.rules[index];
        if let Some(component) = &rule.component {
            entry.component.clone_from(component);
        }
        if let Some(level) = rule.level {
            entry.level = level;
        }
        for (field, value) in &rule.context {
            entry.context.insert(field.clone(), value.clone().into());
        }
        for (field, words) in &rule.cents {
            if let Some(cents) = cents_after(&first_line, words) {
                entry.context.insert(field.clone(), cents.into());
            }
        }
        if let Some(rule) = &rule.run {
            let at = entry.timestamp;
            let run = state.runs.entry(index).or_insert(Run {
                since: at,
                raised: false,
            });
            if !run.raised && at.since_us(run.since) >= rule.after_us() {
                run.raised = true;
                entry.level = rule.level;
            }
        }
    }

    /// Replaces the ids that the pack names by what `hash` makes of them.
    pub fn hash_ids(&self, message: &str, hash: impl Fn(&str) -> String) -> Option<String> {
        ids::replace(message, &self.hash_after, hash)
    }
}

/// The amount in cents written behind `words`, such as 82 of `total: $0.82`.
fn cents_after(text: &str, words: &str) -> Option<u64> {
    let rest = &text[text.find(words)? + words.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != ',')
        .unwrap_or(rest.len());
    let whole: u64 = rest[..end].replace(',', "").parse().ok()?;
    let cents = match rest[end..].strip_prefix('.').and_then(|rest| rest.get(..2)) {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => 0,
    };
    whole.checked_mul(100)?.checked_add(cents)
}

#[cfg(test)]
mod tests;
