//! PagerDuty's Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2-overview>): our
//! alert is theirs, by the dedup key.

use serde_json::{Value, json};

use super::texts;
use crate::http::Answer;
use crate::message::{Kind, Severity};
use crate::shown::Shown;
use crate::{SendError, clean, words};

pub(super) const ADDRESS: &str = "https://events.pagerduty.com/v2/enqueue";
/// PagerDuty's longest summary.
const SUMMARY_CHARS: usize = 1_024;
/// An event has 512 kB at most.
const TEXT_CHARS: usize = 20_000;

pub(super) fn body(routing_key: &str, shown: &Shown) -> Value {
    let (subject, text) = texts(shown, TEXT_CHARS);
    let action = match shown.kind {
        Kind::Acknowledged => "acknowledge",
        Kind::Resolved => "resolve",
        _ => "trigger",
    };
    let severity = match shown.severity {
        Severity::Critical => "critical",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let machine = shown.machines.first();
    let source = machine.map_or("vendlog", |machine| machine.id.as_str());
    let mut details = serde_json::Map::new();
    for (name, value) in words::pairs(shown) {
        details.insert(name.to_owned(), value.into());
    }
    details.insert("Text".into(), text.into());
    let mut body = json!({
        "routing_key": routing_key,
        "event_action": action,
        // What has no alert of ours is one of its own.
        "dedup_key": shown.alert.as_ref().map_or(&shown.id, |alert| &alert.id),
        "client": "Vendlog",
        "payload": {
            "summary": clean::cut(&subject, SUMMARY_CHARS),
            "source": source,
            "severity": severity,
            "timestamp": shown.at.to_rfc3339(),
            "component": machine.and_then(words::place),
            "class": shown.issue,
            "custom_details": details,
        },
    });
    if let Some(link) = &shown.link {
        body["client_url"] = link.as_str().into();
        body["links"] = json!([{"href": link.as_str(), "text": "Open in Vendlog"}]);
    }
    body
}

/// 400 is also said of a routing key that is none.
pub(super) fn refused(answer: &Answer, says: &str) -> SendError {
    const WHO: &str = "PagerDuty";
    if answer.status.as_u16() == 400 && says.contains("routing_key") {
        let words = format!("PagerDuty answers: {says}; set this channel's routing_key again");
        return SendError::broken("refused", words);
    }
    answer.error(WHO, says)
}
