//! A topic of ntfy, published as JSON (<https://docs.ntfy.sh/publish/#publish-as-json>). Markdown is
//! off, which is ntfy's default.

use serde_json::{Value, json};

use super::texts;
use crate::message::Severity;
use crate::shown::Shown;

/// ntfy makes an attachment of a message above 4,096 bytes; a letter has four at most.
const TEXT_CHARS: usize = 1_000;

/// JSON goes to the root; the topic is in the body.
pub(super) fn address(url: &str) -> String {
    split(url).0
}

pub(super) fn body(url: &str, shown: &Shown) -> Value {
    let (subject, text) = texts(shown, TEXT_CHARS);
    let priority = match shown.severity {
        Severity::Critical => 5,
        Severity::Error => 4,
        Severity::Warning => 3,
        Severity::Info => 2,
    };
    let mut body = json!({
        "topic": split(url).1,
        "title": subject,
        "message": text,
        "priority": priority,
        "tags": [shown.severity.as_str()],
    });
    if let Some(link) = &shown.link {
        body["click"] = link.as_str().into();
        let open = json!({"action": "view", "label": "Open in Vendlog", "url": link.as_str()});
        body["actions"] = json!([open]);
    }
    body
}

/// The root and the topic: `https://ntfy.sh/` and `x` of `https://ntfy.sh/x`.
fn split(url: &str) -> (String, String) {
    let whole = url.trim_end_matches('/');
    match whole.rsplit_once('/') {
        Some((root, topic)) => (format!("{root}/"), topic.to_owned()),
        None => (whole.to_owned(), String::new()),
    }
}
