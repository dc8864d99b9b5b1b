//! From a file's bytes to drops, and to what cannot be read, with the reason in words that say what
//! to do. Pure but for the dictionaries, which are looked up.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use store::{Machine, NewQuarantined, QUARANTINE_ITEM_MAX_BYTES};
use wire::drops::{Dictionary, DictionaryId, DropError, ReadDrop, ReadForm};
use wire::{MachineId, Micros};

use super::{Content, RawFile, identify, redact};

/// Something in a file.
#[derive(Debug)]
pub enum Found {
    /// A drop of a registered machine.
    Drop(Box<FoundDrop>),
    /// What cannot be stored; redacted.
    Waits(Box<NewQuarantined>),
    /// Nothing that looks like a drop, where other things are to be expected.
    Skipped,
}

/// A drop of a registered machine.
#[derive(Debug)]
pub struct FoundDrop {
    /// Whose it is, which need not be whom it names.
    pub machine: MachineId,
    /// What it says.
    pub drop: ReadDrop,
    /// Name of its part of the file.
    pub name: String,
    /// Its bytes as they were read, not redacted: not to be kept.
    pub bytes: Vec<u8>,
}

/// What reading is done with.
pub struct Known<'a> {
    /// The machines that are registered.
    pub machines: &'a [Machine],
    /// Finds a dictionary.
    pub dictionary: &'a dyn Fn(DictionaryId) -> Option<Arc<Dictionary>>,
}

/// Everything in a file.
pub fn file(known: &Known<'_>, file: &RawFile) -> Vec<Found> {
    let bytes = match &file.content {
        Content::Whole(bytes) => bytes,
        // Presentations, newsletters: drops come in mails of a few kilobytes.
        Content::TooLarge { .. } if file.is_mailbox => return vec![Found::Skipped],
        Content::TooLarge { size_bytes, head } => {
            let most = ::drops::limits::FILE_BYTES;
            let problem = Problem::new(
                "too_large",
                format!(
                    "The file has {size_bytes} bytes and was not read: a file of drops has at most \
                     {most}. Look what put it there, and discard this."
                ),
            );
            return vec![Found::Waits(Box::new(beginning(
                file,
                head,
                *size_bytes,
                problem,
            )))];
        }
    };
    match ::drops::unpack(&file.name, bytes) {
        Ok(parts) => {
            let read = parts
                .iter()
                .flat_map(|part| several(known, file, &part.name, &part.bytes));
            without_footers(read.collect())
        }
        // Somebody's pictures. A zip that is damaged or locked may have been one of drops.
        Err(error) if file.is_mailbox && matches!(error.code, "nothing_inside" | "too_much") => {
            vec![Found::Skipped]
        }
        Err(error) => {
            let problem = Problem::new(unpack_code(error.code), sentence(&error.message));
            vec![Found::Waits(Box::new(waits(
                file, &file.name, bytes, problem,
            )))]
        }
    }
}

