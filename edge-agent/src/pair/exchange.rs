//! The one request of a pairing: the code's secret for the machine's key, over a connection that is
//! trusted by the code's pin and nothing else.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use wire::PairingCode;
use wire::care::KeyText;
use wire::pairing::{PairAnswer, PairRequest};

use crate::config::WifiTrust;
use crate::wifi::pin::{TrustError, tls_config};
use crate::wifi::{read_limited, words};

/// Somebody stands at the machine and waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// For the whole request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// TLS cannot be set up.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is no connection, or it is not with the code's server. The secret was not sent, or its
    /// answer was lost.
    #[error("{url} cannot be used: {why}{hint}")]
    NotReached {
        /// The server of the code.
        url: String,
        /// What went wrong.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// The server does not take the code.
    #[error("the server does not take the code: {0}")]
    Refused(String),
    /// The answer is none.
    #[error("the server's answer cannot be used: {0}; is it the same version as this agent?")]
    BadAnswer(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    message: String,
}

/// Asks for the key.
///
/// # Errors
/// See [`ExchangeError`].
pub(super) fn exchange(
    code: &PairingCode,
    proxy: Option<String>,
) -> Result<PairAnswer, ExchangeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| TrustError::Tls(error.to_string()))?;
    runtime.block_on(ask(code, proxy))
}

async fn ask(code: &PairingCode, proxy: Option<String>) -> Result<PairAnswer, ExchangeError> {
    let trust = WifiTrust {
        pins: vec![code.pin],
        ca_file: None,
    };
    let tls = |error: reqwest::Error| TrustError::Tls(words(error));
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config(&trust)?)
        .http1_only()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .user_agent(concat!("vendlog-agent/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(tls)?);
    }
    let request = PairRequest {
        secret: KeyText(code.secret_text()),
    };
    let body = serde_json::to_vec(&request).map_err(|error| bad(&error))?;
    let sent = builder
        .build()
        .map_err(tls)?
        .post(format!("{}/api/pair", code.url))
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .send()
        .await
        .map_err(|error| not_reached(code, error))?;
    let status = sent.status();
    let body = read_limited(sent)
        .await
        .map_err(|error| not_reached(code, error))?;
    if status != StatusCode::OK {
        let said: Option<ErrorBody> = serde_json::from_slice(&body).ok();
        let said = said.map_or_else(|| status.to_string(), |said| said.message);
        return Err(ExchangeError::Refused(said));
    }
    let answer: PairAnswer = serde_json::from_slice(&body).map_err(|error| bad(&error))?;
    match answer.machine_id == code.machine_id && wire::care::key_id(&answer.api_key.0).is_some() {
        true => Ok(answer),
        false => Err(ExchangeError::BadAnswer(
            "it is for another machine".to_owned(),
        )),
    }
}

fn bad(error: &serde_json::Error) -> ExchangeError {
    // Its place only: the text around it may be the key.
    ExchangeError::BadAnswer(format!("column {} of its JSON", error.column()))
}

fn not_reached(code: &PairingCode, error: reqwest::Error) -> ExchangeError {
    let before_sending = error.is_connect() || error.is_builder();
    let mut why = words(error);
    let hint = if why.contains("not the pinned one") {
        why = "the server there shows another key than the one in the code".to_owned();
        "; the code is of another server, or somebody stands between: nothing was sent, and the \
         code is still good at its own server"
    } else if before_sending {
        "; check that the machine reaches it, and run this again: the code is still good"
    } else {
        "; run this again with the same code within ten minutes"
    };
    ExchangeError::NotReached {
        url: code.url.clone(),
        why,
        hint,
    }
}
