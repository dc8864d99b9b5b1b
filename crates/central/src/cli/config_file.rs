//! The server's configuration file; flags go before it. Unknown keys are refused with their line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use wire::time::SECOND_US;

use crate::status::StatusLimits;

/// The whole file; everything is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Where to take HTTPS.
    pub listen: Option<SocketAddr>,
    /// The file of the store's key.
    pub key_file: Option<PathBuf>,
    /// When a machine is yellow or red.
    #[serde(default)]
    pub status: StatusSection,
}

/// `[status]`; what is absent keeps its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusSection {
    wifi_yellow_s: Option<u32>,
    wifi_red_s: Option<u32>,
    cell_yellow_s: Option<u32>,
    cell_red_s: Option<u32>,
    errors_red: Option<u32>,
    warnings_yellow: Option<u32>,
    grace_s: Option<u32>,
}

impl ConfigFile {
    /// Reads the file.
    pub fn read(path: &Path) -> anyhow::Result<ConfigFile> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("configuration file {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("configuration file {}", path.display()))
    }
}

impl StatusSection {
    /// The limits with what the file says.
    pub fn limits(&self) -> StatusLimits {
        let default = StatusLimits::default();
        let us = |seconds: Option<u32>, default: i64| match seconds {
            Some(seconds) => i64::from(seconds) * SECOND_US,
            None => default,
        };
        StatusLimits {
            wifi_yellow_us: us(self.wifi_yellow_s, default.wifi_yellow_us),
            wifi_red_us: us(self.wifi_red_s, default.wifi_red_us),
            cell_yellow_us: us(self.cell_yellow_s, default.cell_yellow_us),
            cell_red_us: us(self.cell_red_s, default.cell_red_us),
            errors_red: self.errors_red.map_or(default.errors_red, u64::from),
            warnings_yellow: self
                .warnings_yellow
                .map_or(default.warnings_yellow, u64::from),
            grace_us: us(self.grace_s, default.grace_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_keeps_its_default() {
        let file: ConfigFile = toml::from_str("[status]\nwifi_red_s = 60\n").unwrap();
        let limits = file.status.limits();
        assert_eq!(limits.wifi_red_us, 60 * SECOND_US);
        assert_eq!(limits.errors_red, StatusLimits::default().errors_red);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = toml::from_str::<ConfigFile>("lisen = \"127.0.0.1:1\"").unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }
}
