//! Remote care: what a heartbeat's answer may ask of an agent, and how the agent says what came of
//! it. Carried by `Heartbeat` and `HeartbeatAnswer`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::drops::DictionaryId;

/// The most bytes of a configuration that a server hands to a machine; an `agent.toml` has about 2
/// KiB.
pub const CONFIG_MAX_BYTES: usize = 32 * 1024;
/// The most entries of one request to send again: an idle machine's week.
pub const RESEND_MAX_ENTRIES: u64 = 10_000;

/// What became of the configuration that the server handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigReport {
    /// The version that is spoken of; empty for the machine's own file after a withdrawal.
    pub version: String,
    /// What became of it.
    pub state: ConfigState,
    /// Why it was refused or rolled back: every mistake with its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConfigState {
    /// It is in use, and a heartbeat arrived with it.
    Active,
    /// It is in use; no heartbeat has arrived with it yet.
    Trial,
    /// It was not taken.
    Refused,
    /// It was taken, but the server was not reached with it; the one before is in use again.
    RolledBack,
}

/// A configuration for the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewConfig {
    /// Names it; empty withdraws the one handed out before: the machine's own file counts again.
    pub version: String,
    /// The text of an `agent.toml`; empty in a withdrawal.
    pub toml: String,
}

/// A dictionary for a machine that sends drops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDictionary {
    /// Its id, 8 hex digits; the machine works it out again from the bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: DictionaryId,
    /// Its bytes in standard base64.
    pub data: String,
}

/// A range of entries to send once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResendRequest {
    /// Names the request.
    pub id: u64,
    /// The spool's epoch.
    pub epoch: u64,
    /// The first seq.
    pub from: u64,
    /// The last seq.
    pub to: u64,
}

/// What came of a request to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resent {
    /// The request.
    pub id: u64,
    /// Entries that were found and that the server has taken (or had).
    pub found: u64,
    /// Entries that the machine does not have any more, or that the server refused.
    pub missing: u64,
}

/// The text of a key on its way to a machine. It is shown nowhere: its `Debug` has no letter of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct KeyText(pub String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(hidden)")
    }
}

/// The public part of a key's text, `vl_<id>_<secret>`; it may be shown.
pub fn key_id(key: &str) -> Option<&str> {
    let mut parts = key.trim().splitn(3, '_');
    let (kind, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    (!kind.is_empty() && !id.is_empty() && !secret.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_part_of_a_key_is_shown() {
        assert_eq!(key_id("vl_0011_has_under_scores\n"), Some("0011"));
        assert_eq!(key_id("vl_0011"), None);
        assert_eq!(key_id("secret"), None);
        let shown = format!("{:?}", KeyText("vl_0011_secret".to_owned()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
