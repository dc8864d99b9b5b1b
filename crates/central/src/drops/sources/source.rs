//! A source as it is configured: made from what a person sends, kept as JSON in the encrypted
//! catalog. A password that we gave out (kind `http`) is kept as a hash; those that we show to other
//! servers are kept as they are, because they have to be shown.

use drops::{Secret, SourceConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::basic::{HashedPassword, Sent};
use crate::error::ApiError;

/// Stands in a configuration for a password of which only the hash is kept.
const KEPT_AS_HASH: &str = "kept as a hash, not in clear";
/// The longest name, in characters.
const NAME_MAX_CHARS: usize = 100;

/// A source as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Names it for ever: `s1`.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Where and how.
    pub config: SourceConfig,
    /// Kind `http` only: the password that is let in.
    password: Option<HashedPassword>,
}

/// The JSON of a stored source.
#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    enabled: bool,
    config: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<HashedPassword>,
}

impl Source {
    /// Checks what a person sent; what it leaves out of the secrets is taken from `old`, as long as
    /// they go to the same account of the same server.
    ///
    /// # Errors
    /// The name or the configuration cannot work; the words say why.
    pub fn new(
        id: String,
        name: String,
        enabled: bool,
        mut config: SourceConfig,
        old: Option<&Source>,
    ) -> Result<Source, ApiError> {
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_MAX_CHARS || name.chars().any(char::is_control) {
            return Err(ApiError::bad_request(
                "bad_field",
                "field \"name\" must have 1 to 100 characters, none of them a control character",
            ));
        }
        if let Some(old) = old {
            config.keep_secrets_of(&old.config);
        }
        config
            .validate()
            .map_err(|error| ApiError::bad_request("bad_source", error.to_string()))?;
        let mut password = None;
        if let SourceConfig::Http(http) = &mut config {
            password = match http.password.expose() {
                KEPT_AS_HASH => old.and_then(|old| old.password.clone()),
                clear => Some(HashedPassword::new(clear)?),
            };
            http.password = Secret::from(KEPT_AS_HASH);
        }
        Ok(Source {
            id,
            name,
            enabled,
            config,
            password,
        })
    }

    /// From the catalog.
    ///
    /// # Errors
    /// It was written by a newer version, or is damaged.
    pub fn from_stored(id: String, json: &str) -> Result<Source, serde_json::Error> {
        let stored: Stored = serde_json::from_str(json)?;
        let mut config: SourceConfig = serde_json::from_value(stored.config)?;
        if let SourceConfig::Http(http) = &mut config {
            http.password = Secret::from(KEPT_AS_HASH);
        }
        Ok(Source {
            id,
            name: stored.name,
            enabled: stored.enabled,
            config,
            password: stored.password,
        })
    }

    /// For the catalog, **with its secrets**.
    pub fn to_stored(&self) -> String {
        let mut config = self.config.clone();
        if let SourceConfig::Http(http) = &mut config {
            http.password = Secret::default();
        }
        let stored = Stored {
            name: self.name.clone(),
            enabled: self.enabled,
            config: config.to_stored(),
            password: self.password.clone(),
        };
        // Texts, numbers and flags have a JSON.
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// The user by whom files are posted; `None` for what is polled.
    pub fn http_user(&self) -> Option<&str> {
        match &self.config {
            SourceConfig::Http(http) => Some(&http.user),
            _ => None,
        }
    }

    /// Whether this user and password may post files as this source.
    pub fn is_opened_by(&self, sent: &Sent) -> bool {
        let is_user = self.http_user() == Some(sent.user.as_str());
        let right = self.password.as_ref().map(|kept| kept.is(&sent.password));
        self.enabled && is_user && right == Some(true)
    }

    /// `ftp`, `ftps`, `sftp`, `imap` or `http`.
    pub fn kind(&self) -> &'static str {
        match &self.config {
            SourceConfig::Ftp(ftp) if ftp.tls != drops::Tls::None => "ftps",
            config => config.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: Value) -> SourceConfig {
        serde_json::from_value(value).unwrap()
    }

    fn http(password: &str, old: Option<&Source>) -> Result<Source, ApiError> {
        let config = config(json!({ "kind": "http", "user": "usalive", "password": password }));
        Source::new("s1".into(), "USALive".into(), true, config, old)
    }

    fn sent(password: &str) -> Sent {
        Sent {
            user: "usalive".into(),
            password: password.into(),
        }
    }

    #[test]
    fn our_own_password_is_kept_as_a_hash_and_stays_when_it_is_not_sent_again() {
        let source = http("correct horse battery", None).unwrap();
        assert!(source.is_opened_by(&sent("correct horse battery")));
        assert!(!source.to_stored().contains("correct horse"));
        let kept = Source::from_stored("s1".into(), &source.to_stored()).unwrap();
        assert_eq!(kept, source);
        let changed = http("***", Some(&kept)).unwrap();
        assert!(changed.is_opened_by(&sent("correct horse battery")));
        assert!(!changed.is_opened_by(&sent(KEPT_AS_HASH)), "no password");
        assert!(http("***", None).is_err(), "there is none to keep");
        let renewed = http("another long password", Some(&kept)).unwrap();
        assert!(!renewed.is_opened_by(&sent("correct horse battery")));
    }

    #[test]
    fn who_is_switched_off_is_not_let_in() {
        let mut source = http("correct horse battery", None).unwrap();
        source.enabled = false;
        assert!(!source.is_opened_by(&sent("correct horse battery")));
    }

    #[test]
    fn a_password_for_another_server_is_stored_as_it_is_and_never_shown() {
        let ftp = config(json!({ "kind": "ftp", "host": "h", "user": "u", "password": "hunter2" }));
        let source = Source::new("s1".into(), "FTP".into(), true, ftp, None).unwrap();
        assert_eq!(source.kind(), "ftps");
        assert!(!format!("{source:?}").contains("hunter2"));
        let kept = Source::from_stored("s1".into(), &source.to_stored()).unwrap();
        assert_eq!(kept, source);
        assert_eq!(kept.config.to_stored()["password"], "hunter2");
    }
}
