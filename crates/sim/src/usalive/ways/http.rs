//! HTTP POST as one public source describes USALive's transport: the file's name is the last
//! segment of the path, Basic only when configured, 200 alone is success, and after a 500 the
//! transport gets nothing for minutes. The test call has no Content-Type; of the others it is not
//! known, and they have none either.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use reqwest::{Client, StatusCode, Url};

use super::{WaySettings, tls};

/// The 33 bytes of the test call; their number is known, their words are not.
const TEST_TEXT: &str = "Test Transport from Report Server";
const TEST_NAME: &str = "testTransportFileName";
const TEST_QUERY: &str = "reason=TEST";

pub(super) struct Http {
    client: Client,
    url: Url,
    invalid_for: Duration,
    invalid_until: Mutex<Option<Instant>>,
}

impl Http {
    /// # Errors
    /// The pin cannot be read.
    pub(super) fn new(url: &Url, settings: &WaySettings) -> Result<Http> {
        let client = match &settings.pin {
            Some(pin) => crate::pinned::client(pin)?,
            None => Client::builder()
                .tls_backend_preconfigured(tls::config(rustls::ALL_VERSIONS)?)
                .no_proxy()
                .build()
                .context("cannot make an HTTP client")?,
        };
        Ok(Http {
            client,
            url: url.clone(),
            invalid_for: settings.invalid_for,
            invalid_until: Mutex::new(None),
        })
    }

    pub(super) async fn test(&self) -> Result<()> {
        let mut url = self.at(TEST_NAME)?;
        url.set_query(Some(TEST_QUERY));
        self.send(url, TEST_TEXT.into()).await
    }

    pub(super) async fn post(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let until = *self.invalid_until();
        if until.is_some_and(|until| Instant::now() < until) {
            bail!("the transport is invalid since it answered 500");
        }
        self.send(self.at(name)?, bytes.to_vec()).await
    }

    fn at(&self, name: &str) -> Result<Url> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("the URL has no path"))?
            .pop_if_empty()
            .push(name);
        Ok(url)
    }

    /// User and password in the URL become Basic.
    async fn send(&self, url: Url, body: Vec<u8>) -> Result<()> {
        let answer = self
            .client
            .post(url)
            .body(body)
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            StatusCode::INTERNAL_SERVER_ERROR => {
                *self.invalid_until() = Some(Instant::now() + self.invalid_for);
                bail!("the answer was 500; the transport is invalid now");
            }
            other => bail!("the answer was {other}"),
        }
    }

    fn invalid_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        let lock = self.invalid_until.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_call_has_33_bytes() {
        assert_eq!(TEST_TEXT.len(), 33);
    }
}
