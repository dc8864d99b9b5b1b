//! What central is started with, and the defaults of it. Reading flags and files is the CLI's work.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::status::StatusLimits;

/// Where machines and browsers come in unless told otherwise: this machine only, because opening
/// the port to a network is a decision of the operator.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);

/// How to start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory of the store; made when it is missing.
    pub data_dir: PathBuf,
    /// The file of the key that wraps the store's data key; `None` is [`default_key_file`].
    pub key_file: Option<PathBuf>,
    /// Where to take HTTPS; `None` takes none (the window and the admin socket still work), port 0
    /// picks a free one.
    pub listen: Option<SocketAddr>,
    /// When a machine is yellow or red.
    pub status: StatusLimits,
}

impl Config {
    /// The defaults over this data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Config {
        Config {
            data_dir: data_dir.into(),
            key_file: None,
            listen: Some(DEFAULT_LISTEN),
            status: StatusLimits::default(),
        }
    }

    /// The key file to use, or `None` when none is given and this user has no configuration
    /// directory.
    pub fn key_file(&self) -> Option<PathBuf> {
        self.key_file.clone().or_else(default_key_file)
    }
}

/// `vendlog/store.key` in the user's configuration directory; never in the data directory, so that a
/// copied data directory alone opens nothing.
pub fn default_key_file() -> Option<PathBuf> {
    Some(config_dir()?.join("vendlog").join("store.key"))
}

#[cfg(windows)]
fn config_dir() -> Option<PathBuf> {
    std::env::var_os("APPDATA").map(PathBuf::from)
}

#[cfg(target_os = "macos")]
fn config_dir() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join("Library/Application Support"))
}

#[cfg(not(any(windows, target_os = "macos")))]
fn config_dir() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(absolute)
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")))
}
