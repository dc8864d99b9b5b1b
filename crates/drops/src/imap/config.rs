//! The keys of a mailbox.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::config::{self, Common, Folder};
use crate::{After, Secret, Tls, tls};

/// A folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ImapSource))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name or address.
    pub host: String,
    /// 993 when absent, 143 without implicit TLS.
    #[serde(default)]
    pub port: Option<u16>,
    /// `implicit` when absent; `explicit` is STARTTLS; `none` sends the password in clear.
    #[serde(default = "implicit")]
    pub tls: Tls,
    /// TLS 1.2 at most.
    #[serde(default)]
    pub tls_max_12: bool,
    /// `sha256/<base64>` of the server's public key; instead of an authority.
    #[serde(default)]
    pub pin: Option<String>,
    /// Certificates of the authority to trust, in PEM; instead of the system's.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// The account.
    pub user: String,
    /// `password` when absent.
    #[serde(default)]
    pub auth: Auth,
    /// Its password.
    #[serde(default)]
    pub password: Secret,
    /// XOAUTH2: a token as it is. It ends within hours at most providers: a script has to set a
    /// new one, or `refresh_token` is used instead.
    #[serde(default)]
    pub access_token: Secret,
    /// XOAUTH2: gets an access token at every poll from `token_url`.
    #[serde(default)]
    pub refresh_token: Secret,
    /// Where to get access tokens; https only.
    #[serde(default)]
    pub token_url: Option<String>,
    /// Who we are there.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The secret of that, where the provider wants one.
    #[serde(default)]
    pub client_secret: Secret,
    /// The folder; INBOX when empty.
    #[serde(default)]
    pub folder: String,
    /// Name of an attachment, with `*` and `?`. `*` takes mails without one too.
    #[serde(default = "config::default_pattern")]
    pub pattern: String,
    /// Subject, with `*` and `?`.
    #[serde(default = "config::default_pattern")]
    pub subject: String,
    /// Address of the sender, with `*` and `?`.
    #[serde(default = "config::default_pattern")]
    pub from: String,
    /// Only mails that nobody has read. Otherwise every mail that we have not taken yet.
    #[serde(default)]
    pub unseen_only: bool,
    /// Only mails that arrived on this day or later.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub since: Option<Date>,
    /// What to do with a mail that was taken.
    #[serde(default)]
    pub after: After,
    /// The folder for `after = "move"`.
    #[serde(default)]
    pub move_to: Option<String>,
    /// Seconds between polls; a server with IDLE says sooner that something came.
    #[serde(default = "config::default_interval_s")]
    pub interval_s: u32,
    /// Seconds that one step may take.
    #[serde(default = "config::default_timeout_s")]
    pub timeout_s: u32,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ImapAuth))]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// With `password`.
    #[default]
    Password,
    /// With `access_token`, or with `refresh_token`, `token_url` and `client_id`.
    Xoauth2,
}

impl Config {
    /// The port to connect to.
    pub fn port(&self) -> u16 {
        let usual = if self.tls == Tls::Implicit { 993 } else { 143 };
        self.port.unwrap_or(usual)
    }

    /// The folder to look into.
    pub fn folder(&self) -> &str {
        if self.folder.is_empty() {
            "INBOX"
        } else {
            &self.folder
        }
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        let common = Common {
            host: &self.host,
            user: &self.user,
            folder: Folder::Mailbox(self.folder()),
            after: self.after,
            move_to: self.move_to.as_deref(),
            interval_s: self.interval_s,
            timeout_s: self.timeout_s,
        };
        common.validate()?;
        let texts = [&self.subject, &self.from, &self.pattern];
        if texts.into_iter().any(|text| config::has_control(text)) {
            return Err("subject, from and pattern must not contain control characters".into());
        }
        self.validate_sign_in()?;
        tls::validate(self.pin.as_deref(), self.ca_pem.as_deref())
    }

    fn validate_sign_in(&self) -> Result<(), String> {
        if self.auth == Auth::Password {
            return if self.password.is_empty() {
                Err("password is missing".into())
            } else {
                Ok(())
            };
        }
        if self.tls == Tls::None {
            return Err("xoauth2 needs TLS: a token must not travel in clear".into());
        }
        if self.refresh_token.is_empty() {
            return if self.access_token.is_empty() {
                Err("xoauth2 needs access_token, or refresh_token with token_url".into())
            } else {
                Ok(())
            };
        }
        let url = self.token_url.as_deref().unwrap_or("");
        if !url.starts_with("https://") {
            return Err("refresh_token needs token_url, beginning with https://".into());
        }
        if self.client_id.as_deref().unwrap_or("").is_empty() {
            return Err("refresh_token needs client_id".into());
        }
        Ok(())
    }
}

fn implicit() -> Tls {
    Tls::Implicit
}
