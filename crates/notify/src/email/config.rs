//! The keys of an e-mail channel.

use serde::{Deserialize, Serialize};

use crate::address::parse_email;
use crate::config::timeout;
use crate::{Secret, http, limits, trust};

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SmtpTls))]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Asked for before anything else is said. Never without it.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all; to a server on this very computer only.
    None,
}

/// An account of a mail server that sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = EmailChannel))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name or address of the server.
    pub host: String,
    /// 587 with `starttls`, 465 with `implicit`, 25 with `none` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Who signs in; empty for a server that takes mail without.
    #[serde(default)]
    pub user: String,
    /// Their password.
    #[serde(default)]
    pub password: Secret,
    /// The sender's address.
    pub from: String,
    /// The sender's name; `Vendlog` when it is not given.
    #[serde(default = "default_name")]
    pub from_name: String,
    /// Where answers go, if not to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// `sha256/<base64>` of the server's public key: believed instead of authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// An authority's certificate in PEM: believed instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// How long one step may take.
    #[serde(default = "crate::config::default_timeout_s")]
    pub timeout_s: u32,
}

fn default_name() -> String {
    "Vendlog".into()
}

impl Config {
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::Starttls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        })
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        let is_host = |c: char| c.is_alphanumeric() || ".-_:".contains(c);
        if self.host.is_empty() || !self.host.chars().all(is_host) {
            return Err("host must be a name or an address, without smtp:// or a path".into());
        }
        if self.tls == Tls::None && !http::is_loopback(&self.host) {
            return Err(
                "tls = \"none\" is for a server on this very computer only; set \
                        \"starttls\" or \"implicit\""
                    .into(),
            );
        }
        if self.user.is_empty() != self.password.is_empty() {
            return Err("user and password belong together; set both or neither".into());
        }
        if self.user.chars().any(char::is_control) {
            return Err("user must be one line".into());
        }
        parse_email(&self.from).map_err(|words| format!("from: {words}"))?;
        if let Some(reply_to) = &self.reply_to {
            parse_email(reply_to).map_err(|words| format!("reply_to: {words}"))?;
        }
        let name = &self.from_name;
        if name.chars().any(char::is_control) || name.chars().count() > limits::NAME_CHARS {
            return Err("from_name must be one short line".into());
        }
        trust::validate(self.pin.as_deref(), self.ca_pem.as_deref())?;
        timeout(self.timeout_s)
    }
}