/// Our code of an unpacker's.
fn unpack_code(code: &'static str) -> &'static str {
    match code {
        "encrypted" | "nested" | "too_much" | "nothing_inside" => code,
        _ => "not_unpacked",
    }
}

/// Beside a drop, what is none is a footer, a signature, a note in the zip: nothing to tell.
fn without_footers(found: Vec<Found>) -> Vec<Found> {
    let is_drop = |found: &Found| match found {
        Found::Drop(_) => true,
        Found::Waits(waits) => waits.code != "not_a_drop",
        Found::Skipped => false,
    };
    if !found.iter().any(is_drop) {
        return found;
    }
    let footer = |found| {
        if is_drop(&found) {
            found
        } else {
            Found::Skipped
        }
    };
    found.into_iter().map(footer).collect()
}

/// One part of a file, which may be several drops behind each other.
fn several(known: &Known<'_>, file: &RawFile, name: &str, bytes: &[u8]) -> Vec<Found> {
    let text = String::from_utf8_lossy(bytes);
    match wire::drops::split(&text, file.at) {
        Ok(pieces) if pieces.len() > 1 => pieces
            .into_iter()
            .flat_map(|piece| one(known, file, name, piece.as_bytes()))
            .collect(),
        Ok(_) => one(known, file, name, bytes),
        Err(error) => {
            let problem = unreadable(&error);
            vec![Found::Waits(Box::new(waits(file, name, bytes, problem)))]
        }
    }
}

/// One drop, and beside it what could not be read of it.
fn one(known: &Known<'_>, file: &RawFile, name: &str, bytes: &[u8]) -> Vec<Found> {
    let waiting = |problem| Found::Waits(Box::new(waits(file, name, bytes, problem)));
    let drop = match wire::drops::read(bytes, file.at, |id| (known.dictionary)(id)) {
        Ok(drop) => drop,
        // The reader knows best what a drop looks like; only a name that agents give speaks against
        // it in a mailbox, where most mails are about other things.
        Err(DropError::NotADrop(_) | DropError::TooLarge(_))
            if file.is_mailbox && identify::by_name(name).is_none() =>
        {
            return vec![Found::Skipped];
        }
        Err(error) => {
            let mut problem = unreadable(&error);
            problem.machine = whose(file, name, known.machines);
            return vec![waiting(problem)];
        }
    };
    let is_ours = drop.form != ReadForm::Bare;
    let owner = [name, file.name.as_str()]
        .into_iter()
        .find_map(|name| identify::owner(&drop.machine, is_ours, name, known.machines));
    let Some(machine) = owner else {
        return vec![waiting(unknown_machine(&drop.machine))];
    };
    let unread = (drop.unread_lines > 0).then(|| waiting(cut_lines(&machine, drop.unread_lines)));
    let drop = Found::Drop(Box::new(FoundDrop {
        machine,
        drop,
        name: name.to_owned(),
        bytes: bytes.to_vec(),
    }));
    [drop].into_iter().chain(unread).collect()
}

/// What hinders a drop.
pub struct Problem {
    code: &'static str,
    reason: String,
    machine: Option<String>,
    dictionary: Option<DictionaryId>,
}

impl Problem {
    fn new(code: &'static str, reason: String) -> Problem {
        Problem {
            code,
            reason,
            machine: None,
            dictionary: None,
        }
    }
}

/// The machine that a drop names is not registered.
pub fn unknown_machine(machine: &MachineId) -> Problem {
    Problem {
        machine: Some(machine.to_string()),
        ..Problem::new(
            "unknown_machine",
            format!(
                "The drop is of machine {machine}, which is not registered. Add the machine, and \
                 the drop is read by itself; discard it if the machine is not yours."
            ),
        )
    }
}

/// Lines of a drop in the PRD's bare form that are entries no longer; the others are stored.
fn cut_lines(machine: &MachineId, lines: u32) -> Problem {
    let which = match lines {
        1 => "One line of it was".to_owned(),
        lines => format!("{lines} lines of it were"),
    };
    Problem {
        machine: Some(machine.to_string()),
        ..Problem::new(
            "damaged",
            format!(
                "{which} cut or changed on its way, most often the last one, and cannot be read; \
                 the other lines are stored. Look what it says, and discard this."
            ),
        )
    }
}

fn unreadable(error: &DropError) -> Problem {
    let what = sentence(&error.to_string());
    let todo = match error {
        DropError::NotADrop(_) => {
            "Look at it: if it is a drop, somebody changed it on its way; if it is something else, \
             give the source a narrower pattern and discard it."
        }
        DropError::Damaged(_) => {
            "It was cut or changed on its way and is not guessed at. Its entries come by WiFi, or \
             again in a later drop if they matter; discard it, or let it be sent again."
        }
        DropError::UnknownVersion(_) => {
            "Update Vendlog here, and the drop is read by itself at the next start."
        }
        DropError::UnknownDictionary(_) => {
            "Add that dictionary (POST /api/dictionaries, or vendlog-server dictionary add), and the \
             drop is read by itself; the machine has it in its state directory."
        }
        DropError::TooLarge(_) => "Look what it is, and discard it.",
    };
    let dictionary = match error {
        DropError::UnknownDictionary(id) => Some(*id),
        _ => None,
    };
    Problem {
        dictionary,
        ..Problem::new(error.code(), format!("{what} {todo}"))
    }
}

/// Whose an unreadable part may be, by its names.
fn whose(file: &RawFile, name: &str, machines: &[Machine]) -> Option<String> {
    let by = |name: &str| identify::by_name(name).or_else(|| identify::by_serial(name, machines));
    by(name)
        .or_else(|| by(&file.name))
        .map(|machine| machine.to_string())
}

/// An item of quarantine: redacted, and known again by what arrived.
pub fn waits(file: &RawFile, name: &str, bytes: &[u8], problem: Problem) -> NewQuarantined {
    let sha256 = Sha256::digest(bytes).into();
    let size_bytes = bytes.len() as u64;
    // Redacted first: a cut through a card number would leave its beginning.
    let mut kept = redact::bytes(bytes.to_vec());
    kept.truncate(QUARANTINE_ITEM_MAX_BYTES);
    NewQuarantined {
        source: file.source.clone(),
        name: redact::name(name),
        arrived_at: file.at,
        bytes: kept,
        size_bytes,
        sha256,
        code: problem.code.to_owned(),
        reason: redact::text(&problem.reason),
        // Of an id that is a card number nothing is left that names a machine.
        machine: problem.machine.filter(|id| redact::text(id) == *id),
        dictionary: problem.dictionary,
    }
}

/// An item of quarantine of which only the beginning was read.
fn beginning(file: &RawFile, head: &[u8], size_bytes: u64, problem: Problem) -> NewQuarantined {
    let mut waits = waits(file, &file.name, head, problem);
    // The beginning of a card number at its end was not known for one.
    let kept = waits.bytes.len().saturating_sub(redact::CARD_MAX_BYTES);
    waits.bytes.truncate(kept);
    waits.size_bytes = size_bytes;
    waits
}

/// Words as a sentence: a capital letter, a full stop.
fn sentence(words: &str) -> String {
    let words = words.trim().trim_end_matches('.');
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// A file whose reading came to a bad end in our own code.
pub fn fault(file: &RawFile, at: Micros) -> NewQuarantined {
    let file = RawFile { at, ..file.clone() };
    let problem = Problem::new(
        "fault",
        "Reading it failed in Vendlog itself, whose log says more. Keep it, report it, and retry it \
         after an update."
            .to_owned(),
    );
    match &file.content {
        Content::Whole(bytes) => waits(&file, &file.name, bytes, problem),
        Content::TooLarge { head, size_bytes } => beginning(&file, head, *size_bytes, problem),
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
