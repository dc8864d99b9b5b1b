//! A batch as it is read: the frame strictly, each entry by itself, so that a bad one is rejected
//! alone. Nothing is built of the JSON before its size is known: entries stay text until their turn.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use wire::batch::BATCH_MAX_ENTRIES;
use wire::entry::ENTRY_MAX_BYTES;
use wire::{EntryError, LogEntry, RejectedEntry};

use crate::error::ApiError;

/// An entry's JSON text is never longer: every byte of its text as `\u00XX`, and its other fields.
const ENTRY_TEXT_MAX_BYTES: usize = 6 * ENTRY_MAX_BYTES + 4096;

/// The frame of a batch.
#[derive(Debug, Deserialize)]
pub struct BatchFrame<'a> {
    /// Whose, not checked yet.
    #[serde(borrow)]
    pub machine_id: Cow<'a, str>,
    /// The numbering spool.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The entries as text.
    #[serde(borrow)]
    pub logs: RawEntries<'a>,
}

/// The entries of a batch as text, up to the bound.
#[derive(Debug, Default)]
pub struct RawEntries<'a> {
    /// The text of each.
    pub texts: Vec<&'a RawValue>,
    /// There are more than [`BATCH_MAX_ENTRIES`].
    pub too_many: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for RawEntries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawEntries<'a>, D::Error> {
        struct Bounded;

        impl<'de> Visitor<'de> for Bounded {
            type Value = RawEntries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawEntries<'de>, A::Error> {
                let mut entries = RawEntries::default();
                while entries.texts.len() < BATCH_MAX_ENTRIES {
                    match seq.next_element::<&'de RawValue>()? {
                        Some(text) => entries.texts.push(text),
                        None => return Ok(entries),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    entries.too_many = true;
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_seq(Bounded)
    }
}

/// Reads the frame.
///
/// # Errors
/// The body is no JSON, no batch, or has too many entries.
pub fn read_frame(body: &[u8]) -> Result<BatchFrame<'_>, ApiError> {
    let frame: BatchFrame<'_> = serde_json::from_slice(body).map_err(|error| {
        let message = format!(
            "the body cannot be read as a batch: {error}; send {{\"machine_id\", \"epoch\", \
             \"logs\": [...]}}"
        );
        ApiError::bad_request("malformed_json", message)
    })?;
    if frame.logs.too_many {
        return Err(ApiError::too_large(format!(
            "the batch has more than {BATCH_MAX_ENTRIES} entries; send fewer at once"
        )));
    }
    if frame.epoch.is_some_and(|epoch| epoch > i64::MAX as u64) {
        return Err(ApiError::bad_request(
            "bad_field",
            "field \"epoch\" is larger than 2^63 - 1",
        ));
    }
    Ok(frame)
}

/// An entry that was not taken.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Its number, when that much could be read.
    pub seq: Option<u64>,
    /// Code and words for the sender.
    pub answer: RejectedEntry,
}

/// Reads one entry.
///
/// # Errors
/// It cannot be taken; the number is kept when it can be read.
pub fn read_entry(index: usize, text: &RawValue) -> Result<LogEntry, Refused> {
    let refuse = |seq, code: &str, message: String| Refused {
        seq,
        answer: RejectedEntry {
            index,
            code: code.to_owned(),
            message,
        },
    };
    let size = text.get().len();
    if size > ENTRY_TEXT_MAX_BYTES {
        let error = EntryError::TooLarge(size);
        return Err(refuse(seq_of(text.get()), error.code(), error.to_string()));
    }
    if let Some(Ok(entry)) = LogEntry::from_json_text(text.get()) {
        return Ok(entry);
    }
    // Read again for the words of refusal. Deeper than 128 levels is refused here, by serde_json's own bound.
    let value: Value = serde_json::from_str(text.get()).map_err(|error| {
        refuse(
            seq_of(text.get()),
            "bad_json",
            format!("the entry cannot be read: {error}"),
        )
    })?;
    let seq = value.get("seq").and_then(Value::as_u64);
    LogEntry::from_json(value).map_err(|error| refuse(seq, error.code(), error.to_string()))
}

/// The number of an entry that cannot be read as a whole.
fn seq_of(text: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: Option<u64>,
    }
    serde_json::from_str::<Numbered>(text).ok()?.seq
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_code(body: &str) -> &'static str {
        read_frame(body.as_bytes()).unwrap_err().code()
    }

    #[test]
    fn what_is_no_batch_is_refused_whole() {
        for body in [
            "",
            "{",
            "[]",
            "5",
            "null",
            "{}",
            "{\"machine_id\":\"VM001\"}",
            "{\"machine_id\":5,\"logs\":[]}",
            "{\"machine_id\":\"VM001\",\"logs\":{}}",
            "{\"machine_id\":\"VM001\",\"epoch\":-1,\"logs\":[]}",
            "{\"machine_id\":\"VM001\",\"logs\":[]} trailing",
        ] {
            assert_eq!(error_code(body), "malformed_json", "{body}");
        }
    }

    #[test]
    fn more_entries_than_the_bound_are_refused_without_being_kept() {
        let logs = vec!["1"; BATCH_MAX_ENTRIES + 1].join(",");
        let body = format!("{{\"machine_id\":\"VM001\",\"logs\":[{logs}]}}");
        assert_eq!(error_code(&body), "too_large");
    }

    #[test]
    fn a_bomb_of_nested_arrays_is_one_refused_entry() {
        let bomb = "[".repeat(100_000) + &"]".repeat(100_000);
        let body =
            format!("{{\"machine_id\":\"VM001\",\"logs\":[{{\"seq\":7,\"context\":{bomb}}}]}}");
        let frame = read_frame(body.as_bytes()).unwrap();
        let refused = read_entry(0, frame.logs.texts[0]).unwrap_err();
        assert_eq!(refused.answer.code, "bad_json");
        assert_eq!(refused.seq, Some(7), "the number can be read all the same");
    }

    #[test]
    fn a_refused_entry_keeps_its_number() {
        let body = "{\"machine_id\":\"VM001\",\"logs\":[{\"seq\":9,\"level\":\"LOUD\",\
                    \"timestamp\":\"2026-01-22T14:30:15Z\"},5]}";
        let frame = read_frame(body.as_bytes()).unwrap();
        let loud = read_entry(0, frame.logs.texts[0]).unwrap_err();
        assert_eq!(
            (loud.seq, loud.answer.code.as_str()),
            (Some(9), "unknown_level")
        );
        let five = read_entry(1, frame.logs.texts[1]).unwrap_err();
        assert_eq!((five.seq, five.answer.code.as_str()), (None, "bad_field"));
    }
}
