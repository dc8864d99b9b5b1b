//! Card numbers are taken out on arrival too: agents do it before anything is written, but not every
//! sender is an agent of ours.

use std::borrow::Cow;

use serde_json::{Map, Value};
use wire::LogEntry;
use wire::redact::cards;

/// Takes card numbers out of message, component and context, its names included. The context's depth
/// is bounded by the JSON reader.
pub fn redact(entry: &mut LogEntry) {
    redact_text(&mut entry.message);
    redact_text(&mut entry.component);
    redact_fields(&mut entry.context);
}

fn redact_fields(fields: &mut Map<String, Value>) {
    fields.values_mut().for_each(redact_value);
    if fields.keys().any(|name| has_card(name)) {
        let whole = std::mem::take(fields);
        let named = |(name, value): (String, Value)| (cards(&name).into_owned(), value);
        fields.extend(whole.into_iter().map(named));
    }
}

fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => redact_text(text),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        Value::Object(fields) => redact_fields(fields),
        Value::Number(number) => {
            let text = number.to_string();
            // 4111111111111111.0 is how some programs write a number that JSON gave them.
            let whole = text.strip_suffix(".0").unwrap_or(&text);
            if let Cow::Owned(redacted) = cards(whole) {
                *value = Value::String(redacted);
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

fn has_card(text: &str) -> bool {
    matches!(cards(text), Cow::Owned(_))
}
