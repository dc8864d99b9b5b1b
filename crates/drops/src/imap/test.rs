//! Trying a mailbox: sign in, look into the folder without changing anything.

use super::Config;
use super::connect::connect;
use super::mailbox::{BATCH, Mailbox};
use crate::folder::shown_text;
use crate::{SourceError, Tested, limits};

/// Mails whose headers a test looks at, newest first.
const LOOKED_AT: usize = 1_000;

pub(crate) async fn test(config: &Config) -> Result<Tested, SourceError> {
    let signed = connect(config).await?;
    let waits = signed.capabilities.has_str("IDLE");
    let mut mailbox = Mailbox::select(signed, config, true).await?;
    let tested = look(config, &mut mailbox, waits).await;
    mailbox.quit().await;
    tested
}

async fn look(config: &Config, mailbox: &mut Mailbox, waits: bool) -> Result<Tested, SourceError> {
    let uids = mailbox.search(config).await?;
    let newest = &uids[uids.len().saturating_sub(LOOKED_AT)..];
    let mut ours = Vec::new();
    for batch in newest.chunks(BATCH) {
        let heads = mailbox.heads(batch).await?;
        ours.extend(heads.into_iter().filter(|head| head.matches(config)));
    }
    ours.sort_by_key(|head| std::cmp::Reverse(head.uid));
    let of = match uids.len() > newest.len() {
        true => format!("of the newest {} of {} mails", newest.len(), uids.len()),
        false => format!("of {} mails", uids.len()),
    };
    let hears = match waits {
        true => "new ones are heard of at once",
        false => "the server cannot say when new ones come",
    };
    let sample = ours.iter().take(limits::SAMPLE);
    Ok(Tested {
        message: format!(
            "Signed in to {} as {}; {} {of} in {} match; {hears}",
            config.host,
            config.user,
            ours.len(),
            config.folder()
        ),
        files: ours.len() as u64,
        sample: sample.map(|head| shown_text(&head.subject)).collect(),
    })
}
