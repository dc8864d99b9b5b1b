//! A source's configuration: one enum over the kinds. It is shown without its secrets and stored
//! with them; how both are done is decided here and nowhere else.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{After, Secret, SourceError, folder, ftp, http_post, imap, limits, sftp};

/// What is shorter is no secret, and stands in many words.
const SECRET_LEAST_BYTES: usize = 4;

/// Where drops come from, and how to get them. JSON with a `kind`; secrets serialise as `***`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SourceConfig {
    /// A folder on an FTP server, plain or over TLS.
    Ftp(ftp::Config),
    /// A folder on an SSH server.
    Sftp(sftp::Config),
    /// A folder of a mailbox.
    Imap(imap::Config),
    /// Posted to us by USALive's HTTP transport.
    Http(http_post::Config),
}

impl SourceConfig {
    /// `ftp`, `sftp`, `imap` or `http`.
    pub fn kind(&self) -> &'static str {
        match self {
            SourceConfig::Ftp(_) => "ftp",
            SourceConfig::Sftp(_) => "sftp",
            SourceConfig::Imap(_) => "imap",
            SourceConfig::Http(_) => "http",
        }
    }

    /// How often to poll; `None` for what comes by itself.
    pub fn interval(&self) -> Option<Duration> {
        let seconds = match self {
            SourceConfig::Ftp(config) => config.interval_s,
            SourceConfig::Sftp(config) => config.interval_s,
            SourceConfig::Imap(config) => config.interval_s,
            SourceConfig::Http(_) => return None,
        };
        Some(Duration::from_secs(
            seconds.max(limits::INTERVAL_LEAST_S).into(),
        ))
    }

    /// Whether any secret is set.
    pub fn has_secret(&self) -> bool {
        self.secrets().iter().any(|(_, secret)| !secret.is_empty())
    }

    /// The configuration **with its secrets in clear**, to be kept encrypted and nowhere else.
    ///
    /// # Panics
    /// Never: the configuration consists of texts, numbers and flags.
    pub fn to_stored(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).expect("texts, numbers and flags serialise");
        for (name, secret) in self.secrets() {
            value[name] = secret.expose().into();
        }
        value
    }

    /// Secrets that this configuration leaves out are taken from `old`, as long as they go to the
    /// same account of the same server. Otherwise whoever may change a source could send its
    /// password to a server of their own.
    pub fn keep_secrets_of(&mut self, old: &SourceConfig) {
        if self.account() != old.account() {
            return;
        }
        let kept: Vec<_> = old
            .secrets()
            .into_iter()
            .map(|(name, secret)| (name, secret.clone()))
            .collect();
        for (name, secret) in self.secrets_mut() {
            let before = kept.iter().find(|(known, _)| *known == name);
            if let (true, Some((_, before))) = (secret.is_empty(), before) {
                *secret = before.clone();
            }
        }
    }

    /// Whether it can work at all; says what is missing.
    ///
    /// # Errors
    /// [`SourceError::Config`].
    pub fn validate(&self) -> Result<(), SourceError> {
        let checked = match self {
            SourceConfig::Ftp(config) => config.validate(),
            SourceConfig::Sftp(config) => config.validate(),
            SourceConfig::Imap(config) => config.validate(),
            SourceConfig::Http(config) => config.validate(),
        };
        checked.map_err(SourceError::Config)
    }

    /// Some servers repeat what they refuse, the password with it: it is not handed on.
    pub(crate) fn without_secrets(&self, error: SourceError) -> SourceError {
        error.with_words(|words| {
            let secrets = self.secrets().into_iter();
            let telling = secrets.filter(|(_, secret)| secret.expose().len() >= SECRET_LEAST_BYTES);
            telling.fold(words.to_owned(), |words, (_, secret)| {
                words.replace(secret.expose(), "***")
            })
        })
    }

    /// Whose secrets these are: everything that decides to whom they are shown.
    fn account(&self) -> serde_json::Value {
        let kind = self.kind();
        match self {
            SourceConfig::Ftp(c) => {
                json!([kind, c.host, c.port(), c.user, c.tls, c.pin, c.ca_pem])
            }
            SourceConfig::Sftp(c) => json!([kind, c.host, c.port(), c.user, c.host_key]),
            SourceConfig::Imap(c) => {
                let server = json!([c.host, c.port(), c.tls, c.pin, c.ca_pem]);
                json!([kind, server, c.user, c.token_url])
            }
            SourceConfig::Http(c) => json!([kind, c.user]),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        match self {
            SourceConfig::Ftp(c) => vec![("password", &c.password)],
            SourceConfig::Sftp(c) => vec![
                ("password", &c.password),
                ("private_key", &c.private_key),
                ("passphrase", &c.passphrase),
            ],
            SourceConfig::Imap(c) => vec![
                ("password", &c.password),
                ("access_token", &c.access_token),
                ("refresh_token", &c.refresh_token),
                ("client_secret", &c.client_secret),
            ],
            SourceConfig::Http(c) => vec![("password", &c.password)],
        }
    }

    fn secrets_mut(&mut self) -> Vec<(&'static str, &mut Secret)> {
        match self {
            SourceConfig::Ftp(c) => vec![("password", &mut c.password)],
            SourceConfig::Sftp(c) => vec![
                ("password", &mut c.password),
                ("private_key", &mut c.private_key),
                ("passphrase", &mut c.passphrase),
            ],
            SourceConfig::Imap(c) => vec![
                ("password", &mut c.password),
                ("access_token", &mut c.access_token),
                ("refresh_token", &mut c.refresh_token),
                ("client_secret", &mut c.client_secret),
            ],
            SourceConfig::Http(c) => vec![("password", &mut c.password)],
        }
    }
}

