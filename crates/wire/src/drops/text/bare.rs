//! Lines as the PRD has them, from senders that do not number: no `drop` line, no checksum, and a
//! last line that may be cut in its middle.

use super::stamp::Stamp;
use super::{context, line};
use crate::drops::{DropEntry, DropError, ReadDrop, ReadForm};
use crate::entry::COMPONENT_MAX_CHARS;
use crate::{ClockState, LogEntry, MachineId, Micros};

/// The fields before the message.
const FIELDS: usize = 6;

/// Reads bare lines; what is no such line is passed over, and counted when it looks like one.
///
/// # Errors
/// There is no such line, they are of several machines, or lines of ours that lost their first one.
pub(super) fn read(lines: &[&str], received_at: Micros) -> Result<ReadDrop, DropError> {
    let mut machine: Option<MachineId> = None;
    let mut entries = Vec::new();
    let mut others = Vec::new();
    for line in lines {
        if line::is_ours(line) {
            let why = "its first line is missing or was changed; the other lines are ours";
            return Err(DropError::Damaged(why.to_owned()));
        }
        let Some((from, entry)) = read_line(line, received_at) else {
            others.push(line);
            continue;
        };
        if machine.as_ref().is_some_and(|machine| *machine != from) {
            let why = "it has lines of several machines, and no first line of ours";
            return Err(DropError::Damaged(why.to_owned()));
        }
        machine = Some(from);
        entries.push(DropEntry {
            entry,
            is_summary: true,
        });
    }
    let Some(machine) = machine else {
        let why = "no line of it begins MACHINE|MMDD-HHMM|L|";
        return Err(DropError::NotADrop(why));
    };
    let begin = format!("{machine}|");
    let unread = others.iter().filter(|line| line.starts_with(&begin));
    Ok(ReadDrop {
        machine,
        header: None,
        entries,
        form: ReadForm::Bare,
        unread_lines: u32::try_from(unread.count()).unwrap_or(u32::MAX),
    })
}

/// Whether a line is a bare entry.
pub(super) fn is_entry(line: &str, received_at: Micros) -> bool {
    read_line(line, received_at).is_some()
}

fn read_line(line: &str, received_at: Micros) -> Option<(MachineId, LogEntry)> {
    let fields: Vec<&str> = line.splitn(FIELDS, '|').collect();
    let [machine, stamp, letter, component, message, rest @ ..] = fields.as_slice() else {
        return None;
    };
    let component = component.trim();
    if !(1..=COMPONENT_MAX_CHARS).contains(&component.chars().count()) {
        return None;
    }
    let entry = LogEntry {
        seq: None,
        timestamp: Stamp::read(stamp.trim())?.latest(received_at, 0, 0)?,
        level: line::level(letter.trim())?,
        component: component.to_owned(),
        message: message.trim().to_owned(),
        context: context::read_bare(rest.first().unwrap_or(&"")),
        clock: ClockState::Synced,
    };
    Some((machine.trim().parse().ok()?, entry))
}
