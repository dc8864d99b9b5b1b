//! One HTTP request and its bounded answer, for every channel that speaks HTTP.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, StatusCode, Url, redirect};

use crate::trust::Trust;
use crate::{SendError, clean, limits};

/// A request.
pub(crate) struct Request<'a> {
    pub method: Method,
    pub url: Url,
    /// Who is asked, for a person: `Twilio`. Never the address, which may be a secret.
    pub who: &'a str,
    /// User and password of HTTP Basic.
    pub basic: Option<(&'a str, &'a str)>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
    pub pin: Option<&'a str>,
    pub ca_pem: Option<&'a str>,
    pub timeout_s: u32,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

/// Asks once; follows no redirect, which would carry the secret elsewhere.
pub(crate) async fn call(request: Request<'_>) -> Result<Answer, SendError> {
    let who = request.who;
    let host = request.url.host_str().unwrap_or("").to_owned();
    let trust = match request.url.scheme() {
        "https" => Trust::new(request.pin, request.ca_pem)?,
        _ => Trust::nobody()?,
    };
    let timeout = Duration::from_secs(request.timeout_s.into());
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured((*trust.config).clone())
        .redirect(redirect::Policy::none())
        .connect_timeout(timeout)
        .timeout(timeout)
        .user_agent(concat!("vendlog/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| SendError::broken("tls", format!("no HTTP client: {error}")))?;
    let mut asking = client.request(request.method, request.url);
    for (name, value) in request.headers {
        asking = asking.header(name, value);
    }
    if let Some((user, password)) = request.basic {
        asking = asking.basic_auth(user, Some(password));
    }
    if let Some(body) = request.body {
        asking = asking.body(body);
    }
    let failed = |error: reqwest::Error| match trust.certificate_error(&host) {
        Some(error) => error,
        None => unreached(who, &host, request.timeout_s, &error),
    };
    let mut answer = asking.send().await.map_err(failed)?;
    let retry_after = answer.headers().get("retry-after");
    let retry_after = retry_after
        .and_then(|value| value.to_str().ok())
        .and_then(|value| parse_retry_after(value, Timestamp::now()));
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limits::ANSWER_BYTES {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

fn unreached(who: &str, host: &str, timeout_s: u32, error: &reqwest::Error) -> SendError {
    // After the connection stood, nobody knows how far the request came.
    let maybe = !error.is_connect() && !error.is_builder();
    if error.is_timeout() {
        let words = format!("{who} did not answer within {timeout_s} s; it is tried again");
        return SendError::temporary("timed_out", words).maybe_arrived(maybe);
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = clean::network(&cause.to_string());
    let words = format!(
        "{who} cannot be reached at {host} ({cause}); check the connection to the internet"
    );
    SendError::temporary("unreachable", words).maybe_arrived(maybe)
}

impl Answer {
    /// What an answer that is no success means where the provider has no codes of its own. `says`
    /// is what it said about it.
    pub fn error(&self, who: &str, says: &str) -> SendError {
        let says = clean::line(says, limits::WORDS_CHARS);
        let status = self.status.as_u16();
        let said = match says.is_empty() {
            true => format!("it answered {status}"),
            false => format!("it answered {status}: {says}"),
        };
        match status {
            401 | 403 => SendError::broken(
                "refused",
                format!("{who} does not accept this channel's secret ({said}); set it again"),
            ),
            404 | 410 => SendError::broken(
                "refused",
                format!("{who} does not know this channel's address ({said}); set it again"),
            ),
            300..=399 => SendError::broken(
                "config",
                format!("{who} has moved ({said}); set the address that it is at now"),
            ),
            408 | 425 | 429 => SendError::temporary(
                "rate_limited",
                format!("{who} wants to be left alone for a while ({said}); it is tried again"),
            )
            .after(self.retry_after),
            500.. => SendError::temporary(
                "busy",
                format!("{who} has trouble ({said}); it is tried again"),
            )
            .after(self.retry_after)
            // A gateway in front of the provider does not know how far the request came.
            .maybe_arrived(matches!(status, 502 | 504)),
            _ => SendError::refused(
                "rejected",
                format!("{who} does not take this message ({said})"),
            ),
        }
    }

    /// The body as text, for a person.
    pub fn text(&self) -> String {
        let bytes = &self.body[..self.body.len().min(4 * limits::WORDS_CHARS)];
        clean::line(&String::from_utf8_lossy(bytes), limits::WORDS_CHARS)
    }
}

/// An address that a secret may be sent to: `https`, or `http` to this very computer.
pub(crate) fn url(text: &str, what: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("{what} must be an address (https://...)"))?;
    let is_safe = match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    if !is_safe {
        return Err(format!("{what} must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{what} must not hold a user or password"));
    }
    Ok(url)
}

/// Whether a host is this very computer.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    bare.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Seconds, or a date as RFC 9110 has it.
fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(limits::RETRY_AFTER_MOST));
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    let wait = at.duration_since(now).try_into().ok()?;
    Some(limits::RETRY_AFTER_MOST.min(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_in_seconds_and_as_a_date_and_is_bounded() {
        let now: Timestamp = "2026-01-22T14:30:15Z".parse().unwrap();
        let parse = |value| parse_retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(parse("120"), Some(120));
        assert_eq!(parse("Thu, 22 Jan 2026 14:31:15 GMT"), Some(60));
        assert_eq!(parse("Thu, 22 Jan 2026 14:29:15 GMT"), None, "it is over");
        assert_eq!(parse("99999999999"), Some(86_400));
        assert_eq!(parse("soon"), None);
    }

    #[test]
    fn a_secret_is_never_sent_in_clear_over_a_network() {
        assert!(url("https://hooks.example/x", "url").is_ok());
        assert!(url("http://127.0.0.1:8080/x", "url").is_ok());
        assert!(url("http://[::1]:8080/x", "url").is_ok());
        for bad in [
            "http://hooks.example/x",
            "ftp://x/",
            "x",
            "https://u:p@x/",
            "http://127.0.0.1.evil/",
        ] {
            assert!(url(bad, "url").is_err(), "{bad}");
        }
    }
}
