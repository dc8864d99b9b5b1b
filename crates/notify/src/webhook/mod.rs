//! Webhooks: our own signed JSON, and what chats and on-call services want to see, a file each.

mod config;
mod preset;
mod sign;

use jiff::Timestamp;
use reqwest::Method;

pub use config::{Config, Preset};
pub use sign::{new_secret, signature};

use crate::http::{Answer, Request, call};
use crate::shown::Shown;
use crate::{Preview, SendError, Sent, http, template};

pub(crate) async fn send(config: &Config, shown: &Shown) -> Result<Sent, SendError> {
    let who = config.preset.name();
    let body = preset::body(config, shown);
    let body = serde_json::to_vec(&body)
        .map_err(|error| SendError::refused("rejected", error.to_string()))?;
    let url = http::url(&preset::address(config), "url")
        .map_err(|words| SendError::broken("config", words))?;
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(sign::headers(config, &shown.id, Timestamp::now(), &body));
    if !config.token.is_empty() {
        headers.push(("authorization", format!("Bearer {}", config.token.reveal())));
    }
    let answer = call(Request {
        method: Method::POST,
        url,
        who,
        basic: None,
        headers,
        body: Some(body),
        pin: config.pin.as_deref(),
        ca_pem: config.ca_pem.as_deref(),
        timeout_s: config.timeout_s,
    })
    .await?;
    if !answer.status.is_success() {
        return Err(preset::refused(config, &answer));
    }
    Ok(Sent {
        provider_id: preset::provider_id(config, &answer),
        ..Sent::default()
    })
}

pub(crate) fn preview(config: &Config, shown: &Shown) -> Preview {
    let body = preset::body(&config.without_secrets(), shown);
    let text = serde_json::to_string_pretty(&body).unwrap_or_default();
    Preview {
        subject: template::compose(shown).0,
        chars: text.chars().count(),
        text,
        html: None,
        segments: None,
    }
}

/// A field of a JSON answer, if it is one.
fn field(answer: &Answer, name: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let text = value.get(name)?.as_str()?;
    Some(
        text.chars()
            .filter(char::is_ascii_graphic)
            .take(64)
            .collect(),
    )
}
