//! Fetching drops from where the reader's server forwards them: FTP, SFTP, a mailbox. Each source
//! hands over raw files through an [`Inbox`]; what they say is not its concern, nor is when to poll.

mod after;
mod config;
mod error;
mod folder;
pub mod ftp;
pub mod http_post;
pub mod imap;
mod inbox;
pub mod limits;
mod pattern;
mod place;
mod secret;
pub mod sftp;
mod steps;
mod tls;
mod unpack;

use std::time::Duration;

pub use after::After;
pub use config::SourceConfig;
pub use error::SourceError;
pub use inbox::{Found, Inbox, Kept, Polled, Raw, Stop, Tested, Trouble, Waited};
pub use secret::Secret;
pub use tls::Tls;
pub use unpack::{Part, UnpackError, clean, unpack};

/// Looks at the source once: hands what is new to the inbox and, after the inbox has committed it,
/// keeps, moves or deletes it there.
///
/// # Errors
/// The source cannot be looked at, or the inbox said stop. What was taken before that stays taken.
pub async fn poll(config: &SourceConfig, inbox: &impl Inbox) -> Result<Polled, SourceError> {
    config.validate()?;
    let polled = match config {
        SourceConfig::Ftp(config) => ftp::poll(config, inbox).await,
        SourceConfig::Sftp(config) => sftp::poll(config, inbox).await,
        SourceConfig::Imap(config) => imap::poll(config, inbox).await,
        // What is posted comes by itself.
        SourceConfig::Http(_) => Ok(Polled::default()),
    };
    polled.map_err(|error| config.without_secrets(error))
}

/// Tries the connection, the sign-in and the folder, and changes nothing there.
///
/// # Errors
/// What hinders the source, in words that say what to do. An unknown host key or certificate
/// carries its fingerprint (see [`SourceError::fingerprint`]), so that a person can accept it.
pub async fn test(config: &SourceConfig) -> Result<Tested, SourceError> {
    config.validate()?;
    let tested = match config {
        SourceConfig::Ftp(config) => ftp::test(config).await,
        SourceConfig::Sftp(config) => sftp::test(config).await,
        SourceConfig::Imap(config) => imap::test(config).await,
        SourceConfig::Http(config) => Ok(http_post::test(config)),
    };
    tested.map_err(|error| config.without_secrets(error))
}

/// Waits at the source until something new is there, or until `at_most` has passed. `mark` is
/// [`Polled::mark`] of the last poll: what came after it is answered at once. Waiting is asked for
/// anew each `ask_again`; [`limits::IDLE_AGAIN`] (28 minutes) suits every server.
///
/// # Errors
/// The connection failed; the next poll will say so as well.
pub async fn wait_for_new(
    config: &SourceConfig,
    mark: Option<&str>,
    at_most: Duration,
    ask_again: Duration,
) -> Result<Waited, SourceError> {
    config.validate()?;
    match config {
        SourceConfig::Imap(imap) => {
            let waited = imap::wait_for_new(imap, mark, at_most, ask_again).await;
            waited.map_err(|error| config.without_secrets(error))
        }
        SourceConfig::Ftp(_) | SourceConfig::Sftp(_) | SourceConfig::Http(_) => {
            Ok(Waited::CannotWait)
        }
    }
}
