//! The keys of a webhook channel.

use serde::{Deserialize, Serialize};

use super::sign;
use crate::config::timeout;
use crate::{Secret, http, trust};

/// Whose form the body has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = WebhookPreset))]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Our own JSON, signed.
    #[default]
    Plain,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow of Microsoft Teams, "when a webhook request is received".
    TeamsWorkflows,
    /// A webhook of a Discord channel.
    Discord,
    /// A topic of ntfy.
    Ntfy,
    /// An integration of PagerDuty, Events API v2.
    Pagerduty,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 6] = [
        Preset::Plain,
        Preset::Slack,
        Preset::TeamsWorkflows,
        Preset::Discord,
        Preset::Ntfy,
        Preset::Pagerduty,
    ];

    /// For a person.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Preset::Plain => "the webhook",
            Preset::Slack => "Slack",
            Preset::TeamsWorkflows => "Teams",
            Preset::Discord => "Discord",
            Preset::Ntfy => "ntfy",
            Preset::Pagerduty => "PagerDuty",
        }
    }
}

/// Where to post, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = WebhookChannel))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose form the body has.
    #[serde(default)]
    pub preset: Preset,
    /// The address: a secret, for who knows a chat's can write to it. With ntfy the topic's; may
    /// be left out with PagerDuty.
    #[serde(default)]
    pub url: Secret,
    /// `plain`: `whsec_` and base64 of 24 to 64 bytes; every request is signed with it.
    #[serde(default)]
    pub signing_secret: Secret,
    /// `plain`: the secret before, which still signs too until the receiver knows the new one.
    #[serde(default)]
    pub old_signing_secret: Secret,
    /// `plain`, `ntfy`: sent as `Authorization: Bearer`.
    #[serde(default)]
    pub token: Secret,
    /// `pagerduty`: the integration key.
    #[serde(default)]
    pub routing_key: Secret,
    /// `sha256/<base64>` of the server's public key: believed instead of authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// An authority's certificate in PEM: believed instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// How long one request may take.
    #[serde(default = "crate::config::default_timeout_s")]
    pub timeout_s: u32,
}

impl Config {
    pub(crate) fn validate(&self) -> Result<(), String> {
        if !(self.url.is_empty() && self.preset == Preset::Pagerduty) {
            let url = http::url(self.url.reveal(), "url")?;
            let topic = url.path().trim_matches('/');
            if self.preset == Preset::Ntfy && (topic.is_empty() || url.query().is_some()) {
                return Err("url must end with the topic: https://ntfy.sh/my-topic".into());
            }
        }
        for (name, secret) in [
            ("signing_secret", &self.signing_secret),
            ("old_signing_secret", &self.old_signing_secret),
        ] {
            if secret.is_empty() {
                continue;
            }
            if self.preset != Preset::Plain {
                return Err(format!("{name} is for the preset plain only"));
            }
            sign::key(secret)
                .ok_or_else(|| format!("{name} must be whsec_ and base64 of 24 to 64 bytes"))?;
        }
        if self.signing_secret.is_empty() && !self.old_signing_secret.is_empty() {
            return Err("old_signing_secret needs signing_secret, the new one".into());
        }
        let takes_token = matches!(self.preset, Preset::Plain | Preset::Ntfy);
        if !self.token.is_empty() && !takes_token {
            return Err("token is for the presets plain and ntfy only".into());
        }
        if !self.token.reveal().bytes().all(|b| b.is_ascii_graphic()) {
            return Err("token must be one word".into());
        }
        if self.routing_key.is_empty() == (self.preset == Preset::Pagerduty) {
            return Err("routing_key belongs to the preset pagerduty, which needs it".into());
        }
        trust::validate(self.pin.as_deref(), self.ca_pem.as_deref())?;
        timeout(self.timeout_s)
    }

    /// To be shown: the routing key is part of PagerDuty's body.
    pub(super) fn without_secrets(&self) -> Config {
        Config {
            routing_key: Secret::from(crate::secret::SHOWN),
            ..self.clone()
        }
    }
}
