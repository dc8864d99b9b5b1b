//! Sources as the API takes and answers them. Secrets are taken, and never answered.

use drops::SourceConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use wire::Micros;

use crate::drops::sources::status::SourceState;
use crate::drops::sources::{Live, Status};
use crate::error::ApiError;

/// Every source.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sources {
    /// In the order they were added.
    pub sources: Vec<SourceView>,
}

/// A source and how it does.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceView {
    /// Names it for ever.
    #[schema(example = "s1")]
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Where and how; every secret that is set reads `***`.
    pub config: SourceConfig,
    /// Whether a secret is set.
    pub has_secret: bool,
    /// How it does.
    pub status: SourceStatusView,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A folder on an FTP server, in clear.
    Ftp,
    /// A folder on an FTP server over TLS.
    Ftps,
    /// A folder on an SSH server.
    Sftp,
    /// A folder of a mailbox.
    Imap,
    /// Posted to `/api/drops/{name}`.
    Http,
}

/// How a source does.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceStatusView {
    /// The word.
    pub state: SourceState,
    /// It is being asked at this moment.
    pub is_polling: bool,
    /// When it was asked last.
    #[schema(required = true)]
    pub last_poll_at: Option<String>,
    /// When it is asked next, at the latest; a mailbox with IDLE says itself that something came.
    #[schema(required = true)]
    pub next_poll_at: Option<String>,
    /// When that worked last, or when a file was posted.
    #[schema(required = true)]
    pub last_success_at: Option<String>,
    /// Since when it has failed.
    #[schema(required = true)]
    pub failing_since: Option<String>,
    /// Why it fails.
    #[schema(required = true)]
    pub error: Option<SourceProblem>,
    /// Files or mails taken since it was added.
    pub files_taken: u64,
    /// Drops that were in them and new.
    pub drops_taken: u64,
    /// Parts of them that went to quarantine.
    pub quarantined: u64,
    /// When a file was taken last.
    #[schema(required = true)]
    pub last_file_at: Option<String>,
    /// When the service's "Test Transport" called; kind `http`.
    #[schema(required = true)]
    pub tested_at: Option<String>,
    /// Mails and files that the last poll passed over, because they do not match.
    pub passed_over: u64,
    /// Single files that the last poll could not take although the source works.
    pub troubles: Vec<String>,
}

/// Why a source fails.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceProblem {
    /// `refused`, `unreachable`, `timed_out`, `tls`, `host_key`, `no_folder`, `protocol`, `config` or
    /// `stopped` (the store cannot take anything).
    #[schema(example = "refused")]
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A source to add, or what it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "USALive", "kind": "ftps", "config": {"host": "ftp.example.com",
    "user": "vendlog", "password": "…", "folder": "/drops", "pattern": "*.txt", "after": "delete"}}))]
pub struct NewSource {
    /// When a source that was removed is put back: its id, by which its secrets are found.
    #[serde(default)]
    pub id: Option<String>,
    /// A name for people.
    pub name: String,
    /// What it is; may stand in `config` instead.
    #[serde(default)]
    pub kind: Option<SourceKind>,
    /// Whether it is asked at all; yes when absent.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Where and how.
    #[schema(value_type = SourceConfig)]
    pub config: Value,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub has_secret: Value,
    /// Of an answer that is sent back; not read.
    #[serde(default)]
    #[schema(ignore)]
    pub status: Value,
}

/// What to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceTest {
    /// A source that is there; secrets that `config` leaves out are its.
    #[serde(default)]
    pub id: Option<String>,
    /// Not read.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is; may stand in `config` instead.
    #[serde(default)]
    pub kind: Option<SourceKind>,
    /// Not read.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Where and how; that of `id` when absent.
    #[serde(default)]
    #[schema(value_type = Option<SourceConfig>)]
    pub config: Option<Value>,
}

/// What a test found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceTested {
    /// Whether it works.
    pub ok: bool,
    /// What was found, or what is wrong and what to do.
    pub message: String,
    /// Why it does not work, for a program; see SourceProblem.
    #[schema(required = true)]
    pub code: Option<String>,
    /// The key that the server showed, when it is not trusted yet: `sha256/…` goes into `pin`,
    /// `SHA256:…` into `host_key`, after somebody compared it.
    #[schema(required = true)]
    pub fingerprint: Option<String>,
    /// Files or mails there that match.
    pub files: u64,
    /// Some of their names, the newest first.
    pub sample: Vec<String>,
}

fn yes() -> bool {
    true
}

