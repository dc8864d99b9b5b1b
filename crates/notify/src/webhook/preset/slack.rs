//! An incoming webhook of Slack (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
//! `&`, `<` and `>` are escaped everywhere, so that `<!channel>` and `<@U1>` ping nobody; texts are
//! `plain_text`, which knows no markdown.

use serde_json::{Value, json};

use super::{fitting, whole};
use crate::http::Answer;
use crate::shown::Shown;
use crate::{SendError, clean, words};

/// Slack's longest header, and text of a section.
const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3_000;

pub(super) fn body(shown: &Shown) -> Value {
    let (subject, text) = whole(shown);
    let header = (1..=HEADER_CHARS)
        .rev()
        .map(|most| escaped(&clean::cut(&subject, most)))
        .find(|header| is_within(header, HEADER_CHARS));
    let text = fitting(
        SECTION_CHARS,
        |most| escaped(&words::bounded(&text, shown, most)),
        |text| is_within(text, SECTION_CHARS),
    );
    let mut blocks = vec![
        json!({"type": "header", "text": plain(header.unwrap_or_default())}),
        json!({"type": "section", "text": plain(text)}),
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

fn is_within(text: &str, most: usize) -> bool {
    text.chars().count() <= most
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
