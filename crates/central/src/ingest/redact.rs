//! Card numbers are taken out on arrival too: agents do it before anything is written, but not every
//! sender is an agent of ours.

use std::borrow::Cow;

use serde_json::Value;
use wire::LogEntry;
use wire::redact::cards;

/// Takes card numbers out of message, component and context. The context's depth is bounded by the
/// JSON reader.
pub fn redact(entry: &mut LogEntry) {
    redact_text(&mut entry.message);
    redact_text(&mut entry.component);
    entry.context.values_mut().for_each(redact_value);
}

fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => redact_text(text),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        Value::Object(fields) => fields.values_mut().for_each(redact_value),
        Value::Number(number) => {
            let mut text = number.to_string();
            let before = text.len();
            redact_text(&mut text);
            if text.len() != before {
                *value = Value::String(text);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn redact_text(text: &mut String) {
    if let Cow::Owned(redacted) = cards(text) {
        *text = redacted;
    }
}
