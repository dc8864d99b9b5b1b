//! The keys of a Twilio account, which SMS and voice share.

use serde::{Deserialize, Serialize};

use crate::config::timeout;
use crate::{Secret, http};

const BASE_URL: &str = "https://api.twilio.com";
/// A SID: two letters and 32 hexadecimal digits.
const SID_CHARS: usize = 34;

/// Whose account it is and how to sign in to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = TwilioAccount))]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// `AC` and 32 digits.
    pub account_sid: String,
    /// `SK` and 32 digits when `secret` is an API key's, which can be taken back alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_sid: Option<String>,
    /// The API key's secret, or the account's auth token.
    #[serde(default)]
    pub secret: Secret,
    /// Where the API is; Twilio's own when it is not given.
    #[serde(default = "default_base_url")]
    pub base_url: String,
    /// How long one request may take.
    #[serde(default = "crate::config::default_timeout_s")]
    pub timeout_s: u32,
}

fn default_base_url() -> String {
    BASE_URL.into()
}

impl Account {
    /// The user of HTTP Basic.
    pub(crate) fn user(&self) -> &str {
        self.api_key_sid.as_deref().unwrap_or(&self.account_sid)
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        if !is_sid(&self.account_sid, "AC") {
            return Err("account_sid must be AC and 32 hexadecimal digits".into());
        }
        if self
            .api_key_sid
            .as_deref()
            .is_some_and(|sid| !is_sid(sid, "SK"))
        {
            return Err("api_key_sid must be SK and 32 hexadecimal digits".into());
        }
        if self.secret.is_empty() {
            return Err("secret is missing: the API key's secret or the auth token".into());
        }
        http::url(&self.base_url, "base_url")?;
        timeout(self.timeout_s)
    }
}

pub(crate) fn is_sid(text: &str, kind: &str) -> bool {
    let is_hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    text.len() == SID_CHARS && text.strip_prefix(kind).is_some_and(is_hex)
}
