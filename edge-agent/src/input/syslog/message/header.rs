//! What stands before the message: priority, and the headers of RFC 5424 and RFC 3164. Each part may
//! be missing; what does not look like one belongs to the message.

use serde_json::{Map, Value};
use wire::{Level, Micros};

/// The largest priority: facility 23, severity 7.
const PRIORITY_MAX: u16 = 191;
/// The longest tag that is taken for one.
const TAG_MAX_BYTES: usize = 48;
/// Structured data of more elements than this stays in the message.
const ELEMENTS_MAX: usize = 16;
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
/// Words before a colon that are no program's name.
const NO_TAGS: [&str; 10] = [
    "critical",
    "debug",
    "error",
    "exception",
    "fatal",
    "info",
    "note",
    "notice",
    "warn",
    "warning",
];

/// What the headers say.
#[derive(Debug, Default, PartialEq)]
pub struct Header {
    pub level: Option<Level>,
    pub at: Option<Micros>,
    /// The program.
    pub tag: Option<String>,
    pub context: Map<String, Value>,
}

/// The headers, and the bytes behind them.
pub fn read(bytes: &[u8]) -> (Header, &[u8]) {
    let mut header = Header::default();
    let Some((priority, rest)) = priority(bytes) else {
        return (header, without_bom(bytes));
    };
    header.level = Some(level(priority));
    if let Some((read, rest)) = rfc5424(rest) {
        let level = header.level;
        return (Header { level, ..read }, without_bom(rest));
    }
    let rest = without_bom(rest);
    let (is_stamped, rest) = match stamp(rest) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = match (
        tag(rest, is_stamped),
        is_stamped.then(|| host(rest)).flatten(),
    ) {
        (Some((tag, pid, rest)), _) => {
            header.take_tag(tag, pid);
            rest
        }
        // The host is this machine.
        (None, Some(rest)) => match tag(rest, is_stamped) {
            Some((tag, pid, rest)) => {
                header.take_tag(tag, pid);
                rest
            }
            None => rest,
        },
        (None, None) => rest,
    };
    (header, rest)
}

impl Header {
    fn take_tag(&mut self, tag: &str, pid: Option<u32>) {
        self.tag = Some(tag.to_owned());
        if let Some(pid) = pid {
            self.context.insert("pid".into(), pid.into());
        }
    }
}

fn priority(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let rest = bytes.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|byte| *byte == b'>')?;
    let number: u16 = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    (number <= PRIORITY_MAX && rest[0].is_ascii_digit()).then_some((number, &rest[end + 1..]))
}

/// Python maps CRITICAL to severity 2 and DEBUG to 7.
fn level(priority: u16) -> Level {
    match priority & 7 {
        0..=2 => Level::Critical,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    }
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// `1 TIME HOST APP PROCID MSGID STRUCTURED-DATA MESSAGE`
fn rfc5424(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let rest = bytes.strip_prefix(b"1 ")?;
    let (time, rest) = word(rest)?;
    let at = match time {
        "-" => None,
        time => Some(Micros::parse_rfc3339(time).ok()?),
    };
    let (_host, rest) = word(rest)?;
    let (app, rest) = word(rest)?;
    let (process, rest) = word(rest)?;
    let (kind, rest) = word(rest)?;
    let mut context = Map::new();
    for (key, value) in [("pid", process), ("msgid", kind)] {
        if value != "-" {
            context.insert(key.into(), value.into());
        }
    }
    let rest = match rest.strip_prefix(b"-") {
        Some(rest) => rest,
        None => structured(rest, &mut context)?,
    };
    let rest = match rest {
        [] => rest,
        _ => rest.strip_prefix(b" ")?,
    };
    let header = Header {
        level: None,
        at,
        tag: (app != "-").then(|| app.to_owned()),
        context,
    };
    Some((header, rest))
}

fn word(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b' ')?;
    let word = std::str::from_utf8(&bytes[..end]).ok()?;
    (!word.is_empty()).then_some((word, &bytes[end + 1..]))
}

/// `[id key="value" ...][id ...]`
fn structured<'a>(bytes: &'a [u8], context: &mut Map<String, Value>) -> Option<&'a [u8]> {
    let mut rest = bytes;
    for _ in 0..ELEMENTS_MAX {
        let Some(inside) = rest.strip_prefix(b"[") else {
            break;
        };
        let end = inside.iter().position(|byte| matches!(byte, b' ' | b']'))?;
        let id = std::str::from_utf8(&inside[..end]).ok()?;
        let mut values = Map::new();
        rest = &inside[end..];
        while let Some(pair) = rest.strip_prefix(b" ") {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            let key = std::str::from_utf8(&pair[..equals]).ok()?;
            let quoted = pair[equals + 1..].strip_prefix(b"\"")?;
            let (value, behind) = unquoted(quoted)?;
            values.insert(key.to_owned(), value.into());
            rest = behind;
        }
        rest = rest.strip_prefix(b"]")?;
        context.insert(id.to_owned(), values.into());
    }
    (rest.len() < bytes.len()).then_some(rest)
}

/// Up to the closing quote; `\"`, `\\` and `\]` stand for themselves.
fn unquoted(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut value = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some((String::from_utf8(value).ok()?, &bytes[at + 1..])),
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\' | b']')) => {
                value.push(bytes[at + 1]);
                at += 2;
            }
            byte => {
                value.push(byte);
                at += 1;
            }
        }
    }
    None
}

/// `Jan  2 15:04:05 `; the bytes behind it.
fn stamp(bytes: &[u8]) -> Option<&[u8]> {
    const PATTERN: &[u8] = b"Mmm dd hh:mm:ss ";
    let stamp = bytes.get(..PATTERN.len())?;
    let fits = stamp[3..]
        .iter()
        .zip(&PATTERN[3..])
        .all(|(byte, wanted)| match wanted {
            b' ' | b':' => byte == wanted,
            _ => byte.is_ascii_digit() || *byte == b' ',
        });
    (fits && MONTHS.contains(&&stamp[..3])).then_some(&bytes[PATTERN.len()..])
}

/// The bytes behind a host's name.
fn host(bytes: &[u8]) -> Option<&[u8]> {
    let (host, rest) = word(bytes)?;
    (!host.ends_with(':')).then_some(rest)
}

/// `tag: ` or `tag[123]: `. Without a stamp before it, which Python does not send, only what looks
/// like a program's name is one: a message may begin with a word and a colon.
fn tag(bytes: &[u8], is_stamped: bool) -> Option<(&str, Option<u32>, &[u8])> {
    let colon = bytes
        .iter()
        .take(TAG_MAX_BYTES)
        .position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&bytes[..colon]).ok()?;
    let rest = match &bytes[colon + 1..] {
        [] => &[][..],
        rest => rest.strip_prefix(b" ")?,
    };
    let (name, pid) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((name, pid)) => (name, Some(pid.parse().ok()?)),
        None => (name, None),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let is_name = !name.is_empty() && name.bytes().all(is_plain);
    let is_program = is_stamped
        || pid.is_some()
        || (name.starts_with(|first: char| first.is_ascii_lowercase()) && !NO_TAGS.contains(&name));
    (is_name && is_program).then_some((name, pid, rest))
}