impl NewSource {
    /// The configuration that was sent.
    ///
    /// # Errors
    /// It is none.
    pub fn config(&self) -> Result<SourceConfig, ApiError> {
        config(self.kind, self.config.clone())
    }
}

impl SourceTest {
    /// The configuration that was sent, if there is one.
    ///
    /// # Errors
    /// It is none.
    pub fn config(&self) -> Result<Option<SourceConfig>, ApiError> {
        let sent = self.config.clone();
        sent.map(|sent| config(self.kind, sent)).transpose()
    }
}

/// The kind beside the configuration goes into it; `ftp` and `ftps` say what TLS is to be.
fn config(kind: Option<SourceKind>, mut sent: Value) -> Result<SourceConfig, ApiError> {
    let bad = |what: String| ApiError::bad_request("bad_source", what);
    let Some(fields) = sent.as_object_mut() else {
        return Err(bad("field \"config\" must be an object".to_owned()));
    };
    fields.remove("has_secret");
    // A person who leaves a field empty means none.
    fields.retain(|_, value| !value.is_null());
    if let Some(kind) = kind {
        let name = match kind {
            SourceKind::Ftp | SourceKind::Ftps => "ftp",
            SourceKind::Sftp => "sftp",
            SourceKind::Imap => "imap",
            SourceKind::Http => "http",
        };
        fields.insert("kind".to_owned(), json!(name));
        let tls = fields.get("tls").and_then(Value::as_str);
        match (kind, tls) {
            (SourceKind::Ftp, None) => {
                fields.insert("tls".to_owned(), json!("none"));
            }
            (SourceKind::Ftps, Some("none")) => {
                return Err(bad(
                    "kind \"ftps\" is over TLS; choose tls explicit or implicit, or kind \"ftp\""
                        .to_owned(),
                ));
            }
            _ => {}
        }
    }
    serde_json::from_value(sent)
        .map_err(|error| bad(format!("the configuration cannot be taken: {error}")))
}

impl SourceView {
    /// The source as it is now.
    pub fn new(live: &Live) -> SourceView {
        let source = &live.source;
        SourceView {
            id: source.id.clone(),
            name: source.name.clone(),
            kind: match source.kind() {
                "ftps" => SourceKind::Ftps,
                "sftp" => SourceKind::Sftp,
                "imap" => SourceKind::Imap,
                "http" => SourceKind::Http,
                _ => SourceKind::Ftp,
            },
            enabled: source.enabled,
            config: source.config.clone(),
            has_secret: source.config.has_secret(),
            status: status(&live.status, source.enabled),
        }
    }
}

fn status(status: &Status, enabled: bool) -> SourceStatusView {
    let time = |at: Option<Micros>| at.map(Micros::to_rfc3339);
    let kept = &status.kept;
    SourceStatusView {
        state: status.state(enabled),
        is_polling: status.is_polling && enabled,
        last_poll_at: time(kept.last_poll_at),
        next_poll_at: time(kept.next_poll_at.filter(|_| enabled)),
        last_success_at: time(kept.last_success_at),
        failing_since: time(kept.failing_since),
        error: kept
            .error
            .clone()
            .map(|(code, message)| SourceProblem { code, message }),
        files_taken: kept.files_taken,
        drops_taken: kept.drops_taken,
        quarantined: kept.quarantined,
        last_file_at: time(kept.last_file_at),
        tested_at: time(status.tested_at),
        passed_over: status.skipped,
        troubles: status.troubles.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(kind: &str, config: Value) -> Result<String, String> {
        let body = json!({ "name": "n", "kind": kind, "config": config });
        let body: NewSource = serde_json::from_value(body).unwrap();
        match body.config() {
            Ok(config) => Ok(serde_json::to_value(config).unwrap()["tls"].to_string()),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    #[test]
    fn the_kind_says_whether_ftp_is_over_tls() {
        let host = || json!({ "host": "h", "user": "u", "password": "p" });
        assert_eq!(tls("ftp", host()).unwrap(), "\"none\"");
        assert_eq!(tls("ftps", host()).unwrap(), "\"explicit\"");
        let clear = json!({ "host": "h", "user": "u", "tls": "none" });
        assert!(tls("ftps", clear).unwrap_err().contains("over TLS"));
        assert!(tls("imap", host()).unwrap().contains("implicit"));
    }

    #[test]
    fn a_key_that_is_not_known_is_named() {
        let config = json!({ "host": "h", "user": "u", "pasword": "p" });
        assert!(tls("sftp", config).unwrap_err().contains("pasword"));
    }
}
