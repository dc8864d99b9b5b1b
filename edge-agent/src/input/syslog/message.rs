//! One datagram as records: RFC 5424, RFC 3164, and what Python's `SysLogHandler` sends, which is
//! `<PRI>`, the message and perhaps a NUL. Sans-IO; nothing is refused.
//!
//! The time is that of RFC 5424, or of the configured format; else the moment it came, for RFC 3164
//! has neither year nor zone, and the sender is on this machine.

use serde_json::Map;
use wire::{Level, Micros};

use super::super::lines;
use crate::assemble::{AssemblyState, Kind, Record, component_of};
use crate::config::input::Reading;
use crate::input::At;

mod header;

use header::Header;

/// The component of what does not say its own.
const SYSLOG: &str = "syslog";

/// Reads datagrams as the configuration says.
#[derive(Debug)]
pub struct Reader {
    reading: Option<Reading>,
}

impl Reader {
    /// `reading`: how the message itself is formatted, if it is.
    pub fn new(reading: Option<Reading>) -> Reader {
        Reader { reading }
    }

    /// Gives out the record of a datagram that came at `now`; one that is too long for an entry
    /// comes in marked pieces.
    pub fn read(&self, bytes: &[u8], now: Micros, out: &mut impl FnMut(Record)) {
        let (header, bytes) = header::read(bytes);
        let Header {
            level,
            at,
            tag,
            context,
        } = header;
        let mut first = Record {
            at: at.unwrap_or(now),
            level: level.unwrap_or(Level::Info),
            component: tag.map_or_else(|| SYSLOG.to_owned(), |tag| component_of(&tag)),
            message: String::new(),
            context,
            kind: Kind::Logged,
            place: At::Live,
            state: AssemblyState::default(),
        };
        let mut rest = trimmed(bytes);
        let mut piece = 0;
        loop {
            let cut = lines::cut_position(rest);
            let (part, behind) = rest.split_at(cut.unwrap_or(rest.len()));
            let (text, is_escaped) = lines::decode(part);
            let mut record = first.clone();
            record.message = text;
            if is_escaped {
                record.context.insert("escaped_bytes".into(), true.into());
            }
            if piece == 0 {
                self.apply_format(&mut record);
                (first.at, first.level) = (record.at, record.level);
                first.component.clone_from(&record.component);
                first.context = Map::new();
            } else {
                record.kind = Kind::Continued;
            }
            piece += 1;
            if piece > 1 || cut.is_some() {
                record.context.insert("piece".into(), piece.into());
                let is_last = cut.is_none();
                record.context.insert("last_piece".into(), is_last.into());
            }
            out(record);
            if cut.is_none() {
                return;
            }
            rest = behind;
        }
    }

    fn apply_format(&self, record: &mut Record) {
        let Some(Reading { format, zone }) = &self.reading else {
            return;
        };
        // A message past the logger has another form: it stays as it is.
        let Some(stamped) = format.parse(&record.message, zone, Some(record.at)) else {
            return;
        };
        record.at = stamped.at;
        record.level = stamped.level;
        record.component = component_of(&stamped.name);
        record.message = stamped.message;
        record.context.extend(stamped.context);
    }
}

/// Without the NUL that Python adds, and line ends.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| !matches!(byte, b'\0' | b'\n' | b'\r'));
    &bytes[..end.map_or(0, |end| end + 1)]
}

#[cfg(test)]
mod tests;
