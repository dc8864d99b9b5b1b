//! The mail itself: headers, a text part, an HTML part, the chart inline.

use std::time::SystemTime;

use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::{Config, html};
use crate::message::Severity;
use crate::shown::Shown;
use crate::{SendError, chart, clean, limits, template, words};

/// The bytes of the mail, with CRLF, before dots are doubled.
pub(super) fn mail(
    config: &Config,
    from: &Address,
    to: &Address,
    shown: &Shown,
    now: SystemTime,
) -> Result<Vec<u8>, SendError> {
    let (subject, own_words) = template::compose(shown);
    let name = header_text(&clean::line(&config.from_name, limits::NAME_CHARS));
    let mut mail = lettre::Message::builder()
        .from(Mailbox::new(Some(name), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .date(now)
        .subject(header_text(&subject))
        .message_id(Some(id("message", &shown.id, from)));
    if let Some(alert) = &shown.alert {
        // All mails of one alert stand together in the reader's mailbox.
        mail = mail.references(id("alert", &alert.id, from));
    }
    if let Some(reply_to) = config.reply_to.as_deref().and_then(|to| to.parse().ok()) {
        mail = mail.reply_to(Mailbox::new(None, reply_to));
    }
    // RFC 3834: out-of-office programs must not answer.
    mail = header(mail, "Auto-Submitted", "auto-generated");
    if shown.severity == Severity::Critical {
        mail = header(mail, "X-Priority", "1");
    }
    let text = SinglePart::plain(text(shown, own_words.as_deref()));
    let page = SinglePart::html(html::page(shown, own_words.as_deref()));
    let parts = MultiPart::alternative().singlepart(text);
    let parts = match shown.chart.as_ref().and_then(chart::png) {
        None => parts.singlepart(page),
        Some(png) => {
            let kind = ContentType::parse("image/png").expect("a content type");
            let picture = Attachment::new_inline(chart::CONTENT_ID.to_owned()).body(png, kind);
            parts.multipart(MultiPart::related().singlepart(page).singlepart(picture))
        }
    };
    let mail = mail.multipart(parts);
    let mail = mail.map_err(|e| SendError::refused("rejected", format!("no mail: {e}")))?;
    Ok(mail.formatted())
}

/// The text part.
pub(super) fn text(shown: &Shown, own_words: Option<&str>) -> String {
    let mut text = match own_words {
        Some(own_words) => own_words.to_owned(),
        None => format!("{}\n\n{}", words::subject(shown), words::text(shown)),
    };
    if own_words.is_none() && shown.machines.len() > limits::MACHINES_NAMED {
        text.push_str("\n\n");
        let machines = shown
            .machines
            .iter()
            .take(limits::MACHINES)
            .map(words::label);
        text.push_str(&machines.collect::<Vec<_>>().join("\n"));
    }
    if let Some(chart) = shown.chart.as_ref().filter(|chart| !chart.bars.is_empty()) {
        text.push_str("\n\n");
        text.push_str(&chart::in_words(chart, &shown.timezone));
    }
    if let Some(link) = &shown.link {
        text.push_str("\n\nOpen: ");
        text.push_str(link.as_str());
    }
    text.push('\n');
    text
}

/// A text for a header. RFC 2047's encoded words are read in headers only, and could hold a line
/// break: a text that looks like one is made to look different.
fn header_text(text: &str) -> String {
    text.replace("=?", "= ?")
}

fn header(mail: MessageBuilder, name: &'static str, value: &str) -> MessageBuilder {
    let name = HeaderName::new_from_ascii_str(name);
    mail.raw_header(HeaderValue::new(name, value.to_owned()))
}

/// `<hash@domain>`: ids are the caller's and may hold what no header may.
fn id(what: &str, id: &str, from: &Address) -> String {
    let hash = Sha256::digest(format!("vendlog {what} {id}"));
    let hex: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("<{hex}@{}>", from.domain())
}
