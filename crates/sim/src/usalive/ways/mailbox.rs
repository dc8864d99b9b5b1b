//! A mail that lands in a real mailbox: appended by IMAP, or put into a maildir.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use async_imap::Client;
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::place::Place;
use super::tls;
use crate::usalive::dress::Parcel;
use crate::usalive::mail::{self, MailLook};

/// The mailbox when the URL names none.
const INBOX: &str = "INBOX";

pub(super) enum Mailbox {
    Imap(Place),
    Imaps(Place),
    Maildir(PathBuf),
}

impl Mailbox {
    pub(super) async fn put(&self, parcel: &Parcel, look: MailLook) -> Result<()> {
        let number = next_number();
        let message = mail::message(parcel, look, Timestamp::now(), number);
        match self {
            Mailbox::Imap(place) => append(connected(place).await?, place, &message).await,
            Mailbox::Imaps(place) => {
                let config = tls::config(rustls::ALL_VERSIONS)?;
                let connector = TlsConnector::from(Arc::new(config));
                let name = ServerName::try_from(place.host.clone())?;
                let stream = connector.connect(name, connected(place).await?).await?;
                append(stream, place, &message).await
            }
            Mailbox::Maildir(folder) => into_maildir(folder, &message, number),
        }
    }
}

/// A number that no other mail of this process has.
fn next_number() -> u64 {
    static SENT: AtomicU64 = AtomicU64::new(0);
    SENT.fetch_add(1, Ordering::Relaxed) + 1
}

async fn connected(place: &Place) -> Result<TcpStream> {
    let connecting = TcpStream::connect(place.address()).await;
    connecting.context("the IMAP server cannot be reached")
}

async fn append<S>(stream: S, place: &Place, message: &[u8]) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Debug + Send,
{
    let mut client = Client::new(stream);
    client
        .read_response()
        .await?
        .context("the IMAP server hung up instead of a greeting")?;
    let mut session = client
        .login(&place.user, &place.password)
        .await
        .map_err(|(error, _)| error)
        .context("the IMAP server refuses the user")?;
    let mailbox = match place.folder.as_str() {
        "" => INBOX,
        folder => folder,
    };
    session.append(mailbox, None, None, message).await?;
    // The mail is there; how the server says good-bye does not matter.
    let _ = session.logout().await;
    Ok(())
}

/// Written in `tmp`, then renamed into `new`, as every deliverer does.
fn into_maildir(folder: &Path, message: &[u8], number: u64) -> Result<()> {
    let now = Timestamp::now();
    let (at, process) = (now.as_microsecond(), std::process::id());
    let name = format!("{}.M{at}P{process}Q{number}.usalive", now.as_second());
    let aside = folder.join("tmp").join(&name);
    std::fs::write(&aside, message)
        .and_then(|()| std::fs::rename(&aside, folder.join("new").join(&name)))
        .with_context(|| format!("{} is no maildir that can be written", folder.display()))
}
