//! Replies that acknowledge: the PC stands behind a router, so that Twilio cannot call it; its list
//! of messages is asked instead.
//!
//! `GET Messages.json?To=...&DateSent>=...&PageSize=...` as
//! <https://www.twilio.com/docs/messaging/api/message-resource> describes it.

use std::collections::VecDeque;

use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use wire::Micros;
use wire::time::MINUTE_US;

use super::Config;
use crate::twilio::{get, refused, resource_url};
use crate::{SendError, clean};

/// SIDs that are remembered: the replies of the overlap below, many times over.
const SEEN: usize = 1_000;
/// The list is asked again from this long before the newest reply: Twilio files a message some
/// seconds after it was sent, and replies overtake each other.
const OVERLAP_US: i64 = 30 * MINUTE_US;
/// Messages a page, and pages a poll, newest first. More than 1,000 between two polls are no
/// people; the older ones are passed over.
const PAGE: &str = "100";
const PAGES: usize = 10;
/// Longest note that is kept, in characters: one SMS.
const NOTE_CHARS: usize = 160;
/// Digits of an alert's number that are read.
const DIGITS: usize = 15;

/// A reply that acknowledges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The telephone that it came from, one of those that were asked for.
    pub from: String,
    /// The number of the alert: 12 of `ACK 12`.
    pub alert_no: u64,
    /// What was written behind it; may be empty.
    pub note: String,
    /// Twilio's id of the message.
    pub sid: String,
    /// When it was sent.
    pub at: Micros,
}

/// How far the list was read. To be kept by the caller after the replies were acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    since: Micros,
    seen: VecDeque<String>,
}

impl Cursor {
    /// Begins at `now`: what was sent before is not looked at.
    pub fn new(now: Micros) -> Cursor {
        Cursor {
            since: now,
            seen: VecDeque::new(),
        }
    }

    /// Whether a message is new; it is not any more afterwards.
    fn take(&mut self, sid: &str) -> bool {
        if self.seen.iter().any(|seen| seen == sid) {
            return false;
        }
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(sid.to_owned());
        true
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Inbound>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Inbound {
    sid: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    date_sent: Option<String>,
}

/// Asks once for replies from these numbers (E.164), oldest first. Messages of other numbers and
/// other words are passed over.
///
/// # Errors
/// Twilio cannot be asked; the cursor stays where it was.
pub async fn poll(
    config: &Config,
    people: &[&str],
    cursor: &mut Cursor,
) -> Result<Vec<Reply>, SendError> {
    let secrets = [("secret", &config.account.secret)];
    let found = list(config, cursor.since).await;
    let found = found.map_err(|error| error.without(&secrets))?;
    let begun = cursor.since;
    let mut replies = Vec::new();
    for message in found {
        let sent = message
            .date_sent
            .as_deref()
            .and_then(|at| rfc2822::parse(at).ok());
        let at = sent.map_or(begun, |at| Micros::from_timestamp(at.timestamp()));
        cursor.since = cursor.since.max(at.plus_us(-OVERLAP_US));
        let is_reply = message.direction == "inbound" && people.contains(&message.from.as_str());
        let Some((alert_no, note)) = parse(&message.body).filter(|_| is_reply) else {
            continue;
        };
        if !cursor.take(&message.sid) {
            continue;
        }
        replies.push(Reply {
            from: message.from,
            alert_no,
            note,
            sid: message.sid,
            at,
        });
    }
    replies.sort_by_key(|reply| reply.at);
    Ok(replies)
}

async fn list(config: &Config, since: Micros) -> Result<Vec<Inbound>, SendError> {
    let since = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%SZ", since.to_timestamp());
    let since = since.map_err(|error| SendError::broken("config", error.to_string()))?;
    let first = resource_url(&config.account, "Messages.json")?;
    let mut url = first.clone();
    url.query_pairs_mut()
        .append_pair("To", &config.from)
        .append_pair("DateSent>", &since)
        .append_pair("PageSize", PAGE);
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let answer = get(&config.account, url).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        let page: Page = serde_json::from_slice(&answer.body).map_err(|_| {
            SendError::temporary("protocol", "Twilio's list of messages cannot be read")
        })?;
        found.extend(page.messages);
        // Only further pages of the same list: the secret goes nowhere else.
        let next = page.next_page_uri.and_then(|uri| first.join(&uri).ok());
        let same =
            |next: &reqwest::Url| next.origin() == first.origin() && next.path() == first.path();
        let Some(next) = next.filter(same) else {
            break;
        };
        url = next;
    }
    Ok(found)
}

/// `ACK 12`, `ack #12 on my way`, `Ack12.`: the number and the note.
fn parse(body: &str) -> Option<(u64, String)> {
    let body = body.trim();
    let word = body
        .get(..3)
        .filter(|word| word.eq_ignore_ascii_case("ack"))?;
    let rest = body[word.len()..].trim_start_matches([' ', '\t', '#', ':', '.', '\u{a0}']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let behind = &rest[digits.len()..];
    let is_number = !digits.is_empty() && digits.len() <= DIGITS;
    let ends = behind.chars().next().is_none_or(|c| !c.is_alphanumeric());
    if !is_number || !ends {
        return None;
    }
    let note = behind.trim_start_matches(|c: char| c.is_whitespace() || ",.;:-".contains(c));
    Some((digits.parse().ok()?, clean::line(note, NOTE_CHARS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_ack_in_many_ways() {
        let read = |body: &str| parse(body);
        let bare = Some((12, String::new()));
        for body in [
            "ACK 12",
            "ack 12",
            " Ack #12 ",
            "ACK12",
            "ack: 12.",
            "aCk\u{a0}12",
        ] {
            assert_eq!(read(body), bare, "{body:?}");
        }
        assert_eq!(read("ack 12 on my way"), Some((12, "on my way".into())));
        assert_eq!(
            read("ACK 12, am there\r\nat 9"),
            Some((12, "am there at 9".into()))
        );
        assert_eq!(read("ack 12 \u{1b}[2J"), Some((12, "\\u{1b}[2J".into())));
        for body in [
            "",
            "ack",
            "ack twelve",
            "back 12",
            "STOP",
            "ack 12a",
            "äck 1",
            "12",
            "ac",
        ] {
            assert_eq!(read(body), None, "{body:?}");
        }
        assert_eq!(
            read("ack 9999999999999999999999"),
            None,
            "no number of ours"
        );
    }

    #[test]
    fn the_cursor_does_not_grow_for_ever() {
        let mut cursor = Cursor::new(Micros(0));
        for number in 0..3 * SEEN {
            assert!(cursor.take(&number.to_string()));
            assert!(!cursor.take(&number.to_string()));
        }
        assert_eq!(cursor.seen.len(), SEEN);
    }
}
