//! From a record to the entry that may be written: redacted first, then classified.

use std::sync::Arc;

use wire::entry::{COMPONENT_MAX_CHARS, ENTRY_MAX_BYTES};
use wire::redact::Redactor;
use wire::{ClockState, LogEntry};

use crate::assemble::{Kind, Record};
use crate::input::lines::TEXT_MAX_BYTES;
use crate::pack::{Pack, PackState};

/// What a context too large for an entry is replaced by.
const CONTEXT_DROPPED: &str = "context_dropped";

/// The entry of a record, without its number; `clock` is how far the machine's clock can be
/// trusted now. Nothing that must not reach a disk is left in it.
pub fn prepare(
    record: &Record,
    redactor: &Redactor,
    pack: Option<&Arc<Pack>>,
    state: &mut PackState,
    clock: ClockState,
) -> LogEntry {
    let mut message = redactor.message(&record.message).into_owned();
    if let Some(pack) = pack
        && let Some(hashed) = pack.hash_ids(&message, |id| redactor.key().hash(id))
    {
        message = hashed;
    }
    let mut context = record.context.clone();
    redactor.context(&mut context);
    let mut entry = LogEntry {
        seq: None,
        timestamp: record.at,
        level: record.level,
        component: component(redactor, &record.component),
        message,
        context,
        clock,
    };
    if let Some(pack) = pack.filter(|_| record.kind == Kind::Logged) {
        pack.classify(&mut entry, state);
    }
    fit(&mut entry);
    entry
}

/// Cut after it was redacted: half a card number would not be recognised.
fn component(redactor: &Redactor, name: &str) -> String {
    let name = redactor.message(name);
    name.chars().take(COMPONENT_MAX_CHARS).collect()
}

/// Lines are cut well below the limit, so this is for what hashing and a large context add.
fn fit(entry: &mut LogEntry) {
    if entry.size_bytes() <= ENTRY_MAX_BYTES {
        return;
    }
    entry.context.clear();
    entry.context.insert(CONTEXT_DROPPED.into(), true.into());
    if entry.size_bytes() > ENTRY_MAX_BYTES {
        let mut end = TEXT_MAX_BYTES;
        while !entry.message.is_char_boundary(end) {
            end -= 1;
        }
        entry.message.truncate(end);
        entry.context.insert("shortened".into(), true.into());
    }
}

#[cfg(test)]
mod tests {
    use wire::Micros;
    use wire::redact::{HashKey, Rules};

    use super::*;
    use crate::assemble::{Assembler, AssemblyState};
    use crate::assemble::{Format, Json, Zone};
    use crate::input::{At, Line};

    fn entry(text: &str) -> LogEntry {
        let line = Line {
            text: text.to_owned(),
            escaped: false,
            first: true,
            last: true,
            end: 0,
            tail: 0,
        };
        let state = AssemblyState::default();
        let mut assembler = Assembler::new(Format::Json(Json), Zone::utc(), state);
        let mut records = Vec::new();
        assembler.line(line, At::Live, Micros(0), &mut records);
        assembler.flush(Micros(0), &mut records);
        let rules = Rules {
            hash_fields: vec!["transaction_id".into()],
            drop_fields: vec![],
        };
        let redactor = Redactor::new(HashKey::new([7; 32]), rules);
        let mut state = PackState::default();
        prepare(
            &records[0],
            &redactor,
            None,
            &mut state,
            ClockState::Unsynced,
        )
    }

    #[test]
    fn a_component_is_redacted_like_a_message_and_then_cut() {
        for name in [
            r#"{"transaction_id":"1573124782"}"#,
            r#""transaction_id=1573124782""#,
            r#""4111111111111111""#,
            r#""a name that is as long as names can be 4111111111111111""#,
        ] {
            let entry = entry(&format!(r#"{{"ts":1,"msg":"x","name":{name}}}"#));
            let component = entry.component;
            assert!(component.chars().count() <= COMPONENT_MAX_CHARS);
            assert!(
                !component.contains("1573") && !component.contains("4111"),
                "{component}"
            );
        }
    }

    #[test]
    fn an_entry_says_what_the_clock_was() {
        assert_eq!(entry(r#"{"ts":1,"msg":"x"}"#).clock, ClockState::Unsynced);
    }
}
