//! One record of the journal, as `journalctl -o json` writes it, and what becomes of it. Sans-IO.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::{Map, Value};
use wire::{Level, Micros};

use super::level_of;
use crate::assemble::{AssemblyState, Kind, Record};
use crate::input::lines::{LineCutter, TEXT_MAX_BYTES, decode};
use crate::input::{At, InputEvent, Line};

/// The fields that are asked for; the journal adds its cursor and times.
pub const FIELDS: &str = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT,UNIT";
/// The component of a record that names no program.
const NAMELESS: &str = "journal";

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its position.
    pub cursor: String,
    /// When the journal got it.
    pub at: Micros,
    level: Level,
    component: String,
    message: Vec<u8>,
    is_of_systemd: bool,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "__CURSOR")]
    cursor: String,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    /// There, but empty, is not the same as not there.
    #[serde(rename = "MESSAGE", default, deserialize_with = "present")]
    message: Option<Bytes>,
    #[serde(rename = "PRIORITY")]
    priority: Option<Bytes>,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    identifier: Option<Bytes>,
    #[serde(rename = "_SYSTEMD_UNIT")]
    unit: Option<Bytes>,
    #[serde(rename = "UNIT")]
    about: Option<Bytes>,
}

impl Entry {
    /// Of one line of JSON; `None` when it is no record, or one without a message.
    pub fn parse(line: &[u8]) -> Option<Entry> {
        let raw: Raw = serde_json::from_slice(line).ok()?;
        let text = |field: &Option<Bytes>| {
            let field = field.as_ref()?;
            Some(decode(&field.0).0).filter(|text| !text.is_empty())
        };
        let unit = text(&raw.unit);
        let component = text(&raw.identifier)
            .or_else(|| unit.map(|unit| unit.trim_end_matches(".service").to_owned()))
            .unwrap_or_else(|| NAMELESS.to_owned());
        Some(Entry {
            cursor: raw.cursor,
            at: Micros(raw.at.parse().ok()?),
            level: level_of(&text(&raw.priority).unwrap_or_default()),
            component,
            message: raw.message?.0,
            is_of_systemd: raw.about.is_some(),
        })
    }

    /// Whether systemd says it of the unit, rather than the unit itself.
    pub fn is_of_systemd(&self) -> bool {
        self.is_of_systemd
    }
}

/// The lines of a record that are still to be assembled.
pub fn lines(entry: &Entry) -> Vec<InputEvent> {
    let lines = cut(&entry.message);
    let count = lines.len();
    let numbered = lines.into_iter().enumerate();
    let event = |(index, line)| InputEvent::Dated {
        line,
        at: position(entry, index, count),
        time: entry.at,
        level: entry.level,
    };
    numbered.map(event).collect()
}

/// The record as it is, in marked pieces when it is longer than an entry may be.
pub fn records(entry: &Entry) -> Vec<InputEvent> {
    let mut texts: Vec<(String, bool)> = Vec::new();
    for line in cut(&entry.message) {
        match texts.last_mut() {
            Some((text, escaped)) if text.len() + 1 + line.text.len() <= TEXT_MAX_BYTES => {
                // A cut line goes on without a line end.
                if line.first {
                    text.push('\n');
                }
                text.push_str(&line.text);
                *escaped |= line.escaped;
            }
            _ => texts.push((line.text, line.escaped)),
        }
    }
    let count = texts.len();
    let numbered = texts.into_iter().enumerate();
    let event = |(index, (message, escaped))| {
        let mut context = Map::new();
        if escaped {
            context.insert("escaped_bytes".into(), true.into());
        }
        if count > 1 {
            context.insert("piece".into(), Value::from(index + 1));
            context.insert("last_piece".into(), (index + 1 == count).into());
        }
        let is_of_application = index == 0 && !entry.is_of_systemd;
        InputEvent::Record(Box::new(Record {
            at: entry.at,
            level: entry.level,
            component: entry.component.clone(),
            message,
            context,
            kind: match is_of_application {
                true => Kind::Logged,
                false => Kind::Continued,
            },
            place: position(entry, index, count),
            state: AssemblyState::default(),
        }))
    };
    numbered.map(event).collect()
}

/// At least one line: an empty message is one too.
fn cut(message: &[u8]) -> Vec<Line> {
    let mut cutter = LineCutter::default();
    cutter.push(message);
    let mut lines: Vec<Line> = std::iter::from_fn(|| cutter.next_line()).collect();
    lines.extend(cutter.finish());
    if lines.is_empty() {
        cutter.push(b"\n");
        lines.extend(cutter.next_line());
    }
    lines
}

