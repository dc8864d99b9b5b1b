//! One HTTPS request and what its answer means for the sender.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use rustls::CertificateError;
use serde::Deserialize;
use wire::{BatchAnswer, Heartbeat, HeartbeatAnswer};

use super::pin::{TrustError, tls_config};
use super::route::Target;
use crate::care::Keys;
use crate::config::Wifi;

/// A link that does not connect in this time does not carry a batch either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a whole request: a full batch over a poor link, and the server's commit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// An idle connection costs memory on both sides; in continuous mode it is kept in use.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// More than any answer of ours: 10,000 rejections with their words.
const ANSWER_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Log entries are mostly repetition: higher levels cost memory and save little.
const ZSTD_LEVEL: i32 = 3;
/// The compressor's window, 2^17 bytes: it and its tables stay below 1 MB.
const ZSTD_WINDOW_LOG: u32 = 17;

/// The connection to the server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    /// Where the connection goes first.
    first_hop: String,
    keys: Keys,
}

/// Why a request did not do its work, by what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Try again later; the server may have said when.
    Retry {
        /// What went wrong.
        why: String,
        /// The server's `Retry-After`.
        after: Option<Duration>,
        /// It was said in our server's own form, not by something on the way to it.
        by_server: bool,
        /// It broke off on the way: a smaller request may get through.
        stuck: bool,
    },
    /// The key is not accepted or cannot be read: somebody must act. Tried again slowly.
    Hold {
        /// What went wrong and what to do.
        why: String,
        /// As in `Retry`.
        by_server: bool,
    },
    /// This body will never be taken.
    Refused {
        /// The server's code.
        code: String,
        /// What the server said.
        why: String,
        /// As in `Retry`.
        by_server: bool,
        /// For its size.
        too_large: bool,
    },
}

impl Failure {
    /// To be tried again, for a reason that is nobody else's.
    pub fn retry(why: String) -> Failure {
        Failure::Retry {
            why,
            after: None,
            by_server: false,
            stuck: false,
        }
    }

    /// What went wrong.
    pub fn why(&self) -> &str {
        match self {
            Failure::Retry { why, .. }
            | Failure::Hold { why, .. }
            | Failure::Refused { why, .. } => why,
        }
    }

    /// Whether it was our server that spoke.
    pub fn is_by_server(&self) -> bool {
        match self {
            Failure::Retry { by_server, .. }
            | Failure::Hold { by_server, .. }
            | Failure::Refused { by_server, .. } => *by_server,
        }
    }

    /// Whether the body was refused for its size.
    pub fn is_too_large(&self) -> bool {
        matches!(
            self,
            Failure::Refused {
                too_large: true,
                ..
            }
        )
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: String,
}

impl Client {
    /// A client that trusts what the configuration says.
    ///
    /// # Errors
    /// The authorities or the proxy cannot be used.
    pub fn new(config: &Wifi) -> Result<Client, TrustError> {
        Client::with_keys(config, Keys::in_file(&config.api_key_file))
    }

