//! The keys of a voice channel.

use serde::{Deserialize, Serialize};

use crate::address::check_phone;
use crate::http;
use crate::twilio::Account;

/// Default of `ring_s`: five or six rings, mostly before a mailbox answers.
const RING_S: u32 = 30;
/// Twilio's longest `Timeout`.
const RING_MOST_S: u32 = 600;

/// A number that calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = VoiceChannel))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account.
    pub account: Account,
    /// The number that calls, in E.164.
    pub from: String,
    /// How long it rings, in seconds.
    #[serde(default = "default_ring_s")]
    pub ring_s: u32,
    /// The language that is spoken: `en-US`.
    #[serde(default = "default_language")]
    pub language: String,
    /// Where Twilio can reach us from outside (`https://...`), without a query. Only then "press
    /// 1" is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
}

fn default_ring_s() -> u32 {
    RING_S
}

fn default_language() -> String {
    "en-US".into()
}

impl Config {
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.account.validate()?;
        check_phone(&self.from).map_err(|words| format!("from: {words}"))?;
        if !(5..=RING_MOST_S).contains(&self.ring_s) {
            return Err(format!("ring_s must be 5 to {RING_MOST_S}"));
        }
        let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !(2..=16).contains(&self.language.len()) || !self.language.chars().all(is_tag) {
            return Err("language must look like en-US".into());
        }
        if let Some(url) = &self.public_url {
            let url = http::url(url, "public_url")?;
            if url.query().is_some() || url.fragment().is_some() {
                return Err("public_url must have no query".into());
            }
        }
        Ok(())
    }
}