/// Behind the part `index` of `count`.
fn position(entry: &Entry, index: usize, count: usize) -> At {
    let cursor = match index + 1 == count {
        true => entry.cursor.clone(),
        false => format!("{}#{}", entry.cursor, index + 1),
    };
    At::Journal { cursor }
}

/// The bytes of a field: a string, an array of numbers where they are no printable text, an array
/// of these where the record has the field more than once; of those, all with line ends between.
#[derive(Debug, Default)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let part = deserializer.deserialize_any(PartVisitor)?;
        Ok(Bytes(match part {
            Part::Byte(byte) => vec![byte],
            Part::Bytes(bytes) => bytes,
        }))
    }
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
    Bytes::deserialize(deserializer).map(Some)
}

/// An element of such an array, or the whole.
enum Part {
    Byte(u8),
    Bytes(Vec<u8>),
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Part, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an array of bytes, or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Part, E> {
        Ok(Part::Bytes(text.as_bytes().to_vec()))
    }

    fn visit_unit<E: Error>(self) -> Result<Part, E> {
        Ok(Part::Bytes(Vec::new()))
    }

    fn visit_u64<E: Error>(self, byte: u64) -> Result<Part, E> {
        let byte = u8::try_from(byte).map_err(|_| E::custom("not a byte"))?;
        Ok(Part::Byte(byte))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Part, A::Error> {
        let mut bytes = Vec::new();
        let mut is_first = true;
        while let Some(part) = parts.next_element()? {
            match part {
                Part::Byte(byte) => bytes.push(byte),
                Part::Bytes(more) => {
                    if !is_first {
                        bytes.push(b'\n');
                    }
                    bytes.extend(more);
                }
            }
            is_first = false;
        }
        Ok(Part::Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fields: &str) -> Entry {
        let line = format!(
            "{{\"__CURSOR\":\"s=a;i=1\",\"__REALTIME_TIMESTAMP\":\"1769092215000001\",{fields}}}"
        );
        Entry::parse(line.as_bytes()).expect(fields)
    }

    fn texts(events: Vec<InputEvent>) -> Vec<(String, At)> {
        let text = |event| match event {
            InputEvent::Record(record) => (record.message, record.place),
            InputEvent::Dated { line, at, .. } => (line.text, at),
            other => panic!("{other:?}"),
        };
        events.into_iter().map(text).collect()
    }

    fn cursor(text: &str) -> At {
        At::Journal {
            cursor: text.to_owned(),
        }
    }

    #[test]
    fn a_message_is_text_or_bytes_or_several() {
        for (fields, text) in [
            (r#""MESSAGE":"one\ntwo""#, "one\ntwo"),
            (r#""MESSAGE":[98,195,188,255,27,48]"#, "bü\\xff\u{1b}0"),
            (r#""MESSAGE":["one",[116,119,111]]"#, "one\ntwo"),
            (r#""MESSAGE":"""#, ""),
            (r#""MESSAGE":null"#, ""),
        ] {
            let events = records(&entry(fields));
            assert_eq!(texts(events), [(text.to_owned(), cursor("s=a;i=1"))]);
        }
        assert_eq!(Entry::parse(b"{\"__CURSOR\":\"s\"}"), None);
    }

    #[test]
    fn level_and_component_come_from_the_journals_own_fields() {
        let it = entry(
            r#""MESSAGE":"x","PRIORITY":"3","SYSLOG_IDENTIFIER":"py","_SYSTEMD_UNIT":"soap.service""#,
        );
        assert_eq!((it.level, it.component.as_str()), (Level::Error, "py"));
        assert_eq!(it.at, Micros(1_769_092_215_000_001));
        let it = entry(r#""MESSAGE":"x","PRIORITY":"2","_SYSTEMD_UNIT":"soap.service""#);
        assert_eq!((it.level, it.component.as_str()), (Level::Critical, "soap"));
        assert!(entry(r#""MESSAGE":"x","UNIT":"soap.service""#).is_of_systemd());
    }

    #[test]
    fn each_line_and_each_piece_has_a_position_of_its_own() {
        let it = entry(r#""MESSAGE":"one\ntwo\n""#);
        assert_eq!(
            texts(lines(&it)),
            [
                ("one".to_owned(), cursor("s=a;i=1#1")),
                ("two".to_owned(), cursor("s=a;i=1"))
            ]
        );
        let long = "word ".repeat(30_000);
        let it = entry(&format!(r#""MESSAGE":"{long}""#));
        let pieces = texts(records(&it));
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1].1, cursor("s=a;i=1#2"));
        assert_eq!(pieces[2].1, cursor("s=a;i=1"));
        let whole: String = pieces.into_iter().map(|(text, _)| text).collect();
        assert_eq!(whole, long);
    }
}
