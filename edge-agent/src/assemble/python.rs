//! Python's usual format: `2026-01-22 14:30:15 - name - LEVEL - message`, or with `,123`.

use serde_json::Map;
use wire::Micros;

use super::stamp::{self, MAX_LEVEL_CHARS, Stamped};
use super::zone::{self, Zone};

/// The reader of this format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Python;

impl Python {
    /// What the line says; `None` when it does not begin with a stamp.
    pub fn parse(self, text: &str, zone: &Zone, previous: Option<Micros>) -> Option<Stamped> {
        let (stamp, rest) = text.split_once(" - ")?;
        let local = zone::parse_local(stamp)?;
        let (name, rest) = rest.split_once(" - ")?;
        // An empty message leaves "LEVEL - ", which an editor may have trimmed.
        let (word, message) = rest
            .split_once(" - ")
            .or(rest.strip_suffix(" -").map(|w| (w, "")))?;
        if !is_level_word(word) {
            return None;
        }
        let mut context = Map::new();
        Some(Stamped {
            at: zone.instant(local, previous),
            level: stamp::level(word, &mut context),
            name: name.to_owned(),
            message: message.to_owned(),
            context,
        })
    }
}

/// `INFO`, a custom `SUCCESS`, or what Python writes for a level without a name: `Level 25`.
fn is_level_word(word: &str) -> bool {
    let name = word.strip_prefix("Level ").unwrap_or(word);
    !name.is_empty()
        && word.len() <= MAX_LEVEL_CHARS
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
