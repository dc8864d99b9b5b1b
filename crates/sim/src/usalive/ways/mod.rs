//! The ways to forward a file: FTP and FTPS, SFTP, a mailbox, HTTP. Each is tried once.

mod ftp;
mod http;
mod mailbox;
mod place;
mod sftp;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;

use super::dress::Parcel;
use super::mail::MailLook;
use http::Http;
use mailbox::Mailbox;
use place::Place;

/// How long one delivery may take; a receiver that hangs does not get the file.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// A way to forward files.
pub struct Way {
    name: String,
    kind: Kind,
}

enum Kind {
    Ftp(Place),
    Ftps(Place),
    Sftp { place: Place, key: Option<PathBuf> },
    Mail { mailbox: Mailbox, look: MailLook },
    Http(Http),
}

/// What ways have in common.
#[derive(Debug, Clone)]
pub struct WaySettings {
    /// What mails look like.
    pub mail: MailLook,
    /// A private key for SFTP, in OpenSSH's form.
    pub sftp_key: Option<PathBuf>,
    /// The only HTTPS server to trust, `sha256/…`; any when absent.
    pub pin: Option<String>,
    /// How long an HTTP receiver gets nothing more after it answered 500.
    pub invalid_for: Duration,
}

impl Way {
    /// The way to `url`: `ftp`, `ftps` (explicit TLS), `sftp`, `imap`, `imaps`, `maildir:/folder`,
    /// `http` or `https`. User and password stand in it.
    ///
    /// # Errors
    /// It is none of these, or misses a part.
    pub fn open(url: &str, settings: &WaySettings) -> Result<Way> {
        let url = Url::parse(url).with_context(|| format!("\"{url}\" is no URL"))?;
        let place = || Place::of(&url);
        let mail = |mailbox| Kind::Mail {
            mailbox,
            look: settings.mail,
        };
        let kind = match url.scheme() {
            "ftp" => Kind::Ftp(place()?),
            "ftps" => Kind::Ftps(place()?),
            "sftp" => Kind::Sftp {
                place: place()?,
                key: settings.sftp_key.clone(),
            },
            "imap" => mail(Mailbox::Imap(place()?)),
            "imaps" => mail(Mailbox::Imaps(place()?)),
            "maildir" => mail(Mailbox::Maildir(PathBuf::from(url.path()))),
            "http" | "https" => Kind::Http(Http::new(&url, settings)?),
            other => bail!("\"{other}\" is no way to forward files"),
        };
        Ok(Way {
            name: url.scheme().to_owned(),
            kind,
        })
    }

    /// What it is called in events: the scheme of its URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its test call; `None` when it has none.
    pub(super) async fn test(&self) -> Option<Result<()>> {
        match &self.kind {
            Kind::Http(http) => Some(within(http.test()).await),
            _ => None,
        }
    }

    /// What a file is called there. A folder holds one file of a name: the second gets another.
    pub(super) fn call(&self, name: &str, is_again: bool) -> String {
        match self.kind {
            Kind::Ftp(_) | Kind::Ftps(_) | Kind::Sftp { .. } if is_again => {
                let (stem, end) = name.split_once('.').unwrap_or((name, "txt"));
                format!("{stem}-again.{end}")
            }
            _ => name.to_owned(),
        }
    }

    /// Delivers once.
    pub(super) async fn deliver(&self, called: &str, parcel: &Parcel) -> Result<()> {
        ensure!(
            !called.contains(['/', '\\']),
            "an upload's name must be the name of a file"
        );
        match &self.kind {
            Kind::Ftp(place) => within(ftp::plain(place, called, &parcel.bytes)).await,
            Kind::Ftps(place) => within(ftp::secure(place, called, &parcel.bytes)).await,
            Kind::Sftp { place, key } => {
                within(sftp::put(place, key.as_deref(), called, &parcel.bytes)).await
            }
            Kind::Mail { mailbox, look } => within(mailbox.put(parcel, *look)).await,
            Kind::Http(http) => within(http.post(called, &parcel.bytes)).await,
        }
    }
}

async fn within(delivery: impl Future<Output = Result<()>>) -> Result<()> {
    match tokio::time::timeout(DELIVERY_TIMEOUT, delivery).await {
        Ok(outcome) => outcome,
        Err(_) => bail!("no answer within {} s", DELIVERY_TIMEOUT.as_secs()),
    }
}
