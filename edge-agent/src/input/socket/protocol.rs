//! The lines of the socket as values. Sans-IO; what they mean is said in the module above.

use serde::Serialize;
use serde_json::{Map, Value};
use wire::Micros;
use wire::entry::ENTRY_MAX_BYTES;

use super::senders::SenderId;
use crate::assemble::{AssemblyState, Kind, Record, level};
use crate::eport::{Offer, ReaderFacts};
use crate::input::At;

/// The longest line: an entry has at most 64 KiB, and JSON may write most texts in four times that.
pub const LINE_MAX_BYTES: usize = 256 * 1024;
/// Words of a client are repeated in a refusal up to so many characters.
const SHOWN_CHARS: usize = 40;

/// A line of a client.
#[derive(Debug)]
pub enum Request {
    /// An entry, and its number.
    Entry(Box<Record>, Option<u64>),
    /// Numbering begins.
    Hello {
        /// Who numbers.
        sender: SenderId,
        /// The lowest number not settled.
        next: u64,
    },
    /// Everything before is to be synced.
    Sync,
    /// How is the agent?
    Status,
    /// What is to be brought to the card reader?
    NextDrop,
    /// The card reader has taken the drop with this id.
    DropSent(u64, Box<ReaderFacts>),
    /// It has not, for this reason.
    DropFailed(u64, String, Box<ReaderFacts>),
}

/// Why something is not stored, or not known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Not taken in time.
    Busy,
    /// There is no room.
    SpoolFull,
    /// Taken, but not known to be on disk in time.
    Unsure,
    /// Not the next number.
    OutOfOrder,
    /// The agent ends.
    Stopping,
    /// More clients than there may be.
    TooManyConnections,
    /// It cannot be read.
    BadEntry,
    /// Larger than allowed.
    TooLarge,
    /// No such command.
    UnknownCommand,
    /// Drops do not go by the socket on this machine.
    NoHandoff,
}

impl Code {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Busy => "busy",
            Code::SpoolFull => "spool_full",
            Code::Unsure => "unsure",
            Code::OutOfOrder => "out_of_order",
            Code::Stopping => "stopping",
            Code::TooManyConnections => "too_many_connections",
            Code::BadEntry => "bad_entry",
            Code::TooLarge => "too_large",
            Code::UnknownCommand => "unknown_command",
            Code::NoHandoff => "no_handoff",
        }
    }

    /// Whether the same may be taken later.
    pub fn may_retry(self) -> bool {
        use Code::{BadEntry, NoHandoff, TooLarge, UnknownCommand};
        !matches!(self, BadEntry | TooLarge | UnknownCommand | NoHandoff)
    }
}

/// An answer, as it is written.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Box<Status>>,
    /// `Some(None)` is written as null.
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<Option<Box<Offered>>>,
}

/// A drop as it is handed to the vending application.
#[derive(Debug, Serialize)]
pub struct Offered {
    id: u64,
    name: String,
    data: String,
    urgent: bool,
}

/// How the agent is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The agent's version.
    pub version: &'static str,
    /// The spool's epoch.
    pub epoch: u64,
    /// The last seq that is durable.
    pub last_seq: u64,
    /// Bytes of the spool on disk.
    pub spool_bytes: u64,
    /// `yes`, `spool_full` or `disk_full`.
    pub accepting: &'static str,
}

impl Answer {
    /// Done, with nothing more to say.
    pub fn done() -> Answer {
        Answer {
            ok: true,
            ..Answer::default()
        }
    }

    /// The entry is durable.
    pub fn stored(seq: u64) -> Answer {
        Answer {
            seq: Some(seq),
            ..Answer::done()
        }
    }

    /// The entry was durable before.
    pub fn duplicate() -> Answer {
        Answer {
            duplicate: true,
            ..Answer::done()
        }
    }

    /// To a hello: the last number used up.
    pub fn last(last: u64) -> Answer {
        Answer {
            last: Some(last),
            ..Answer::done()
        }
    }

    /// How the agent is.
    pub fn status(status: Status) -> Answer {
        Answer {
            status: Some(Box::new(status)),
            ..Answer::done()
        }
    }

    /// What is to be brought to the card reader, if anything is.
    pub fn drop(offer: Option<Offer>) -> Answer {
        let offered = offer.map(|offer| {
            Box::new(Offered {
                id: offer.id,
                name: offer.name,
                data: offer.data,
                urgent: offer.is_urgent,
            })
        });
        Answer {
            drop: Some(offered),
            ..Answer::done()
        }
    }

    /// No, and why.
    pub fn refusal(code: Code, message: impl Into<String>) -> Answer {
        Answer {
            code: Some(code.as_str()),
            retry: Some(code.may_retry()),
            message: Some(message.into()),
            ..Answer::default()
        }
    }

    /// Not the next number of its sender.
    pub fn out_of_order(last: Option<u64>) -> Answer {
        let message = "n is not the next number; connect anew and say hello";
        Answer {
            last,
            ..Answer::refusal(Code::OutOfOrder, message)
        }
    }

    /// About the entry with this number.
    pub fn about(self, n: Option<u64>) -> Answer {
        Answer { n, ..self }
    }

    /// The number that the answer repeats.
    pub fn number(&self) -> Option<u64> {
        self.n
    }

    /// Appends it as a line.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Writing plain fields to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, self);
        out.push(b'\n');
    }
}

