//! Channels of alerts as the API takes and answers them. Secrets are taken, and never answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use vendlog_notify::{ChannelConfig, Template};
use wire::Micros;

use crate::alerts::deliver::Channel;
use crate::alerts::deliver::channels::Live;
use crate::error::ApiError;

/// Every channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelList {
    /// By id.
    pub channels: Vec<ChannelView>,
}

/// A channel and how it does.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelView {
    /// Names it for ever; rules and people refer to it.
    #[schema(example = "email")]
    pub id: String,
    /// `email`, `sms`, `voice` or `webhook`.
    pub kind: String,
    /// Whether it is used.
    pub enabled: bool,
    /// By what and how; every secret that is set reads `***`.
    pub config: ChannelConfig,
    /// Whether a secret is set.
    pub has_secret: bool,
    /// The user's own words; null: ours.
    #[schema(required = true)]
    pub template: Option<Template>,
    /// How it does.
    pub status: ChannelStatusView,
    /// Messages in 24 hours at most; null: no limit. The first message of a CRITICAL alert may go up to
    /// three times the limit, and at least 20 beyond it.
    #[schema(required = true)]
    pub limit_per_day: Option<u32>,
    /// Messages of the last 24 hours.
    pub sent_today: u64,
    /// What they cost as far as the provider said so, in millionths of its currency; null for channels
    /// that cost nothing.
    #[schema(required = true)]
    pub spent_today_micros: Option<i64>,
}

/// How a channel does.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelStatusView {
    /// The word.
    pub state: ChannelState,
    /// When the provider last took a message.
    #[schema(required = true)]
    pub last_sent_at: Option<String>,
    /// What is wrong, while it fails.
    #[schema(required = true)]
    pub error: Option<ChannelErrorView>,
}

/// How a channel does, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelState {
    /// It has sent nothing yet.
    Never,
    /// What it sent last went.
    Ok,
    /// What it sent last did not go.
    Failing,
}

/// What is wrong with a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelErrorView {
    /// `config`, `refused` (sign-in), `forbidden`, `certificate`, `tls`, `unreachable`, `timed_out`,
    /// `busy`, `rate_limited`, `protocol`.
    #[schema(example = "refused")]
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A channel to add, or what it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "email", "config": {"kind": "email", "host": "mail.example.com",
    "user": "ops@example.com", "password": "…", "from": "ops@example.com"}}))]
pub struct NewChannel {
    /// How rules and people name it; its kind when absent.
    #[serde(default)]
    pub id: Option<String>,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub kind: Value,
    /// Whether it is used; yes when absent.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// By what and how. Secrets that are left out (or `***`) stay as they were, as long as they go to
    /// the same account of the same server.
    pub config: ChannelConfig,
    /// The user's own words; null or absent: ours.
    #[serde(default)]
    pub template: Option<Template>,
    /// Messages in 24 hours at most; null: no limit; absent: as before, for a new channel 50 where
    /// messages cost money.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u32>)]
    pub limit_per_day: Option<Option<u32>>,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub has_secret: Value,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub status: Value,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub sent_today: Value,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub spent_today_micros: Value,
}

/// A channel that is there by its id, or a configuration to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ChannelOrId {
    /// One that is there.
    Id(String),
    /// One that may not be there yet.
    Config(Box<ChannelConfig>),
}

/// What to try, and on whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelTest {
    /// What to try.
    pub channel: ChannelOrId,
    /// A channel that is there; secrets that a configuration leaves out are its.
    #[serde(default)]
    pub id: Option<String>,
    /// A mail address or a telephone number; nothing for a webhook.
    #[serde(default)]
    pub to: String,
    /// The user's own words to try, as they stand in a form; those of the channel when absent.
    #[serde(default)]
    pub template: Option<Template>,
}

/// What a test found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChannelTested {
    /// Whether the provider took the message.
    pub ok: bool,
    /// What happened, or what is wrong and what to do.
    pub message: String,
    /// A word for what is wrong.
    #[schema(required = true)]
    pub code: Option<String>,
    /// The key that a server showed and that was not believed, to be set as `pin` after a person
    /// compared it.
    #[schema(required = true)]
    pub fingerprint: Option<String>,
}

/// What to show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelPreview {
    /// The channel.
    pub channel: ChannelOrId,
    /// The words to show; those of the channel when absent.
    #[serde(default)]
    pub template: Option<Template>,
}

fn yes() -> bool {
    true
}

/// A field that is there, be it null.
fn said<'de, D>(deserializer: D) -> Result<Option<Option<u32>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl NewChannel {
    /// The channel, checked, with what it leaves out from the one before.
    ///
    /// # Errors
    /// It cannot work; the words say why.
    pub fn into_channel(self, id: String, old: Option<&Channel>) -> Result<Channel, ApiError> {
        let channel = Channel {
            id,
            enabled: self.enabled,
            limit_per_day: self.limit_per_day.flatten(),
            template: self.template,
            config: self.config,
        };
        channel.checked(self.limit_per_day.is_some(), old)
    }
}

impl ChannelView {
    /// A channel with how many messages it sent in 24 hours and their price.
    pub fn new(live: &Live, (sent_today, spent): (u64, i64)) -> ChannelView {
        let channel = &live.channel;
        let error = live.status.error.as_ref();
        let state = match (error, live.status.last_sent_at) {
            (Some(_), _) => ChannelState::Failing,
            (None, Some(_)) => ChannelState::Ok,
            (None, None) => ChannelState::Never,
        };
        ChannelView {
            id: channel.id.clone(),
            kind: channel.config.kind().to_owned(),
            enabled: channel.enabled,
            has_secret: channel.config.has_secret(),
            config: channel.config.clone(),
            template: channel.template.clone(),
            status: ChannelStatusView {
                state,
                last_sent_at: live.status.last_sent_at.map(Micros::to_rfc3339),
                error: error.map(|(code, message)| ChannelErrorView {
                    code: code.clone(),
                    message: message.clone(),
                }),
            },
            limit_per_day: channel.limit_per_day,
            sent_today,
            spent_today_micros: channel.config.is_paid().then_some(spent),
        }
    }
}
