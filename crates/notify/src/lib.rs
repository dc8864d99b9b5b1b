//! Telling people: e-mail, SMS, voice calls, webhooks. Each channel takes a finished message and an
//! address, and answers what became of it. Which alert, whom and when is decided elsewhere.

mod address;
mod chart;
mod clean;
mod config;
pub mod dead_man;
pub mod email;
mod error;
mod http;
pub mod limits;
mod message;
mod price;
mod secret;
mod shown;
pub mod sms;
mod template;
mod trust;
pub mod twilio;
pub mod voice;
pub mod webhook;
mod when;
mod words;

use serde::{Deserialize, Serialize};
use wire::Micros;

pub use address::Address;
pub use config::ChannelConfig;
pub use error::SendError;
pub use message::{AlertRef, Bar, Chart, Item, Kind, MachineRef, Message, Severity};
pub use price::Price;
pub use secret::Secret;
pub use template::{NAMES as TEMPLATE_NAMES, Template, TemplateError};

use shown::Shown;

/// What became of a message that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// What the provider calls it: a SID, what the mail server said.
    pub provider_id: Option<String>,
    /// What it cost, where the provider says so at once; mostly it does not.
    pub price: Option<Price>,
    /// Segments of an SMS.
    pub segments: Option<u32>,
}

/// How a message will look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = MessagePreview))]
pub struct Preview {
    /// The subject, where the channel has one.
    pub subject: String,
    /// The text: of the mail, of the SMS, what is said, the JSON that is posted.
    pub text: String,
    /// The HTML part of a mail. To be shown in a sandbox or as text.
    pub html: Option<String>,
    /// Segments of an SMS.
    pub segments: Option<u32>,
    /// Characters of `text`.
    pub chars: usize,
}

/// Sends a message to an address. A cancelled call may have sent it.
///
/// # Errors
/// What became of it instead; never with a secret in its words.
pub async fn send(
    channel: &ChannelConfig,
    to: &Address,
    message: &Message,
) -> Result<Sent, SendError> {
    let sending = tokio::time::timeout(limits::DELIVERY, dispatch(channel, to, message));
    let sent = sending.await.unwrap_or_else(|_| {
        let seconds = limits::DELIVERY.as_secs();
        let words = format!("it took longer than {seconds} s; it is tried again");
        Err(SendError::temporary("timed_out", words).maybe_arrived(true))
    });
    sent.map_err(|error| error.without(&channel.secrets()))
}

async fn dispatch(
    channel: &ChannelConfig,
    to: &Address,
    message: &Message,
) -> Result<Sent, SendError> {
    channel
        .validate()
        .map_err(|words| SendError::broken("config", words))?;
    let shown = Shown::of(message);
    let phone = |number: &str| {
        address::check_phone(number).map_err(|words| SendError::refused("address", words))
    };
    match (channel, to) {
        (ChannelConfig::Email(config), Address::Email { address }) => {
            email::send(config, address, &shown).await
        }
        (ChannelConfig::Sms(config), Address::Phone { number }) => {
            phone(number)?;
            sms::send(config, number, &shown).await
        }
        (ChannelConfig::Voice(config), Address::Phone { number }) => {
            phone(number)?;
            voice::send(config, number, &shown).await
        }
        (ChannelConfig::Webhook(config), _) => webhook::send(config, &shown).await,
        (channel, _) => Err(SendError::refused(
            "address",
            format!(
                "this person has no address for {}; give one",
                channel.kind()
            ),
        )),
    }
}

/// What became of a message afterwards, by [`Sent::provider_id`]; `None` for channels that are not
/// told. SMS and calls are taken before the provider knows, and have their price only later.
///
/// # Errors
/// The provider cannot be asked.
pub async fn outcome(
    channel: &ChannelConfig,
    provider_id: &str,
) -> Result<Option<twilio::Outcome>, SendError> {
    let account = match channel {
        ChannelConfig::Sms(config) => &config.account,
        ChannelConfig::Voice(config) => &config.account,
        ChannelConfig::Email(_) | ChannelConfig::Webhook(_) => return Ok(None),
    };
    let asked = twilio::outcome(account, provider_id).await;
    asked
        .map(Some)
        .map_err(|error| error.without(&channel.secrets()))
}

/// How a message will look; needs no network and no secret.
pub fn preview(channel: &ChannelConfig, message: &Message) -> Preview {
    let shown = Shown::of(message);
    match channel {
        ChannelConfig::Email(_) => email::preview(&shown),
        ChannelConfig::Sms(config) => sms::preview(config, &shown),
        ChannelConfig::Voice(_) => voice::preview(&shown),
        ChannelConfig::Webhook(config) => webhook::preview(config, &shown),
    }
}

/// Sends a test to an address, in the user's own words if some are given. With PagerDuty the incident that it opens is resolved again.
///
/// # Errors
/// As [`send`].
pub async fn test_channel(
    channel: &ChannelConfig,
    to: &Address,
    template: Option<Template>,
    id: &str,
    now: Micros,
    timezone: &str,
) -> Result<Sent, SendError> {
    let mut message = Message::test(id.to_owned(), now, timezone.to_owned());
    message.template = template;
    let sent = send(channel, to, &message).await?;
    let opens = matches!(
        channel,
        ChannelConfig::Webhook(webhook::Config {
            preset: webhook::Preset::Pagerduty,
            ..
        })
    );
    if opens {
        message.kind = Kind::Resolved;
        send(channel, to, &message).await?;
    }
    Ok(sent)
}
