//! A workflow of Microsoft Teams that posts an Adaptive Card
//! (<https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook>). `RichTextBlock` knows
//! no markdown, and a mention needs an entity of its own, of which there are none.

use serde_json::{Value, json};

use super::{fitting, whole};
use crate::message::Severity;
use crate::shown::Shown;
use crate::words;

/// Teams takes 28 kB.
const CARD_BYTES: usize = 27_000;
/// The first try; a card that is too large has many lines or wide letters, and half is tried.
const TEXT_CHARS: usize = 8_000;

pub(super) fn body(shown: &Shown) -> Value {
    let fits = |card: &Value| card.to_string().len() <= CARD_BYTES;
    let (subject, text) = whole(shown);
    let form = |most| card(shown, &subject, &words::bounded(&text, shown, most));
    fitting(TEXT_CHARS, form, fits)
}

fn card(shown: &Shown, subject: &str, text: &str) -> Value {
    let colour = match shown.severity {
        Severity::Critical | Severity::Error => "attention",
        Severity::Warning => "warning",
        Severity::Info => "default",
    };
    let head = json!({
        "type": "TextRun", "text": subject, "weight": "bolder", "size": "medium", "color": colour,
    });
    let mut blocks = vec![json!({"type": "RichTextBlock", "inlines": [head]})];
    for line in text.lines().filter(|line| !line.is_empty()) {
        let run = json!({"type": "TextRun", "text": line});
        blocks.push(json!({"type": "RichTextBlock", "spacing": "small", "inlines": [run]}));
    }
    let open = |link: &reqwest::Url| json!({"type": "Action.OpenUrl", "title": "Open in Vendlog", "url": link.as_str()});
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": blocks,
                "actions": shown.link.iter().map(open).collect::<Vec<_>>(),
            },
        }],
    })
}
