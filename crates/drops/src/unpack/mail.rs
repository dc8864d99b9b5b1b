//! A mail around drops: attachments if there are any that could be one, else the body.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::{Depth, Opened, UnpackError};
use crate::folder::{shown_name, shown_text};

/// Header lines that are looked at to tell a mail from a text.
const HEADER_LINES: usize = 60;
/// A mail has at least so many of the fields below.
const FIELDS_LEAST: usize = 2;
/// Fields of which every mail that reached a mailbox has some.
const FIELDS: [&str; 10] = [
    "received",
    "return-path",
    "delivered-to",
    "from",
    "to",
    "date",
    "subject",
    "message-id",
    "mime-version",
    "content-type",
];
/// More boundaries than this are no mail but an attempt to fill our memory: a part of a few bytes
/// costs a few hundred.
const BOUNDARIES: usize = 5_000;

/// What is said of a mail that the parser itself did not survive.
pub(super) const BROKE_THE_READER: &str = "the mail is so broken that it cannot be read at all";

/// Whether this begins with the headers of a mail.
pub(super) fn looks_like_one(bytes: &[u8]) -> bool {
    let mut found = 0;
    for line in bytes.split(|byte| *byte == b'\n').take(HEADER_LINES) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line[0] == b' ' || line[0] == b'\t' {
            continue;
        }
        let name = line.iter().position(|byte| *byte == b':');
        let Some(name) = name.and_then(|end| std::str::from_utf8(&line[..end]).ok()) else {
            return false;
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return false;
        }
        if FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field)) {
            found += 1;
        }
    }
    found >= FIELDS_LEAST
}

/// Opens a mail.
pub(super) fn open(
    opened: &mut Opened,
    name: &str,
    bytes: &[u8],
    depth: Depth,
) -> Result<(), UnpackError> {
    match parse(bytes)? {
        Some(message) => open_message(opened, name, &message, depth),
        None => Err(UnpackError::new("damaged", "the mail cannot be read")),
    }
}

/// Names of a mail's attachments, for a source that only wants some.
pub(crate) fn attachment_names(bytes: &[u8]) -> Vec<String> {
    let message = parse(bytes).ok().flatten();
    let names = message.iter().flat_map(|message| message.attachments());
    names
        .filter_map(|part| part.attachment_name().map(shown_name))
        .collect()
}

fn parse(bytes: &[u8]) -> Result<Option<Message<'_>>, UnpackError> {
    let boundaries = bytes.windows(3).filter(|three| three == b"\n--").count();
    if boundaries > BOUNDARIES {
        return Err(UnpackError::too_much(format!(
            "the mail has {boundaries} parts"
        )));
    }
    // The parser has assertions of its own that hostile mails can break (in debug builds one that
    // the fuzz test found); a source must outlive any mail.
    std::panic::catch_unwind(|| MessageParser::default().parse(bytes))
        .map_err(|_| UnpackError::new("damaged", BROKE_THE_READER))
}

fn open_message(
    opened: &mut Opened,
    name: &str,
    message: &Message<'_>,
    depth: Depth,
) -> Result<(), UnpackError> {
    if depth.mails >= super::MAILS_DEEP {
        opened.ignore("mails within mails within mails");
        return Ok(());
    }
    let depth = Depth {
        mails: depth.mails + 1,
        ..depth
    };
    if is_kind(message.root_part(), "multipart", "report") {
        opened.ignore("a report that a mail was or was not delivered");
        return Ok(());
    }
    let subject = shown_text(message.subject().unwrap_or(""));
    let name = if subject.is_empty() { name } else { &subject };
    let before = opened.parts.len();
    for part in message.attachments() {
        open_attachment(opened, name, part, depth)?;
    }
    // A body beside an attachment says "see attached".
    if opened.parts.len() > before {
        return Ok(());
    }
    let mut body = String::new();
    for position in 0..message.text_body_count() {
        if message.text_part(position as u32).is_some_and(is_attached) {
            continue;
        }
        // Of a mail with HTML only this is its text.
        if let Some(text) = message.body_text(position) {
            if !body.is_empty() {
                body.push('\n');
            }
            body.push_str(&text);
        }
    }
    opened.keep(name, body.as_bytes())
}

fn open_attachment(
    opened: &mut Opened,
    name: &str,
    part: &MessagePart<'_>,
    depth: Depth,
) -> Result<(), UnpackError> {
    if let PartType::Message(message) = &part.body {
        return open_message(opened, name, message, depth);
    }
    if let Some(reason) = never_a_drop(part) {
        opened.ignore(reason);
        return Ok(());
    }
    let own = part.attachment_name().map(shown_name);
    let own = own.filter(|own| !own.is_empty());
    opened.open(own.as_deref().unwrap_or(name), part.contents(), depth)
}

/// Attachments that mail programs add by themselves.
fn never_a_drop(part: &MessagePart<'_>) -> Option<&'static str> {
    let kind = part.content_type()?;
    let (main, sub) = (kind.ctype(), kind.subtype().unwrap_or(""));
    let is = |text: &str, words: &[&str]| words.iter().any(|w| text.eq_ignore_ascii_case(w));
    if is(main, &["image", "audio", "video", "font"]) {
        return Some("pictures and sounds");
    }
    if is(sub, &["pkcs7-mime", "x-pkcs7-mime", "pgp-encrypted"]) {
        return Some("an encrypted mail; have it sent without encryption");
    }
    if is(
        sub,
        &[
            "pkcs7-signature",
            "x-pkcs7-signature",
            "pgp-signature",
            "pgp-keys",
        ],
    ) {
        return Some("signatures");
    }
    if is(
        sub,
        &[
            "delivery-status",
            "disposition-notification",
            "rfc822-headers",
        ],
    ) {
        return Some("a report that a mail was or was not delivered");
    }
    if is(sub, &["calendar", "vcard", "x-vcard", "ms-tnef", "pdf"]) || is(sub, &["html"]) {
        return Some("cards, calendars, documents and second forms of the text");
    }
    None
}

fn is_attached(part: &MessagePart<'_>) -> bool {
    part.content_disposition()
        .is_some_and(|disposition| disposition.is_attachment())
}

fn is_kind(part: &MessagePart<'_>, main: &str, sub: &str) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case(main)
            && kind
                .subtype()
                .is_some_and(|own| own.eq_ignore_ascii_case(sub))
    })
}
