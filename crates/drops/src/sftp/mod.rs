//! A folder on an SFTP server.

mod config;

pub use config::{Auth, Config};

use crate::{Inbox, Polled, SourceError, Tested};

pub(crate) async fn poll(_: &Config, _: &impl Inbox) -> Result<Polled, SourceError> {
    Err(SourceError::Protocol("not built yet".into()))
}

pub(crate) async fn test(_: &Config) -> Result<Tested, SourceError> {
    Err(SourceError::Protocol("not built yet".into()))
}
