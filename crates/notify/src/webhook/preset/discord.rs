//! A webhook of a Discord channel (<https://discord.com/developers/docs/resources/webhook>):
//! mentions are switched off and markdown is escaped.

use serde_json::{Value, json};

use super::texts;
use crate::clean;
use crate::message::Severity;
use crate::shown::Shown;

/// Discord's longest content and embed description; escaped, a letter has two.
const CONTENT_CHARS: usize = 2_000;
const DESCRIPTION_CHARS: usize = 4_096;

/// Asks for the message that was made, so that its id is known.
pub(super) fn address(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut url) => {
            url.query_pairs_mut().append_pair("wait", "true");
            url.into()
        }
        Err(_) => url.to_owned(),
    }
}

pub(super) fn body(shown: &Shown) -> Value {
    let (subject, text) = texts(shown, DESCRIPTION_CHARS / 2);
    let colour = match shown.severity {
        Severity::Critical => 0xbe1e2d,
        Severity::Error => 0xe66e28,
        Severity::Warning => 0xf0b429,
        Severity::Info => 0x78909c,
    };
    json!({
        "content": escaped(&clean::cut(&subject, CONTENT_CHARS / 2)),
        "embeds": [{
            "title": shown.link.as_ref().map(|_| "Open in Vendlog"),
            "url": shown.link.as_ref().map(|link| link.as_str()),
            "description": escaped(&text),
            "color": colour,
            "timestamp": shown.at.to_rfc3339(),
        }],
        "allowed_mentions": {"parse": []},
    })
}

/// A backslash before every sign that markdown, a mention, a link or a time stamp could begin
/// with. The colon of a plain time needs none.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let begins_a_link = c == ':' && rest.peek() == Some(&'/');
        if "\\*_~`|>#[]()<@".contains(c) || begins_a_link {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