    /// A client with more keys than the one in the configured file.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_keys(config: &Wifi, keys: Keys) -> Result<Client, TrustError> {
        let tls = |error: reqwest::Error| TrustError::Tls(words(error));
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config(&config.trust)?)
            .http1_only()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("vendlog-agent/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &config.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(tls)?);
        }
        Ok(Client {
            http: builder.build().map_err(tls)?,
            first_hop: config.proxy.as_ref().unwrap_or(&config.url).clone(),
            url: config.url.clone(),
            keys,
        })
    }

    /// Sends a batch, given as JSON.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn logs(&self, json: &[u8]) -> Result<BatchAnswer, Failure> {
        let body = compress(json).map_err(|error| Failure::retry(format!("zstd: {error}")))?;
        let request = self.http.post(format!("{}/api/logs", self.url)).body(body);
        let answer = self.send(request.header(CONTENT_ENCODING, "zstd")).await?;
        read_answer(&answer)
    }

    /// Sends a sign of life.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, Failure> {
        let body =
            serde_json::to_vec(heartbeat).map_err(|error| Failure::retry(error.to_string()))?;
        let request = self
            .http
            .post(format!("{}/api/heartbeat", self.url))
            .body(body);
        let answer = self.send(request).await?;
        read_answer(&answer)
    }

    /// Where requests go first: the proxy when there is one.
    pub fn target(&self) -> Option<Target> {
        Target::of(&self.first_hop)
    }

    /// Changes when the key file does: its modification time and length.
    pub fn key_stamp(&self) -> Option<(SystemTime, u64)> {
        self.keys.stamp()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        // Read each time: a new key is used without a restart.
        let keys = self.keys.to_try().map_err(|error| Failure::Hold {
            why: format!("{} cannot be read: {error}", self.keys.path().display()),
            by_server: false,
        })?;
        let mut refused = None;
        for (index, key) in keys.iter().enumerate() {
            let Some(request) = request.try_clone() else {
                break;
            };
            let (status, after, body) = self.send_once(request.bearer_auth(key)).await?;
            if status == StatusCode::OK {
                self.keys.accepted(key, index > 0);
                return Ok(body);
            }
            let failure = self.failure(status, after, &body);
            if status != StatusCode::UNAUTHORIZED {
                return Err(failure);
            }
            // Another key may be good yet; the first refusal is the one to tell of.
            refused.get_or_insert(failure);
        }
        Err(refused.unwrap_or_else(|| Failure::retry("the request cannot be repeated".to_owned())))
    }

    async fn send_once(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Option<Duration>, Vec<u8>), Failure> {
        let broken = |error: reqwest::Error| Failure::Retry {
            stuck: !error.is_connect(),
            why: format!("{}: {}", self.url, words(error)),
            after: None,
            by_server: false,
        };
        let request = request.header(CONTENT_TYPE, "application/json");
        let sent = request.send().await.map_err(broken)?;
        let (status, after) = (sent.status(), retry_after(&sent));
        let body = read_limited(sent).await.map_err(broken)?;
        Ok((status, after, body))
    }

    fn failure(&self, status: StatusCode, after: Option<Duration>, body: &[u8]) -> Failure {
        let said: Option<ErrorBody> = serde_json::from_slice(body).ok();
        let by_server = said.is_some();
        let (code, why) = match said {
            Some(said) => (said.code, format!("{status}: {}", said.message)),
            None => (status.as_u16().to_string(), status.to_string()),
        };
        match status {
            // Whoever stands in the way and wants a login says nothing about our key.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if by_server => Failure::Hold {
                why: format!(
                    "the server does not accept the key in {} ({why}); put this machine's key there",
                    self.keys.path().display()
                ),
                by_server,
            },
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY => Failure::Refused {
                code,
                why,
                by_server,
                too_large: status == StatusCode::PAYLOAD_TOO_LARGE,
            },
            _ if by_server => Failure::Retry {
                why: format!("the server answered {why}"),
                after,
                by_server,
                stuck: false,
            },
            _ => Failure::Retry {
                why: format!(
                    "something on the way to the server, or not our server, answered {why}"
                ),
                after,
                by_server,
                stuck: false,
            },
        }
    }
}

/// A good answer is one in our server's own form: a captive portal says 200 to everything.
fn read_answer<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::retry(format!(
            "what answered is not our server, or its answer cannot be read: {error}"
        ))
    })
}

fn compress(json: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(ZSTD_WINDOW_LOG))?;
    compressor.compress(json)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

pub(crate) async fn read_limited(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_MAX_BYTES {
            body.clear();
            break;
        }
    }
    Ok(body)
}

/// An error with everything behind it, in one line: the reason is in the last of them.
pub(crate) fn words(error: reqwest::Error) -> String {
    // Without it the lanes and the heartbeat fail in the same words, which are said once.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(distrust) = distrust(inner) {
            return distrust;
        }
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

/// Our own words for a certificate that was refused, which rustls keeps inside an I/O error.
fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let tls = error
        .downcast_ref::<io::Error>()?
        .get_ref()?
        .downcast_ref::<rustls::Error>()?;
    match tls {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            Some(other.0.to_string())
        }
        _ => None,
    }
}
