//! The questions that are asked of a selected folder.

use async_imap::error::Error;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, SectionPath, Status};
use jiff::Timestamp;
use mail_parser::MessageParser;

use super::Config;
use super::connect::{Signed, failure};
use super::metered::Metered;
use crate::{SourceError, limits, pattern};

/// Mails whose headers are asked for at once.
pub(super) const BATCH: usize = 200;
/// Most that is asked for of one mail's headers, in bytes: subject and sender of a drop are short,
/// and a cut header of something else matters to nobody.
const HEAD_BYTES: u64 = 16 * 1024;
/// Most that the headers of a batch take, in bytes: with what the server says around each.
const BATCH_BYTES: u64 = BATCH as u64 * (HEAD_BYTES + 1024);
/// Most that is asked for of a mail, in bytes. Sizes are a little off on some servers, which store
/// other line ends than they send; one that sends more than twice what it said is not believed.
const BODY_BYTES: u64 = 2 * limits::FILE_BYTES;
/// Most that a search answers, in bytes: 100,000 numbers.
const SEARCH_BYTES: u64 = 1024 * 1024;
/// Answers of a few lines.
pub(super) const TALK_BYTES: u64 = 64 * 1024;

/// What decides about a mail before its body is fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub uid: u32,
    pub size_bytes: u64,
    pub arrived: Option<Timestamp>,
    pub subject: String,
    pub from: Vec<String>,
    /// Only these can have an attachment.
    pub may_attach: bool,
}

impl Head {
    /// Whether the headers match; the name of an attachment is seen in the body only.
    pub(super) fn matches(&self, config: &Config) -> bool {
        let is_from = |from: &String| pattern::matches(&config.from, from);
        (pattern::is_any(&config.subject) || pattern::matches(&config.subject, &self.subject))
            && (pattern::is_any(&config.from) || self.from.iter().any(is_from))
            && (pattern::is_any(&config.pattern) || self.may_attach)
    }
}

/// What there is of a mail.
pub(super) enum Body {
    Whole(Vec<u8>),
    /// So many bytes at least, however large the server had said it is.
    TooLarge(u64),
    /// It went meanwhile.
    Gone,
}

/// A selected folder.
pub(super) struct Mailbox {
    pub signed: Signed,
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
}

impl Mailbox {
    /// Selects the folder; `read_only` promises to change nothing.
    pub(super) async fn select(
        mut signed: Signed,
        config: &Config,
        read_only: bool,
    ) -> Result<Mailbox, SourceError> {
        let steps = signed.steps.clone();
        let session = &mut signed.session;
        session.get_mut().allow(TALK_BYTES);
        let folder = utf7(config.folder());
        let selected = if read_only {
            steps.within("EXAMINE", session.examine(folder)).await?
        } else {
            steps.within("SELECT", session.select(folder)).await?
        };
        let selected = selected.map_err(|error| match error {
            Error::No(_) => SourceError::NoFolder(format!(
                "there is no folder {} for {} on {}; check its name (below INBOX it is often \
                 INBOX.Name or INBOX/Name)",
                config.folder(),
                config.user,
                config.host
            )),
            other => failure(&steps, other),
        })?;
        let uid_validity = selected
            .uid_validity
            .ok_or_else(|| SourceError::Protocol(format!("{} has no UIDVALIDITY", config.host)))?;
        Ok(Mailbox {
            signed,
            uid_validity,
            uid_next: selected.uid_next,
        })
    }

    /// Changes when something arrives; see [`crate::wait_for_new`].
    pub(super) fn mark(&self) -> Option<String> {
        Some(format!("{}:{}", self.uid_validity, self.uid_next?))
    }

    /// UIDs of the mails that come into question, oldest first.
    pub(super) async fn search(&mut self, config: &Config) -> Result<Vec<u32>, SourceError> {
        let mut query = String::from("UID SEARCH UNDELETED");
        if config.unseen_only {
            query.push_str(" UNSEEN");
        }
        if let Some(since) = config.since {
            query.push_str(&since.strftime(" SINCE %-d-%b-%Y").to_string());
        }
        let mut uids = Vec::new();
        self.ask(&query, SEARCH_BYTES, |said| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = said {
                uids.extend_from_slice(found);
            }
        })
        .await?;
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// The heads of at most [`BATCH`] mails; those that went meanwhile are missing.
    pub(super) async fn heads(&mut self, uids: &[u32]) -> Result<Vec<Head>, SourceError> {
        let query = format!(
            "UID FETCH {} (UID RFC822.SIZE INTERNALDATE \
             BODY.PEEK[HEADER.FIELDS (SUBJECT FROM CONTENT-TYPE)]<0.{HEAD_BYTES}>)",
            set(uids)
        );
        let mut heads = Vec::new();
        self.ask(&query, BATCH_BYTES, |said| {
            if let Response::Fetch(_, attributes) = said {
                heads.extend(head(attributes));
            }
        })
        .await?;
        heads.retain(|head| uids.contains(&head.uid));
        Ok(heads)
    }

