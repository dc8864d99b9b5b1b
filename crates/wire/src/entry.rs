//! One log entry as it travels from an agent to the store.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Level, Micros};

/// The largest entry, in bytes of its message, component and context as JSON together.
pub const ENTRY_MAX_BYTES: usize = 64 * 1024;
/// The longest component, in characters.
pub const COMPONENT_MAX_CHARS: usize = 50;

/// How far the machine's clock could be trusted when the entry was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// The clock was set by a time source.
    #[default]
    Synced,
    /// No time source since boot.
    Unsynced,
    /// Written while unsynced, corrected later from monotonic time.
    Repaired,
}

impl ClockState {
    /// The number that the store keeps.
    pub fn as_u8(self) -> u8 {
        match self {
            ClockState::Synced => 0,
            ClockState::Unsynced => 1,
            ClockState::Repaired => 2,
        }
    }

    /// The state with this number; an unknown one is read as `Synced`.
    pub fn from_u8(number: u8) -> ClockState {
        match number {
            1 => ClockState::Unsynced,
            2 => ClockState::Repaired,
            _ => ClockState::Synced,
        }
    }
}

/// One entry of one machine. `seq` is absent for senders that do not number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogEntry {
    /// 1, 2, 3 ... within the sender's epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Event time; RFC 3339 with milliseconds on the wire.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub timestamp: Micros,
    /// How grave it is.
    pub level: Level,
    /// The part of the machine it speaks of, 1-50 characters.
    pub component: String,
    /// What happened, in the application's words.
    pub message: String,
    /// Details as a JSON object.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// How far the timestamp can be trusted.
    #[serde(skip_serializing_if = "is_synced")]
    pub clock: ClockState,
}

fn serialize_rfc3339<S: serde::Serializer>(at: &Micros, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339())
}

fn is_synced(clock: &ClockState) -> bool {
    *clock == ClockState::Synced
}

/// Why one entry of a batch cannot be taken; the others of the batch are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A field is absent or of the wrong JSON type.
    #[error("field \"{field}\" {problem}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What is wrong and what to send instead.
        problem: String,
    },
    /// The level is not one of ours or their aliases.
    #[error(transparent)]
    Level(#[from] crate::level::UnknownLevel),
    /// The time cannot be read.
    #[error("timestamp \"{0}\" cannot be read; send RFC 3339 such as 2026-01-22T14:30:15.123Z")]
    Timestamp(String),
    /// Larger than [`ENTRY_MAX_BYTES`].
    #[error("the entry has {0} bytes, more than 65536; cut the message into pieces")]
    TooLarge(usize),
}

impl EntryError {
    /// The code a program can act on: `bad_field`, `unknown_level`, `bad_timestamp`, `too_large`.
    pub fn code(&self) -> &'static str {
        match self {
            EntryError::Field { .. } => "bad_field",
            EntryError::Level(_) => "unknown_level",
            EntryError::Timestamp(_) => "bad_timestamp",
            EntryError::TooLarge(_) => "too_large",
        }
    }
}

/// As it is read from JSON before the checks that give each fault its own words.
#[derive(Deserialize)]
struct RawEntry {
    #[serde(default)]
    seq: Value,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    level: Value,
    #[serde(default)]
    component: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    clock: Value,
}

