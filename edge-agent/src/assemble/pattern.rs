//! A format that the configuration gives as a regular expression with named groups.

use regex::Regex;
use serde_json::Map;
use wire::Micros;

use super::stamp::{self, Stamped};
use super::zone::{self, Zone};

/// The most memory a compiled expression may take: a mistake must not fill a small machine.
const COMPILED_MAX_BYTES: usize = 1024 * 1024;

/// Groups `time` and `message` must be there, `level` and `name` (or `component`) may be; every
/// other named group becomes a context field.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    time_format: Option<String>,
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PatternError {
    /// It does not compile.
    #[error("is no regular expression: {0}")]
    Regex(String),
    /// A group is missing.
    #[error("needs a group (?<{0}>...)")]
    Group(&'static str),
}

impl Pattern {
    /// Compiles it. `time_format` (as strftime has it) is needed when the time is neither RFC 3339
    /// nor `2026-01-22 14:30:15,123`.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn new(regex: &str, time_format: Option<String>) -> Result<Pattern, PatternError> {
        let regex = regex::RegexBuilder::new(regex)
            .size_limit(COMPILED_MAX_BYTES)
            .build()
            .map_err(|error| PatternError::Regex(one_line(&error.to_string())))?;
        for group in ["time", "message"] {
            if !regex.capture_names().any(|name| name == Some(group)) {
                return Err(PatternError::Group(group));
            }
        }
        Ok(Pattern { regex, time_format })
    }

    /// What the line says; `None` when it does not match or its time cannot be read.
    pub fn parse(&self, text: &str, zone: &Zone, previous: Option<Micros>) -> Option<Stamped> {
        let groups = self.regex.captures(text)?;
        let group = |name: &str| groups.name(name).map(|found| found.as_str());
        let time = group("time")?;
        let at = match &self.time_format {
            None => zone::parse_any(time, zone, previous)?,
            Some(format) => {
                let broken = jiff::fmt::strtime::parse(format, time).ok()?;
                match broken.to_timestamp() {
                    Ok(timestamp) => Micros::from_timestamp(timestamp),
                    Err(_) => zone.instant(broken.to_datetime().ok()?, previous),
                }
            }
        };
        let mut context = Map::new();
        for name in self.regex.capture_names().flatten() {
            let known = ["time", "message", "level", "name", "component"].contains(&name);
            if let Some(value) = group(name).filter(|_| !known) {
                context.insert(name.to_owned(), value.into());
            }
        }
        let level = stamp::level(group("level").unwrap_or("INFO"), &mut context);
        let name = group("component")
            .or(group("name"))
            .unwrap_or_default()
            .to_owned();
        Some(Stamped {
            at,
            level,
            name,
            message: group("message")?.to_owned(),
            context,
        })
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
