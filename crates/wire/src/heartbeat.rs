//! The body of `POST /api/heartbeat` and its answer.

use serde::{Deserialize, Serialize};

use crate::care::{ConfigReport, KeyText, NewConfig, NewDictionary, ResendRequest, Resent};
use crate::drops::DictionaryId;
use crate::health::{AppHealth, CellHealth, InputHealth, Throttled};
use crate::{ClockState, MachineId};

/// What an agent says of itself and its machine every few minutes. Everything but the machine id is
/// optional, so that older and newer agents understand each other; units are in the names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heartbeat {
    /// Who speaks.
    pub machine_id: MachineId,
    /// The machine's own clock, RFC 3339. Never used to judge silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// Version of the agent, such as `0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Seconds since the machine booted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_s: Option<u64>,
    /// Whether the machine's clock was set by a time source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockState>,
    /// The epoch of the agent's spool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The newest seq in the spool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
    /// Entries in the spool that this server has not confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool_entries: Option<u64>,
    /// Bytes of the spool on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool_bytes: Option<u64>,
    /// Age of the oldest unconfirmed entry in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool_oldest_age_s: Option<u64>,
    /// Bytes written to the inputs that the agent has not read yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_lag_bytes: Option<u64>,
    /// Processor temperature in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_temperature_c: Option<f64>,
    /// Free bytes on the disk that holds the spool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free_bytes: Option<u64>,
    /// Memory that programs could still take, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_available_bytes: Option<u64>,
    /// Entries that the server refused and that were put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries_put_aside: Option<u64>,
    /// The public part of the key in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// What became of the configuration that the server handed out; absent when it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigReport>,
    /// What came of requests to send entries again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resent: Vec<Resent>,
    /// The server's clock minus the machine's, in milliseconds, as the answer before told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// How the agent saw the way to the server just before it sent this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachability: Option<Reachability>,
    /// Since when it has seen it so, RFC 3339 by the machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachability_since: Option<String>,
    /// Power and heat, of a Raspberry Pi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<Throttled>,
    /// Strength of the WiFi signal in dBm, such as -58; absent without WiFi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wifi_signal_dbm: Option<i32>,
    /// Size of the disk that holds the spool, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_total_bytes: Option<u64>,
    /// The machine's memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_total_bytes: Option<u64>,
    /// Programs that want the processor, averaged over a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_1m: Option<f64>,
    /// How the application does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppHealth>,
    /// Each input, in the order of the configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputHealth>,
    /// Gap records written since the agent started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gaps: Option<u64>,
    /// The way through the card reader; absent when it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellHealth>,
    /// The dictionary that drops are packed with; absent when the cellular path is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub dictionary: Option<DictionaryId>,
}

/// What an agent knows of the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reachability {
    /// The machine has no route to the server's address.
    NoRoute,
    /// There is a route, but the server itself did not answer, whoever else did.
    #[default]
    NoAnswer,
    /// The server answers, but does not accept the machine's key.
    Refused,
    /// The server answers.
    Reachable,
}

impl Heartbeat {
    /// A heartbeat that says nothing but who speaks.
    pub fn new(machine_id: MachineId) -> Heartbeat {
        Heartbeat {
            machine_id,
            sent_at: None,
            agent_version: None,
            uptime_s: None,
            clock: None,
            epoch: None,
            last_seq: None,
            spool_entries: None,
            spool_bytes: None,
            spool_oldest_age_s: None,
            input_lag_bytes: None,
            cpu_temperature_c: None,
            disk_free_bytes: None,
            memory_available_bytes: None,
            entries_put_aside: None,
            key_id: None,
            config: None,
            resent: Vec::new(),
            clock_offset_ms: None,
            reachability: None,
            reachability_since: None,
            throttled: None,
            wifi_signal_dbm: None,
            disk_total_bytes: None,
            memory_total_bytes: None,
            load_1m: None,
            app: None,
            inputs: Vec::new(),
            gaps: None,
            cell: None,
            dictionary: None,
        }
    }
}

/// The server's answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeartbeatAnswer {
    /// The server's clock, RFC 3339 UTC.
    pub server_time: String,
    /// A key to use from now on; the one before stays good until this one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub new_key: Option<KeyText>,
    /// A configuration to use from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<NewConfig>,
    /// Entries to send once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resend: Vec<ResendRequest>,
    /// A dictionary to pack drops with from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<NewDictionary>,
}

impl HeartbeatAnswer {
    /// An answer that asks for nothing.
    pub fn new(server_time: String) -> HeartbeatAnswer {
        HeartbeatAnswer {
            server_time,
            new_key: None,
            config: None,
            resend: Vec::new(),
            dictionary: None,
        }
    }
}
