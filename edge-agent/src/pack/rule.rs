//! A pack's rules as its file has them.

use std::collections::BTreeMap;

use serde::Deserialize;
use wire::Level;
use wire::time::SECOND_US;

/// A pack, ready for use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name, as in `pack = "..."`.
    pub name: String,
    #[serde(rename = "rule", default)]
    pub(super) rules: Vec<Rule>,
    #[serde(rename = "hash", default)]
    pub(super) hash_after: HashAfter,
}

/// What the first line of a matching record means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The line begins with one of these.
    #[serde(default)]
    starts: Vec<String>,
    /// The line has one of these anywhere.
    #[serde(default)]
    contains: Vec<String>,
    pub(super) component: Option<String>,
    pub(super) level: Option<Level>,
    #[serde(default)]
    pub(super) context: BTreeMap<String, String>,
    /// Context fields that take an amount of money, in cents, from behind these words.
    #[serde(default)]
    pub(super) cents: BTreeMap<String, String>,
    pub(super) run: Option<RunRule>,
}

/// An unbroken run of the rule's lines that lasts becomes something graver, once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRule {
    after_s: u32,
    pub(super) level: Level,
    /// A line that begins so, and does not match the rule itself, ends the run.
    pub(super) ended_by: String,
}

/// The ids to be hashed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HashAfter {
    /// An id stands behind each of these words.
    pub(super) after: Vec<String>,
}

/// Why a pack's text cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It is not TOML, or has a key that packs have not.
    #[error("pack cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A rule that would match everything or nothing.
    #[error("rule {0} of pack {1} needs `starts` or `contains`")]
    NoMatcher(usize, String),
}

impl Pack {
    /// Reads a pack.
    ///
    /// # Errors
    /// See [`PackError`].
    pub fn read(text: &str) -> Result<Pack, PackError> {
        let pack: Pack = toml::from_str(text)?;
        let empty = |rule: &Rule| rule.starts.is_empty() && rule.contains.is_empty();
        match pack.rules.iter().position(empty) {
            Some(index) => Err(PackError::NoMatcher(index + 1, pack.name)),
            None => Ok(pack),
        }
    }
}

impl Rule {
    pub(super) fn matches(&self, line: &str) -> bool {
        self.starts.iter().any(|start| line.starts_with(start))
            || self.contains.iter().any(|part| line.contains(part))
    }
}

impl RunRule {
    pub(super) fn after_us(&self) -> i64 {
        i64::from(self.after_s) * SECOND_US
    }
}
