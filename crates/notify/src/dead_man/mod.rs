//! The watcher's watcher: an outside address that is pinged as long as we run, and that tells people
//! when the pings end. As healthchecks.io has it (<https://healthchecks.io/docs/http_api/>): the
//! address itself, `/start` and `/fail`.

use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use crate::config::timeout;
use crate::http::{Request, call};
use crate::{Secret, SendError, http};

/// Where to ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = DeadManConfig))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address: a secret, for who knows it can keep the watch quiet.
    pub url: Secret,
    /// How long one ping may take.
    #[serde(default = "crate::config::default_timeout_s")]
    pub timeout_s: u32,
}

/// What a ping says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// We begin to run.
    Start,
    /// We run and do our work.
    Success,
    /// We run and cannot do our work.
    Fail,
}

impl Config {
    /// Whether it can work at all.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn validate(&self) -> Result<(), String> {
        http::url(self.url.reveal(), "url")?;
        timeout(self.timeout_s)
    }
}

/// Pings once.
///
/// # Errors
/// Why it was not heard; permanent when the address is wrong.
pub async fn ping(config: &Config, signal: Signal) -> Result<(), SendError> {
    let secrets = [("url", &config.url)];
    ask(config, signal)
        .await
        .map_err(|error| error.without(&secrets))
}

async fn ask(config: &Config, signal: Signal) -> Result<(), SendError> {
    const WHO: &str = "the dead man's switch";
    config
        .validate()
        .map_err(|words| SendError::broken("config", words))?;
    let url = http::url(config.url.reveal(), "url")
        .map_err(|words| SendError::broken("config", words))?;
    let answer = call(Request {
        method: Method::GET,
        url: with(url, signal),
        who: WHO,
        basic: None,
        headers: Vec::new(),
        body: None,
        pin: None,
        ca_pem: None,
        timeout_s: config.timeout_s,
    })
    .await?;
    let says = answer.text();
    if !answer.status.is_success() {
        return Err(answer.error(WHO, &says));
    }
    // healthchecks says so with a 200.
    if says.contains("not found") {
        let words = format!("{WHO} answers \"{says}\"; set its address again");
        return Err(SendError::broken("refused", words));
    }
    Ok(())
}

fn with(mut url: Url, signal: Signal) -> Url {
    let suffix = match signal {
        Signal::Start => "/start",
        Signal::Success => "",
        Signal::Fail => "/fail",
    };
    let path = format!("{}{suffix}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}
