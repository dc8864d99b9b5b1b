//! The keys of an FTP source.

use serde::{Deserialize, Serialize};

use crate::config::{self, Common, Folder};
use crate::{After, Secret, Tls, tls};

/// A folder on an FTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = FtpSource))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name or address.
    pub host: String,
    /// 21 when absent, 990 with implicit TLS.
    #[serde(default)]
    pub port: Option<u16>,
    /// `explicit` when absent. `none` sends the password in clear.
    #[serde(default)]
    pub tls: Tls,
    /// TLS 1.2 at most: for servers that want the data connection to resume the session and do
    /// not manage it with TLS 1.3 (they answer 522 or break off).
    #[serde(default)]
    pub tls_max_12: bool,
    /// `sha256/<base64>` of the server's public key; instead of an authority.
    #[serde(default)]
    pub pin: Option<String>,
    /// Certificates of the authority to trust, in PEM; instead of the system's.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// Connect for data to the address that the server names, which servers behind NAT get wrong.
    /// When absent, to the server's own.
    #[serde(default)]
    pub trust_pasv_address: bool,
    /// The account.
    pub user: String,
    /// Its password.
    #[serde(default)]
    pub password: Secret,
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

impl Config {
    /// The port to connect to.
    pub fn port(&self) -> u16 {
        let usual = if self.tls == Tls::Implicit { 990 } else { 21 };
        self.port.unwrap_or(usual)
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
        if self.password.is_empty() {
            return Err("password is missing".into());
        }
        tls::validate(self.pin.as_deref(), self.ca_pem.as_deref())
    }
}
