//! A step of a simulated application as the entry that an agent with the `soap` pack sends.

use wire::redact::{self, HashKey};
use wire::{ClockState, Level, LogEntry};

use crate::app::{Output, Step};

const TRANSACTION: &str = "Transaction ID: ";

/// The entry for a step, redacted as an agent redacts it; a restart writes nothing.
pub fn entry(step: &Step, seq: u64, key: &HashKey) -> Option<LogEntry> {
    let (level, component, message, context) = match &step.output {
        Output::Restart => return None,
        Output::Print(line) => (Level::Info, "stdout", line.as_str(), Default::default()),
        Output::Record(record) => {
            let meant = &record.meant;
            (
                meant.level,
                meant.component,
                record.message.as_str(),
                meant.context.clone(),
            )
        }
    };
    let message = match message.strip_prefix(TRANSACTION) {
        Some(id) => format!("{TRANSACTION}{}", key.hash(id)),
        None => redact::cards(message).into_owned(),
    };
    Some(LogEntry {
        seq: Some(seq),
        timestamp: step.at,
        level,
        component: component.to_owned(),
        message,
        context,
        clock: ClockState::Synced,
    })
}
