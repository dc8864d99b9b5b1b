//! An entry that fits no drop, made shorter step by step: its context first, then its message from
//! behind. Level, component, time and number always stay.

use serde_json::{Map, Value};

use crate::drops::DropEntry;

/// How many characters of the message stay, step by step.
const MESSAGE_CHARS: [usize; 5] = [600, 400, 200, 80, 20];
/// A value of the context that is worth keeping in few bytes: an event's name, a number, an id.
const SMALL_VALUE_BYTES: usize = 24;
/// How many of them.
const SMALL_VALUES: usize = 6;

/// Shorter and shorter forms of an entry, each marked as a summary.
pub(super) fn steps(entry: &DropEntry) -> impl Iterator<Item = DropEntry> {
    let small = small_context(&entry.entry.context);
    let all = [usize::MAX].into_iter().chain(MESSAGE_CHARS);
    all.flat_map(move |chars| {
        [small.clone(), Map::new()].map(|context| {
            let mut short = entry.clone();
            short.is_summary = true;
            short.entry.context = context;
            if let Some((end, _)) = entry.entry.message.char_indices().nth(chars) {
                short.entry.message.truncate(end);
            }
            short
        })
    })
}

/// The values that say much in little: those with a fixed meaning first.
fn small_context(context: &Map<String, Value>) -> Map<String, Value> {
    let is_small = |(key, value): &(&String, &Value)| {
        let is_plain = !value.is_array() && !value.is_object();
        is_plain && key.len() + value.to_string().len() <= SMALL_VALUE_BYTES
    };
    let mut small: Vec<(&String, &Value)> = context.iter().filter(is_small).collect();
    small.sort_by_key(|(key, _)| (key.as_str() != "event", key.len()));
    small.truncate(SMALL_VALUES);
    small
        .into_iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