/// What every source that is polled has in common, checked in one place.
pub(crate) struct Common<'a> {
    pub host: &'a str,
    pub user: &'a str,
    pub folder: Folder<'a>,
    pub after: After,
    pub move_to: Option<&'a str>,
    pub interval_s: u32,
    pub timeout_s: u32,
}

/// What is looked into.
pub(crate) enum Folder<'a> {
    /// A folder of files.
    Path(&'a str),
    /// A folder of a mailbox.
    Mailbox(&'a str),
}

impl Folder<'_> {
    fn name(&self) -> &str {
        match self {
            Folder::Path(name) | Folder::Mailbox(name) => name,
        }
    }

    /// Whether `move_to` is another name of this very folder, as far as names tell: moved there, a
    /// file would come as a new one for ever.
    fn is(&self, move_to: &str) -> bool {
        match self {
            Folder::Path(folder) => folder::is_same(folder, move_to),
            // Case matters to some servers only.
            Folder::Mailbox(folder) => move_to.to_lowercase() == folder.to_lowercase(),
        }
    }
}

impl Common<'_> {
    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.host.is_empty() || !self.host.chars().all(is_host_character) {
            return Err("host must be a name or an address, without http:// or a path".into());
        }
        if self.user.is_empty() || self.user.chars().any(char::is_control) {
            return Err("user is missing".into());
        }
        if has_control(self.folder.name()) {
            return Err("folder must not contain control characters".into());
        }
        let move_to = self.move_to.unwrap_or("");
        if self.after == After::Move && (move_to.is_empty() || has_control(move_to)) {
            return Err("after = \"move\" needs move_to, the folder to move files to".into());
        }
        if self.after == After::Move && self.folder.is(move_to) {
            return Err(format!(
                "move_to ({move_to}) is the folder itself: name another one, or use after = \"keep\""
            ));
        }
        if self.interval_s < limits::INTERVAL_LEAST_S {
            let least = limits::INTERVAL_LEAST_S;
            return Err(format!("interval_s must be {least} or more"));
        }
        if !(1..=limits::TIMEOUT_MOST_S).contains(&self.timeout_s) {
            let most = limits::TIMEOUT_MOST_S;
            return Err(format!("timeout_s must be 1 to {most}"));
        }
        Ok(())
    }
}