impl LogEntry {
    /// Reads one entry of a batch, naming the field that is wrong. Unknown fields are ignored, so
    /// that a newer agent can talk to an older server.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub fn from_json(value: Value) -> Result<LogEntry, EntryError> {
        let raw: RawEntry = serde_json::from_value(value).map_err(|_| EntryError::Field {
            field: "logs",
            problem: "has an item that is not a JSON object; send one object for each entry".into(),
        })?;
        LogEntry::checked(raw)
    }

    /// [`LogEntry::from_json`] of JSON text, without a tree of values in between. `None` when the
    /// text is no JSON object or names a field twice; [`LogEntry::from_json`] has the words for it.
    pub fn from_json_text(text: &str) -> Option<Result<LogEntry, EntryError>> {
        let object = text.trim_start().starts_with('{');
        let raw = if object {
            serde_json::from_str(text).ok()?
        } else {
            return None;
        };
        Some(LogEntry::checked(raw))
    }

    fn checked(raw: RawEntry) -> Result<LogEntry, EntryError> {
        let seq = match raw.seq {
            Value::Null => None,
            Value::Number(n) => Some(
                n.as_u64()
                    .filter(|seq| (1..=i64::MAX as u64).contains(seq))
                    .ok_or_else(|| field("seq", "must be a whole number from 1 up"))?,
            ),
            _ => return Err(field("seq", "must be a whole number from 1 up")),
        };
        let timestamp = text("timestamp", raw.timestamp)?;
        let timestamp = Micros::parse_rfc3339(&timestamp)
            .map_err(|_| EntryError::Timestamp(timestamp.chars().take(60).collect()))?;
        let level = text("level", raw.level)?.parse()?;
        let component = text("component", raw.component)?;
        if !(1..=COMPONENT_MAX_CHARS).contains(&component.chars().count()) {
            return Err(field("component", "must have 1 to 50 characters"));
        }
        let message = text("message", raw.message)?;
        let context = match raw.context {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            _ => return Err(field("context", "must be a JSON object")),
        };
        let clock = match raw.clock {
            Value::Null => ClockState::Synced,
            other => serde_json::from_value(other)
                .map_err(|_| field("clock", "must be synced, unsynced or repaired"))?,
        };
        let entry = LogEntry {
            seq,
            timestamp,
            level,
            component,
            message,
            context,
            clock,
        };
        let size = entry.size_bytes();
        if size > ENTRY_MAX_BYTES {
            return Err(EntryError::TooLarge(size));
        }
        Ok(entry)
    }

    /// Bytes of message, component and context (as JSON), the measure of [`ENTRY_MAX_BYTES`].
    pub fn size_bytes(&self) -> usize {
        let context = if self.context.is_empty() {
            0
        } else {
            serde_json::to_string(&self.context).map_or(usize::MAX / 2, |json| json.len())
        };
        self.message.len() + self.component.len() + context
    }
}

fn field(field: &'static str, problem: &str) -> EntryError {
    EntryError::Field {
        field,
        problem: problem.into(),
    }
}

fn text(name: &'static str, value: Value) -> Result<String, EntryError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Err(field(name, "is missing")),
        _ => Err(field(name, "must be a text")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({"seq": 7, "timestamp": "2026-01-22T14:30:15.123Z", "level": "WARNING",
               "component": "payment", "message": "declined", "context": {"retry": 3}})
    }

    #[test]
    fn a_good_entry_comes_back_as_it_was_sent() {
        let entry = LogEntry::from_json(good()).unwrap();
        let again = LogEntry::from_json(serde_json::to_value(&entry).unwrap()).unwrap();
        assert_eq!(entry, again);
        assert_eq!(entry.level, Level::Warn);
    }

    #[test]
    fn text_and_value_are_read_the_same() {
        let text = good().to_string();
        let read = LogEntry::from_json_text(&text).unwrap();
        assert_eq!(read, LogEntry::from_json(good()));
        assert!(LogEntry::from_json_text("[]").is_none());
        assert!(LogEntry::from_json_text("{").is_none());
        assert!(LogEntry::from_json_text("{\"seq\":1,\"seq\":2}").is_none());
        let mut loud = good();
        loud["level"] = json!("LOUD");
        let read = LogEntry::from_json_text(&loud.to_string()).unwrap();
        assert_eq!(read.unwrap_err().code(), "unknown_level");
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let mut cases = Vec::new();
        for (key, value, code) in [
            ("level", json!("LOUD"), "unknown_level"),
            ("timestamp", json!("yesterday"), "bad_timestamp"),
            ("component", json!(""), "bad_field"),
            ("component", json!("x".repeat(51)), "bad_field"),
            ("message", json!(5), "bad_field"),
            ("message", json!("x".repeat(65 * 1024)), "too_large"),
            ("context", json!([1]), "bad_field"),
            ("seq", json!(0), "bad_field"),
            ("seq", json!(-1), "bad_field"),
            ("clock", json!("tired"), "bad_field"),
        ] {
            let mut entry = good();
            entry[key] = value;
            cases.push((key, LogEntry::from_json(entry).unwrap_err().code(), code));
        }
        for (key, got, wanted) in cases {
            assert_eq!(got, wanted, "{key}");
        }
        assert_eq!(
            LogEntry::from_json(json!([])).unwrap_err().code(),
            "bad_field"
        );
    }
}
