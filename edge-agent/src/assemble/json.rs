//! One JSON object a line, with the field names that the usual Python formatters write.

use serde_json::{Map, Value};
use wire::Micros;

use super::stamp::{self, Stamped};
use super::zone::{self, Zone};

const TIME_FIELDS: [&str; 5] = ["timestamp", "time", "ts", "asctime", "@timestamp"];
const LEVEL_FIELDS: [&str; 4] = ["level", "levelname", "severity", "log_level"];
const NAME_FIELDS: [&str; 4] = ["component", "logger", "logger_name", "name"];
const MESSAGE_FIELDS: [&str; 3] = ["message", "msg", "event"];
/// Numbers above this are milliseconds since 1970, below it seconds (as of the year 5138).
const LARGEST_SECONDS: f64 = 1e11;

/// The reader of this format. Fields beyond time, level, name and message become the context.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Json {
    /// What the line says; `None` when it is no object with a time and a message.
    pub fn parse(self, text: &str, zone: &Zone, previous: Option<Micros>) -> Option<Stamped> {
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let mut object: Map<String, Value> = serde_json::from_str(text).ok()?;
        let time = first(&object, &TIME_FIELDS)?;
        let at = instant(&object[time], zone, previous)?;
        let message = first(&object, &MESSAGE_FIELDS)?;
        object.remove(time);
        let message = as_text(object.remove(message)?);
        let level = take_text(&mut object, &LEVEL_FIELDS);
        let name = take_text(&mut object, &NAME_FIELDS).unwrap_or_default();
        // A nested `context` is what our own entries call it.
        let mut context = match object.remove("context") {
            Some(Value::Object(inner)) => inner,
            Some(other) => Map::from_iter([("context".to_owned(), other)]),
            None => Map::new(),
        };
        context.extend(object);
        let level = stamp::level(level.as_deref().unwrap_or("INFO"), &mut context);
        Some(Stamped {
            at,
            level,
            name,
            message,
            context,
        })
    }
}

fn first<'a>(object: &Map<String, Value>, names: &[&'a str]) -> Option<&'a str> {
    names
        .iter()
        .find(|name| object.contains_key(**name))
        .copied()
}

fn take_text(object: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let name = first(object, names)?;
    object.remove(name).map(as_text)
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn instant(value: &Value, zone: &Zone, previous: Option<Micros>) -> Option<Micros> {
    match value {
        Value::String(text) => zone::parse_any(text, zone, previous),
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| number.is_finite())?;
            let seconds = if number > LARGEST_SECONDS {
                number / 1e3
            } else {
                number
            };
            Some(Micros((seconds * 1e6).round() as i64))
        }
        _ => None,
    }
}
