//! What a stamped line says, and the pieces that the formats share.

use serde_json::{Map, Value};
use wire::{Level, Micros};

/// A line that carries its own time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamped {
    /// When it was logged.
    pub at: Micros,
    /// As logged; `INFO` when the word is not known (it is in `context.logged_level` then).
    pub level: Level,
    /// The logger's name.
    pub name: String,
    /// The text.
    pub message: String,
    /// Further fields.
    pub context: Map<String, Value>,
}

/// The level of a word; a word that is none of ours is kept in the context.
pub fn level(word: &str, context: &mut Map<String, Value>) -> Level {
    word.parse().unwrap_or_else(|_| {
        let shown: String = word.chars().take(MAX_LEVEL_CHARS).collect();
        context.insert("logged_level".into(), shown.into());
        if word.eq_ignore_ascii_case("NOTSET") || word.eq_ignore_ascii_case("TRACE") {
            Level::Debug
        } else {
            Level::Info
        }
    })
}

/// Longer words are no levels; Python's own `Level 25` fits.
pub const MAX_LEVEL_CHARS: usize = 20;
