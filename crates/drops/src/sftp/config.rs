//! The keys of an SFTP source.

use serde::{Deserialize, Serialize};

use crate::config::{self, Common, Folder};
use crate::{After, Secret};

/// A folder on an SSH server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SftpSource))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name or address.
    pub host: String,
    /// 22 when absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// The server's key, `SHA256:<base64>` as `ssh-keygen -lf` prints it. Without it nothing is
    /// fetched: the first test shows the key to accept.
    #[serde(default)]
    pub host_key: Option<String>,
    /// The account.
    pub user: String,
    /// `password` when absent.
    #[serde(default)]
    pub auth: Auth,
    /// Its password.
    #[serde(default)]
    pub password: Secret,
    /// The private key, in OpenSSH's or another PEM form.
    #[serde(default)]
    pub private_key: Secret,
    /// What the private key is encrypted with, if it is.
    #[serde(default)]
    pub passphrase: Secret,
    /// The folder; the one after signing in when empty.
    #[serde(default)]
    pub folder: String,
    /// Which files: `*` and `?`, case does not matter.
    #[serde(default = "config::default_pattern")]
    pub pattern: String,
    /// What to do with a file that was taken.
    #[serde(default)]
    pub after: After,
    /// The folder for `after = "move"`, seen from `folder` unless it begins with `/`.
    #[serde(default)]
    pub move_to: Option<String>,
    /// Seconds between polls.
    #[serde(default = "config::default_interval_s")]
    pub interval_s: u32,
    /// Seconds that one step may take.
    #[serde(default = "config::default_timeout_s")]
    pub timeout_s: u32,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SftpAuth))]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// With `password`.
    #[default]
    Password,
    /// With `private_key`.
    Key,
}

impl Config {
    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(22)
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        let common = Common {
            host: &self.host,
            user: &self.user,
            folder: Folder::Path(&self.folder),
            after: self.after,
            move_to: self.move_to.as_deref(),
            interval_s: self.interval_s,
            timeout_s: self.timeout_s,
        };
        common.validate()?;
        if let Some(key) = &self.host_key
            && !key.starts_with("SHA256:")
        {
            return Err("host_key must be SHA256: and base64, as ssh-keygen -lf prints it".into());
        }
        match self.auth {
            Auth::Password if self.password.is_empty() => Err("password is missing".into()),
            Auth::Key if self.private_key.is_empty() => Err("private_key is missing".into()),
            Auth::Password | Auth::Key => Ok(()),
        }
    }
}
