//! A folder of a mailbox.

mod config;

pub use config::{Auth, Config};

use std::time::Duration;

use crate::{Inbox, Polled, SourceError, Tested, Waited};

pub(crate) async fn poll(_: &Config, _: &impl Inbox) -> Result<Polled, SourceError> {
    Err(SourceError::Protocol("not built yet".into()))
}

pub(crate) async fn test(_: &Config) -> Result<Tested, SourceError> {
    Err(SourceError::Protocol("not built yet".into()))
}

pub(crate) async fn wait_for_new(
    _: &Config,
    _: Option<&str>,
    _: Duration,
) -> Result<Waited, SourceError> {
    Err(SourceError::Protocol("not built yet".into()))
}
