//! The token of XOAUTH2: as it was given, or a new one for a refresh token (RFC 6749, section 6).

use std::sync::Arc;

use serde::Deserialize;

use super::Config;
use crate::steps::Steps;
use crate::tls::{Client, Trust};
use crate::{Secret, SourceError};

/// Largest answer of a provider, in bytes; real ones have 4 KiB.
const ANSWER_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: Secret,
    #[serde(default)]
    error: String,
}

pub(super) async fn access_token(config: &Config, steps: &Steps) -> Result<Secret, SourceError> {
    if config.refresh_token.is_empty() {
        return Ok(config.access_token.clone());
    }
    let url = config.token_url.as_deref().unwrap_or("");
    let broken = |error: reqwest::Error| {
        // Its words hold the address without the query, and never the body.
        SourceError::Unreachable(format!(
            "no access token from {url}: {}",
            error.without_url()
        ))
    };
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", config.refresh_token.expose()),
        ("client_id", config.client_id.as_deref().unwrap_or("")),
    ];
    if !config.client_secret.is_empty() {
        form.push(("client_secret", config.client_secret.expose()));
    }
    // The provider of tokens is another server than the mail server: the system's authorities.
    let tls = Client::new(&Trust {
        host: url,
        pin: None,
        ca_pem: None,
        max_12: false,
    })?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(Arc::unwrap_or_clone(tls.config))
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true)
        .build()
        .map_err(broken)?;
    let body = encode(&form);
    let asking = async {
        let answer = client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await?;
        let status = answer.status();
        read(answer).await.map(|bytes| (status, bytes))
    };
    let asked = steps.within("asking for an access token", asking).await?;
    let (status, bytes) = asked.map_err(broken)?;
    let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
    match answer {
        Some(answer) if status.is_success() && !answer.access_token.is_empty() => {
            Ok(answer.access_token)
        }
        answer if status.is_client_error() => {
            let error = answer.map(|answer| answer.error).unwrap_or_default();
            let error: String = error.chars().filter(|c| !c.is_control()).take(60).collect();
            Err(SourceError::Refused(format!(
                "{url} gives no access token ({status} {error}); sign in there again and set the \
                 new refresh_token"
            )))
        }
        _ => Err(SourceError::Unreachable(format!(
            "no access token from {url} (it answered {status})"
        ))),
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > ANSWER_BYTES {
            break;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `application/x-www-form-urlencoded`.
fn encode(form: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in form {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    text.push(char::from(byte));
                }
                other => text.push_str(&format!("%{other:02X}")),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded() {
        let text = encode(&[("a", "x y&z=1"), ("b", "ü~")]);
        assert_eq!(text, "a=x%20y%26z%3D1&b=%C3%BC~");
    }
}