    /// A whole mail, without marking it as read.
    pub(super) async fn body(&mut self, head: &Head) -> Result<Body, SourceError> {
        let query = format!(
            "UID FETCH {} (UID BODY.PEEK[]<0.{}>)",
            head.uid,
            BODY_BYTES + 1
        );
        let mut body: Option<Vec<u8>> = None;
        self.ask(&query, BODY_BYTES + TALK_BYTES, |said| {
            if let Response::Fetch(_, attributes) = said {
                body = attributes.iter().find_map(|value| match value {
                    AttributeValue::BodySection {
                        section: None,
                        data: Some(data),
                        ..
                    } => Some(data.to_vec()),
                    _ => body.take(),
                });
            }
        })
        .await?;
        Ok(match body {
            Some(bytes) if bytes.len() as u64 > BODY_BYTES => Body::TooLarge(bytes.len() as u64),
            Some(bytes) => Body::Whole(bytes),
            None => Body::Gone,
        })
    }

    /// Says goodbye, if the server listens.
    pub(super) async fn quit(mut self) {
        let quit = std::time::Duration::from_secs(1);
        let _ = tokio::time::timeout(quit, self.signed.session.logout()).await;
    }

    /// Runs a command to its end and hands each of its answers on. Unlike the library's own loops
    /// it also sees when the server refuses.
    async fn ask(
        &mut self,
        command: &str,
        most_bytes: u64,
        mut hear: impl FnMut(&Response<'_>),
    ) -> Result<(), SourceError> {
        let steps = self.signed.steps.clone();
        let session = &mut self.signed.session;
        let meter: &mut Metered = session.get_mut();
        meter.allow(most_bytes);
        let asking = async {
            let id = session.run_command(command).await?;
            loop {
                let said = session
                    .read_response()
                    .await?
                    .ok_or(Error::ConnectionLost)?;
                match said.parsed() {
                    Response::Done {
                        tag,
                        status,
                        outcome,
                    } if *tag == id => {
                        let words = outcome.information.as_deref().unwrap_or("").to_owned();
                        return match status {
                            Status::Ok => Ok(()),
                            _ => Err(Error::No(words)),
                        };
                    }
                    other => hear(other),
                }
            }
        };
        let step = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let asked = steps.within(&step, asking).await?;
        asked.map_err(|error| failure(&steps, error))
    }
}

fn head(attributes: &[AttributeValue<'_>]) -> Option<Head> {
    let mut head = Head::default();
    for value in attributes {
        match value {
            AttributeValue::Uid(uid) => head.uid = *uid,
            AttributeValue::Rfc822Size(size) => head.size_bytes = u64::from(*size),
            AttributeValue::InternalDate(date) => head.arrived = internal_date(date),
            AttributeValue::BodySection {
                section: Some(SectionPath::Full(_)),
                data: Some(data),
                ..
            } => read_fields(&mut head, data),
            _ => {}
        }
    }
    (head.uid != 0).then_some(head)
}

fn read_fields(head: &mut Head, data: &[u8]) {
    let Some(parsed) = MessageParser::default().parse_headers(data) else {
        return;
    };
    head.subject = parsed.subject().unwrap_or("").to_owned();
    let from = parsed.from().map(|from| from.iter().collect::<Vec<_>>());
    head.from = from
        .unwrap_or_default()
        .into_iter()
        .filter_map(|from| from.address().map(ToOwned::to_owned))
        .collect();
    use mail_parser::MimeHeaders as _;
    head.may_attach = parsed.content_type().is_some_and(|kind| {
        !(kind.ctype().eq_ignore_ascii_case("text")
            || kind
                .subtype()
                .is_some_and(|sub| sub.eq_ignore_ascii_case("alternative")))
            || kind.attribute("name").is_some()
    });
}

/// `17-Jul-1996 02:44:25 -0700`, its day padded with a space.
fn internal_date(text: &str) -> Option<Timestamp> {
    let read = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    read.to_timestamp().ok()
}

/// `1:3,7`: numbers in order as IMAP writes a set.
fn set(uids: &[u32]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < uids.len() {
        let first = uids[at];
        let mut last = first;
        while at + 1 < uids.len() && uids[at + 1] == last + 1 {
            at += 1;
            last = uids[at];
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&first.to_string());
        if last != first {
            text.push_str(&format!(":{last}"));
        }
        at += 1;
    }
    text
}

/// Names of folders in IMAP's own form of UTF-7 (RFC 3501, section 5.1.3).
pub(super) fn utf7(name: &str) -> String {
    use base64::Engine as _;
    let mut out = String::new();
    let mut wide: Vec<u8> = Vec::new();
    let flush = |wide: &mut Vec<u8>, out: &mut String| {
        if !wide.is_empty() {
            let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&*wide);
            out.push_str(&format!("&{}-", text.replace('/', ",")));
            wide.clear();
        }
    };
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut wide, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                wide.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    flush(&mut wide, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers_are_short() {
        assert_eq!(set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(set(&[5]), "5");
        assert_eq!(set(&[]), "");
    }

    #[test]
    fn folder_names_become_utf_7() {
        assert_eq!(utf7("INBOX.Drops & more"), "INBOX.Drops &- more");
        // The example of RFC 3501.
        assert_eq!(
            utf7("~peter/mail/台北/日本語"),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
    }

    #[test]
    fn internal_dates_are_read() {
        let read = internal_date("17-Jul-1996 02:44:25 -0700").expect("a date");
        assert_eq!(read.to_string(), "1996-07-17T09:44:25Z");
        assert!(internal_date(" 7-Jul-1996 02:44:25 +0000").is_some());
        assert!(internal_date("soon").is_none());
    }
}
