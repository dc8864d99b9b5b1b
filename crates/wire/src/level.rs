//! The five levels of an entry, ordered by weight, and the names other programs give them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How grave an entry is. Ordered: `Debug < Info < Warn < Error < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Detail for the developer of the application.
    Debug = 0,
    /// The ordinary course of things.
    Info = 1,
    /// Something to look at when there is time.
    Warn = 2,
    /// Something failed.
    Error = 3,
    /// The machine does not do its work, or money is being lost.
    Critical = 4,
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("level \"{0}\" is not known; use DEBUG, INFO, WARN, ERROR or CRITICAL")]
pub struct UnknownLevel(pub String);

impl Level {
    /// Every level, lightest first.
    pub const ALL: [Level; 5] = [
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Critical,
    ];

    /// The name as it is written in JSON: `DEBUG`, `INFO`, `WARN`, `ERROR`, `CRITICAL`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
            Level::Critical => "CRITICAL",
        }
    }

    /// The number that the store keeps: 0 (DEBUG) to 4 (CRITICAL).
    pub fn as_u8(self) -> u8 {
        self as u8
    }

    /// The level with this number, or `None` beyond 4.
    pub fn from_u8(number: u8) -> Option<Level> {
        Level::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Reads a level in any case; `WARNING` and `FATAL` (Python's names) are `WARN` and `CRITICAL`.
    fn from_str(word: &str) -> Result<Level, UnknownLevel> {
        const NAMES: [(&str, Level); 7] = [
            ("DEBUG", Level::Debug),
            ("INFO", Level::Info),
            ("WARN", Level::Warn),
            ("WARNING", Level::Warn),
            ("ERROR", Level::Error),
            ("CRITICAL", Level::Critical),
            ("FATAL", Level::Critical),
        ];
        NAMES
            .iter()
            .find(|(name, _)| word.trim().eq_ignore_ascii_case(name))
            .map(|(_, level)| *level)
            .ok_or_else(|| UnknownLevel(word.chars().take(40).collect()))
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Level {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(Level::ALL.map(Level::as_str)))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Level {
    fn name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_names_are_read_as_ours() {
        assert_eq!("WARNING".parse(), Ok(Level::Warn));
        assert_eq!("fatal".parse(), Ok(Level::Critical));
        assert_eq!(" Error ".parse(), Ok(Level::Error));
    }

    #[test]
    fn an_unknown_word_is_named_in_the_error() {
        let error = "LOUD".parse::<Level>().unwrap_err();
        assert!(error.to_string().contains("\"LOUD\""), "{error}");
    }

    #[test]
    fn levels_are_ordered_by_weight_and_survive_their_number() {
        for pair in Level::ALL.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?} must be in order of weight");
        }
        for level in Level::ALL {
            assert_eq!(Level::from_u8(level.as_u8()), Some(level));
        }
        assert_eq!(Level::from_u8(5), None);
    }
}
