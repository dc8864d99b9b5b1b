//! Parts of a heartbeat that say how the machine and its application are. Facts only: what is good
//! or bad of them is for the server to judge.

use serde::{Deserialize, Serialize};

/// What the firmware of a Raspberry Pi says of its power and heat; other machines have no such.
/// Words: `under_voltage`, `frequency_capped`, `throttled`, `soft_temperature_limit`; unknown ones
/// are of a newer agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Throttled {
    /// What is so now.
    #[serde(default)]
    pub now: Vec<String>,
    /// What was so at some time since the machine booted.
    #[serde(default)]
    pub since_boot: Vec<String>,
}

/// The word for too little voltage.
pub const UNDER_VOLTAGE: &str = "under_voltage";

/// How the application does whose logs are read, as far as its logs tell. Of several inputs the
/// worst, and the newest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppHealth {
    /// Starts of the application seen in the last hour.
    #[serde(default)]
    pub starts_1h: u32,
    /// It starts again and again.
    #[serde(default)]
    pub crash_loop: bool,
    /// Seconds since it last logged anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_entry_age_s: Option<u64>,
    /// Seconds since the last entry with `event=sale`; absent when none was ever seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sale_age_s: Option<u64>,
    /// Seconds since its last start; absent when none was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_start_age_s: Option<u64>,
}

/// How one input of the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputHealth {
    /// Its path, unit or socket.
    pub name: String,
    /// Bytes that were written and not read yet; absent where that cannot be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_bytes: Option<u64>,
    /// `reading`, `paused` (the spool or the disk is full) or `failing`; other words are of a
    /// newer agent.
    pub state: String,
    /// What fails, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How the way through the card reader is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CellHealth {
    /// `active`, `standby` (WiFi delivers, one drop a day), `holding` (the month's data runs short)
    /// or `failing`; other words are of a newer agent.
    pub state: String,
    /// How often drops are due, in seconds, when WiFi does not deliver; absent: hourly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_interval_s: Option<u32>,
    /// Entries of the levels that go this way and have not left yet.
    #[serde(default)]
    pub waiting: u64,
    /// When the reader took the last drop, RFC 3339 by the machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_drop_at: Option<String>,
    /// The number of that drop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_number: Option<u64>,
    /// Bytes used in this calendar month (UTC).
    #[serde(default)]
    pub used_bytes: u64,
    /// What may be used in a month; absent: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_bytes: Option<u64>,
    /// What the month will come to when it goes on like this.
    #[serde(default)]
    pub forecast_bytes: u64,
    /// Signal strength as the reader says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_rssi: Option<i32>,
    /// Bit error rate as the reader says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_ber: Option<i32>,
    /// The reader's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_serial: Option<String>,
    /// What fails, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