/// Reads a line without its end; `now` is the time of an entry that carries none.
///
/// # Errors
/// The refusal, with the entry's number as far as it could be read.
pub fn parse(line: &[u8], now: Micros) -> Result<Request, Answer> {
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(|error| {
        let message = format!("the line is no JSON object in UTF-8: {error}");
        Answer::refusal(Code::BadEntry, message)
    })?;
    if let Some(command) = object.get("cmd") {
        return parse_command(command, &object);
    }
    let n = object.get("n").and_then(Value::as_u64).filter(|n| *n > 0);
    let is_numbered = object.get("n").is_some_and(|n| !n.is_null());
    if is_numbered && n.is_none() {
        return Err(bad("n must be a whole number from 1 up"));
    }
    match parse_entry(object, now) {
        Ok(record) => Ok(Request::Entry(Box::new(record), n)),
        Err(refusal) => Err(refusal.about(n)),
    }
}

fn parse_command(command: &Value, object: &Map<String, Value>) -> Result<Request, Answer> {
    match command.as_str() {
        Some("hello") => {
            let sender = object.get("sender").and_then(Value::as_str);
            let sender = sender.and_then(SenderId::named).ok_or_else(|| {
                bad("sender must be 1-64 characters of A-Z a-z 0-9 _ -, drawn at random")
            })?;
            let next = object.get("next").and_then(Value::as_u64);
            let next = next.filter(|next| *next > 0);
            let next = next.ok_or_else(|| bad("next must be a whole number from 1 up"))?;
            Ok(Request::Hello { sender, next })
        }
        Some("sync") => Ok(Request::Sync),
        Some("status") => Ok(Request::Status),
        Some("next_drop") => Ok(Request::NextDrop),
        Some("drop_sent") => {
            let id = drop_id(object)?;
            Ok(Request::DropSent(id, Box::new(reader_facts(object))))
        }
        Some("drop_failed") => {
            let reason = object.get("reason").and_then(Value::as_str);
            let reason = reason
                .ok_or_else(|| bad("reason must be a text"))?
                .to_owned();
            let facts = Box::new(reader_facts(object));
            Ok(Request::DropFailed(drop_id(object)?, reason, facts))
        }
        other => {
            let shown: String = other.unwrap_or("…").chars().take(SHOWN_CHARS).collect();
            let message = format!(
                "cmd \"{shown}\" is not known; there is: hello, sync, status, next_drop, \
                 drop_sent, drop_failed"
            );
            Err(Answer::refusal(Code::UnknownCommand, message))
        }
    }
}

fn drop_id(object: &Map<String, Value>) -> Result<u64, Answer> {
    let id = object.get("id").and_then(Value::as_u64);
    id.ok_or_else(|| bad("id must be the number of the drop that was handed out"))
}

/// What the application knows of the reader; whatever is not there or is something else is left out.
fn reader_facts(object: &Map<String, Value>) -> ReaderFacts {
    let number = |key: &str| object.get(key).and_then(Value::as_i64);
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let small = |key: &str| number(key).and_then(|number| i32::try_from(number).ok());
    ReaderFacts {
        signal_rssi: small("signal_rssi"),
        signal_ber: small("signal_ber"),
        serial: text("reader_serial"),
        time_offset_s: number("time_offset_s"),
        state: text("reader_state"),
        error: None,
    }
}

fn parse_entry(mut object: Map<String, Value>, now: Micros) -> Result<Record, Answer> {
    let Some(Value::String(word)) = object.remove("level") else {
        return Err(bad("level must be a text such as \"ERROR\""));
    };
    let component = match object.remove("component") {
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        _ => return Err(bad("component must be a text that is not empty")),
    };
    let Some(Value::String(message)) = object.remove("message") else {
        return Err(bad("message must be a text"));
    };
    let mut context = match object.remove("context") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(context)) => context,
        Some(_) => return Err(bad("context must be a JSON object")),
    };
    let at = match object.remove("timestamp") {
        None | Some(Value::Null) => Some(now),
        Some(Value::String(text)) => Micros::parse_rfc3339(&text).ok(),
        Some(Value::Number(number)) => number.as_f64().and_then(from_seconds),
        Some(_) => None,
    };
    let at = at.ok_or_else(|| {
        bad("timestamp must be RFC 3339 such as 2026-01-22T14:30:15.123Z, or seconds since 1970")
    })?;
    let size = message.len() + component.len() + json_len(&context);
    if size > ENTRY_MAX_BYTES {
        let message = format!("the entry has {size} bytes, more than {ENTRY_MAX_BYTES}");
        return Err(Answer::refusal(Code::TooLarge, message));
    }
    let level = level(&word, &mut context);
    Ok(Record {
        at,
        level,
        component,
        message,
        context,
        kind: Kind::Logged,
        place: At::Live,
        state: AssemblyState::default(),
    })
}

fn json_len(context: &Map<String, Value>) -> usize {
    if context.is_empty() {
        return 0;
    }
    serde_json::to_string(context).map_or(usize::MAX / 2, |json| json.len())
}

/// The largest number of seconds that is a time: the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

fn from_seconds(seconds: f64) -> Option<Micros> {
    let is_time = (0.0..=SECONDS_MAX).contains(&seconds);
    is_time.then(|| Micros((seconds * 1e6).round() as i64))
}

fn bad(message: &str) -> Answer {
    Answer::refusal(Code::BadEntry, message)
}

#[cfg(test)]
mod tests;