/// Commands are lines: nothing that goes into one may end it.
pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || ".-_:".contains(c)
}

pub(crate) fn default_interval_s() -> u32 {
    limits::INTERVAL_S
}

pub(crate) fn default_timeout_s() -> u32 {
    limits::TIMEOUT_S
}

pub(crate) fn default_pattern() -> String {
    "*".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ftp(password: &str, host: &str) -> SourceConfig {
        let value = json!({"kind": "ftp", "host": host, "user": "vend", "password": password});
        serde_json::from_value(value).expect("a configuration")
    }

    #[test]
    fn secrets_are_stored_and_never_shown() {
        let config = ftp("hunter2", "files.example.com");
        assert!(!format!("{config:?}").contains("hunter2"));
        let shown = serde_json::to_value(&config).unwrap();
        assert_eq!(shown["password"], "***");
        let stored = config.to_stored();
        assert_eq!(stored["password"], "hunter2");
        assert_eq!(
            serde_json::from_value::<SourceConfig>(stored).unwrap(),
            config
        );
    }

    #[test]
    fn a_change_keeps_the_password_unless_it_would_go_to_another_server() {
        let old = ftp("hunter2", "files.example.com");
        let mut changed: SourceConfig =
            serde_json::from_value(serde_json::to_value(&old).unwrap()).unwrap();
        assert!(!changed.has_secret());
        changed.keep_secrets_of(&old);
        assert_eq!(changed, old);
        let mut elsewhere = ftp("***", "evil.example.com");
        elsewhere.keep_secrets_of(&old);
        assert!(!elsewhere.has_secret());
        assert_eq!(elsewhere.validate().unwrap_err().code(), "config");
        // Nor in clear, nor to whoever can show another certificate.
        for (key, other) in [
            ("tls", "implicit"),
            ("pin", "sha256/x"),
            ("ca_pem", "x"),
            ("user", "x"),
        ] {
            let mut value = serde_json::to_value(&old).unwrap();
            value[key] = json!(other);
            let mut changed: SourceConfig = serde_json::from_value(value).unwrap();
            changed.keep_secrets_of(&old);
            assert!(!changed.has_secret(), "{key}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        let value = json!({"kind": "ftp", "host": "a", "user": "b", "pasword": "c"});
        assert!(serde_json::from_value::<SourceConfig>(value).is_err());
    }

    #[test]
    fn a_configuration_that_cannot_work_says_why() {
        let with = |key: &str, value: serde_json::Value| {
            let mut config = json!({"kind": "ftp", "host": "h", "user": "u", "password": "p"});
            config[key] = value;
            let config: SourceConfig = serde_json::from_value(config).expect("a configuration");
            config.validate().expect_err("refused").to_string()
        };
        assert!(with("host", json!("ftp://h/x")).contains("host"));
        assert!(with("user", json!("")).contains("user"));
        assert!(with("after", json!("move")).contains("move_to"));
        assert!(with("interval_s", json!(1)).contains("interval_s"));
        assert!(with("timeout_s", json!(0)).contains("timeout_s"));
        assert!(with("password", json!("")).contains("password"));
        assert!(with("folder", json!("a\r\nDELE b")).contains("folder"));
        assert!(with("pin", json!("sha256/abc")).contains("pin"));
        let into_itself = json!({"kind": "imap", "host": "h", "user": "u", "password": "p",
            "after": "move", "move_to": "Inbox"});
        let config: SourceConfig = serde_json::from_value(into_itself).expect("a configuration");
        assert!(
            config
                .validate()
                .unwrap_err()
                .to_string()
                .contains("move_to")
        );
    }
}
