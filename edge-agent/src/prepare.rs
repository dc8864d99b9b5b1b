//! From a record to the entry that may be written: redacted first, then classified.

use std::sync::Arc;

use wire::entry::ENTRY_MAX_BYTES;
use wire::redact::{self, Redactor};
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
        component: redact::cards(&record.component).into_owned(),
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
