//! `agent.toml` as serde reads it: unknown keys are refused, every value knows its line.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub machine_id: Option<Spanned<String>>,
    pub state_dir: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub input: Vec<Spanned<Input>>,
    pub spool: Option<Spool>,
    pub local: Option<Local>,
    pub wifi: Option<Spanned<Wifi>>,
    pub eport: Option<Spanned<Eport>>,
    pub heartbeat: Option<Heartbeat>,
    pub clock: Option<Clock>,
    pub privacy: Option<Privacy>,
    pub care: Option<Care>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub kind: Option<Spanned<String>>,
    pub path: Option<Spanned<PathBuf>>,
    pub format: Option<Spanned<String>>,
    pub timezone: Option<Spanned<String>>,
    pub pack: Option<Spanned<String>>,
    pub pattern: Option<Spanned<String>>,
    pub time_format: Option<Spanned<String>>,
    pub unit: Option<Spanned<String>>,
    pub units: Option<Spanned<Vec<String>>>,
    pub directory: Option<Spanned<PathBuf>>,
    pub file: Option<Spanned<PathBuf>>,
    pub mode: Option<Spanned<String>>,
    pub group: Option<Spanned<String>>,
    pub udp: Option<Spanned<String>>,
    pub allow_network: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spool {
    pub max_bytes: Option<Spanned<u64>>,
    pub max_disk_share: Option<Spanned<u8>>,
    pub min_free_bytes: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Local {
    pub path: Option<Spanned<PathBuf>>,
    pub max_bytes: Option<Spanned<u64>>,
    pub files: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wifi {
    pub enabled: Option<bool>,
    pub url: Option<Spanned<String>>,
    pub api_key_file: Option<Spanned<PathBuf>>,
    pub pin: Option<Spanned<String>>,
    pub backup_pin: Option<Spanned<String>>,
    pub ca_file: Option<Spanned<PathBuf>>,
    pub proxy: Option<Spanned<String>>,
    pub mode: Option<Spanned<String>>,
    pub send_interval_s: Option<Spanned<u64>>,
    pub levels: Option<Vec<Spanned<String>>>,
    pub immediate: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Eport {
    pub enabled: Option<bool>,
    pub mode: Option<Spanned<String>>,
    pub port: Option<PathBuf>,
    pub send_interval_s: Option<Spanned<u64>>,
    pub levels: Option<Vec<Spanned<String>>>,
    pub immediate: Option<Vec<Spanned<String>>>,
    pub max_drop_bytes: Option<Spanned<u64>>,
    pub monthly_budget_bytes: Option<Spanned<u64>>,
    pub time: Option<Spanned<String>>,
    pub dictionary_file: Option<PathBuf>,
    pub exclusive: Option<bool>,
    pub reader: Option<Spanned<eport::UploadLayout>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heartbeat {
    pub interval_s: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clock {
    pub synced_file: Option<Spanned<PathBuf>>,
    pub server_time: Option<bool>,
    pub wait_s: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Privacy {
    pub hash_fields: Option<Vec<String>>,
    pub drop_fields: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Care {
    pub remote_config: Option<bool>,
    pub trial_s: Option<Spanned<u64>>,
}
