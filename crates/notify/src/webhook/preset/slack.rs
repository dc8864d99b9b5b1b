//! An incoming webhook of Slack (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
//! `&`, `<` and `>` are escaped everywhere, so that `<!channel>` and `<@U1>` ping nobody; texts are
//! `plain_text`, which knows no markdown.

use serde_json::{Value, json};

use super::texts;
use crate::http::Answer;
use crate::shown::Shown;
use crate::{SendError, clean};

/// Slack's longest header, and text of a section.
const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3_000;
/// Escaped, a letter has up to five.
const ESCAPED: usize = 5;

pub(super) fn body(shown: &Shown) -> Value {
    let (subject, text) = texts(shown, SECTION_CHARS);
    let header = bounded(&subject, HEADER_CHARS);
    let mut blocks = vec![
        json!({"type": "header", "text": plain(header)}),
        json!({"type": "section", "text": plain(bounded(&text, SECTION_CHARS))}),
    ];
    if let Some(link) = &shown.link {
        // A URL writes `<`, `>` and `|` as percent codes; `&` is escaped as everywhere.
        let link = link.as_str().replace('|', "%7C");
        let text = format!("<{}|Open in Vendlog>", escaped(&link));
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}));
    }
    json!({
        // What the banner of a telephone shows.
        "text": escaped(&subject),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn plain(text: String) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// Escaped and not longer than Slack takes.
fn bounded(text: &str, most: usize) -> String {
    let whole = escaped(text);
    if whole.chars().count() <= most {
        return whole;
    }
    let mut kept = text.chars().count().min(most);
    loop {
        let shorter = escaped(&clean::cut(text, kept));
        let over = shorter.chars().count().saturating_sub(most);
        if over == 0 {
            return shorter;
        }
        kept = kept.saturating_sub(over.div_ceil(ESCAPED));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// `invalid_token`, `no_service`, `channel_is_archived` and the like are the webhook's end.
pub(super) fn refused(answer: &Answer, says: &str) -> SendError {
    const WHO: &str = "Slack";
    const OVER: [&str; 6] = [
        "invalid_token",
        "no_service",
        "no_team",
        "channel_not_found",
        "channel_is_archived",
        "action_prohibited",
    ];
    if OVER.iter().any(|word| says.contains(word)) {
        let words = format!("Slack answers {says}; make a new incoming webhook and set its url");
        return SendError::broken("refused", words);
    }
    answer.error(WHO, says)
}
