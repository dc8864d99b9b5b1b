//! The keys of an SMS channel.

use serde::{Deserialize, Serialize};

use crate::address::check_phone;
use crate::twilio::Account;

/// Default of `max_segments`: the required parts and a sentence fit, and a storm stays affordable.
const SEGMENTS: u8 = 2;
/// Twilio takes 1,600 characters, which are 10 segments and a half.
const SEGMENTS_MOST: u8 = 10;

/// A number that sends, and how long a text may get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SmsChannel))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account.
    pub account: Account,
    /// The number that sends and takes replies, in E.164.
    pub from: String,
    /// `MG` and 32 digits: sends by a messaging service instead of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_service_sid: Option<String>,
    /// Segments of a text at most, each of which is paid: 160 letters, or 70 with letters that
    /// the GSM alphabet does not have.
    #[serde(default = "default_segments")]
    pub max_segments: u8,
    /// Whether texts ask for `ACK n` and replies are looked for.
    #[serde(default = "default_replies")]
    pub takes_replies: bool,
}

fn default_segments() -> u8 {
    SEGMENTS
}

fn default_replies() -> bool {
    true
}

impl Config {
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.account.validate()?;
        check_phone(&self.from).map_err(|words| format!("from: {words}"))?;
        let service = self.messaging_service_sid.as_deref();
        if service.is_some_and(|sid| !crate::twilio::is_sid(sid, "MG")) {
            return Err("messaging_service_sid must be MG and 32 hexadecimal digits".into());
        }
        if !(1..=SEGMENTS_MOST).contains(&self.max_segments) {
            return Err(format!("max_segments must be 1 to {SEGMENTS_MOST}"));
        }
        Ok(())
    }
}
