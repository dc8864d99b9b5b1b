//! Waiting for new mail with IDLE (RFC 2177), asked for again before the server ends it.

use std::time::Duration;

use async_imap::extensions::idle::{Handle, IdleResponse};
use async_imap::imap_proto::{MailboxDatum, Response};
use tokio::time::{Instant, timeout_at};

use super::Config;
use super::connect::{connect, failure};
use super::mailbox::Mailbox;
use super::metered::Metered;
use crate::steps::Steps;
use crate::{SourceError, Waited, limits};

/// Most that a server says while we wait, in bytes: a line for each change of a busy mailbox.
const SAID_BYTES: u64 = 1024 * 1024;

pub(crate) async fn wait_for_new(
    config: &Config,
    mark: Option<&str>,
    at_most: Duration,
    ask_again: Duration,
) -> Result<Waited, SourceError> {
    let until = Instant::now() + at_most;
    let signed = connect(config).await?;
    if !signed.capabilities.has_str("IDLE") {
        return Ok(Waited::CannotWait);
    }
    let steps = signed.steps.clone();
    let mailbox = Mailbox::select(signed, config, true).await?;
    // Something came between the poll and now.
    if let (Some(then), Some(now)) = (mark, mailbox.mark())
        && then != now
    {
        mailbox.quit().await;
        return Ok(Waited::New);
    }
    let mut session = mailbox.signed.session;
    loop {
        session.get_mut().allow(SAID_BYTES);
        let mut idle = session.idle();
        let begun = steps.within("IDLE", idle.init()).await?;
        begun.map_err(|error| failure(&steps, error))?;
        let again = until.min(Instant::now() + ask_again);
        let is_new = listen(&steps, &mut idle, again).await?;
        let ended = steps.within("DONE", idle.done()).await?;
        session = ended.map_err(|error| failure(&steps, error))?;
        if is_new || Instant::now() >= until {
            let _ = timeout_at(Instant::now() + Duration::from_secs(1), session.logout()).await;
            return Ok(if is_new { Waited::New } else { Waited::Nothing });
        }
    }
}

/// Whether a mail came before `until`. Other changes are none of ours.
async fn listen(
    steps: &Steps,
    idle: &mut Handle<Metered>,
    until: Instant,
) -> Result<bool, SourceError> {
    loop {
        // The library's own limit begins anew with every "still here" of the server.
        let (said, _interrupt) = idle.wait_with_timeout(limits::IDLE_AGAIN);
        let said = match timeout_at(until, said).await {
            Err(_) => return Ok(false),
            Ok(said) => said.map_err(|error| failure(steps, error))?,
        };
        match said {
            IdleResponse::NewData(data) => {
                if let Response::MailboxData(MailboxDatum::Exists(_)) = data.parsed() {
                    return Ok(true);
                }
            }
            IdleResponse::Timeout => return Ok(false),
            IdleResponse::ManualInterrupt => {
                return Err(failure(steps, async_imap::error::Error::ConnectionLost));
            }
        }
    }
}
