//! One poll of a mailbox.

use sha2::{Digest, Sha256};

use super::Config;
use super::action;
use super::connect::connect;
use super::mailbox::{BATCH, Head, Mailbox};
use crate::folder::shown_text;
use crate::{After, Found, Inbox, Polled, Raw, SourceError, limits, pattern, unpack};

/// After so many failures in a row a poll gives up moving or deleting.
const FAILURES_IN_A_ROW: u32 = 10;

pub(crate) async fn poll(config: &Config, inbox: &impl Inbox) -> Result<Polled, SourceError> {
    let signed = connect(config).await?;
    let mut mailbox = Mailbox::select(signed, config, false).await?;
    let polled = look(config, &mut mailbox, inbox).await;
    mailbox.quit().await;
    polled
}

async fn look(
    config: &Config,
    mailbox: &mut Mailbox,
    inbox: &impl Inbox,
) -> Result<Polled, SourceError> {
    let mut polled = Polled {
        mark: mailbox.mark(),
        ..Polled::default()
    };
    let keys = Keys::new(config, mailbox.uid_validity);
    let uids = mailbox.search(config).await?;
    polled.listed = uids.len() as u64;
    let (fresh, taken) = sort(&keys, inbox, uids, &mut polled).await?;
    let mut failures = 0;
    // What a broken connection left undone after an earlier commit.
    for uid in taken {
        after(
            config,
            mailbox,
            uid,
            &format!("mail {uid}"),
            &mut failures,
            &mut polled,
        )
        .await?;
    }
    for batch in fresh.chunks(BATCH) {
        if polled.taken >= limits::TAKEN_A_POLL as u64 {
            polled.has_more = true;
            break;
        }
        let heads = mailbox.heads(batch).await?;
        let (ours, others): (Vec<_>, Vec<_>) =
            heads.into_iter().partition(|head| head.matches(config));
        let mut passed: Vec<String> = others.iter().map(|head| keys.passed(head.uid)).collect();
        for head in ours {
            match take(config, mailbox, &keys, inbox, &head).await? {
                Taken::Yes => {
                    polled.taken += 1;
                    let name = name(&head);
                    after(config, mailbox, head.uid, &name, &mut failures, &mut polled).await?;
                }
                Taken::TooLarge => {
                    polled.taken += 1;
                    polled.too_large += 1;
                }
                Taken::NotOurs => passed.push(keys.passed(head.uid)),
                Taken::Gone => {}
            }
        }
        polled.passed_over += passed.len() as u64;
        if !passed.is_empty() {
            inbox.pass_over(&passed).await?;
        }
    }
    Ok(polled)
}

/// How mails of this mailbox are known again.
struct Keys {
    uid_validity: u32,
    /// Of what makes a mail ours: when that changes, mails passed over are looked at again.
    filter: String,
}

impl Keys {
    fn new(config: &Config, uid_validity: u32) -> Keys {
        let mut hash = Sha256::new();
        for part in [
            config.folder(),
            &config.pattern,
            &config.subject,
            &config.from,
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let filter = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Keys {
            uid_validity,
            filter,
        }
    }

    fn taken(&self, uid: u32) -> String {
        format!("{}:{uid}", self.uid_validity)
    }

    fn too_large(&self, uid: u32) -> String {
        format!("large:{}:{uid}", self.uid_validity)
    }

    fn passed(&self, uid: u32) -> String {
        format!("{}:{}:{uid}", self.filter, self.uid_validity)
    }
}

/// Which mails are new, and which were taken but are still here.
async fn sort(
    keys: &Keys,
    inbox: &impl Inbox,
    uids: Vec<u32>,
    polled: &mut Polled,
) -> Result<(Vec<u32>, Vec<u32>), SourceError> {
    let asked: Vec<String> = uids
        .iter()
        .flat_map(|uid| [keys.taken(*uid), keys.too_large(*uid), keys.passed(*uid)])
        .collect();
    if asked.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let seen = inbox.seen(&asked).await?;
    let (mut fresh, mut taken) = (Vec::new(), Vec::new());
    for (uid, seen) in uids.into_iter().zip(seen.chunks(3)) {
        match seen {
            [true, ..] => taken.push(uid),
            [_, false, false] => fresh.push(uid),
            _ => polled.seen += 1,
        }
    }
    polled.seen += taken.len() as u64;
    Ok((fresh, taken))
}

enum Taken {
    Yes,
    TooLarge,
    NotOurs,
    Gone,
}

async fn take(
    config: &Config,
    mailbox: &mut Mailbox,
    keys: &Keys,
    inbox: &impl Inbox,
    head: &Head,
) -> Result<Taken, SourceError> {
    let mut found = Found {
        key: keys.taken(head.uid),
        name: name(head),
        raw: Raw::TooLarge {
            size_bytes: head.size_bytes,
        },
        at_source: head.arrived,
    };
    if head.size_bytes > limits::FILE_BYTES {
        found.key = keys.too_large(head.uid);
        inbox.take(found).await?;
        return Ok(Taken::TooLarge);
    }
    let Some(bytes) = mailbox.body(head).await? else {
        return Ok(Taken::Gone);
    };
    if !pattern::is_any(&config.pattern) {
        let names = unpack::attachment_names(&bytes);
        let is_ours = |name: &String| pattern::matches(&config.pattern, name);
        if !names.iter().any(is_ours) {
            return Ok(Taken::NotOurs);
        }
    }
    found.raw = Raw::Bytes(bytes);
    inbox.take(found).await?;
    Ok(Taken::Yes)
}

/// The subject, or what stands for it.
fn name(head: &Head) -> String {
    let subject = shown_text(&head.subject);
    if subject.is_empty() {
        format!("mail {}", head.uid)
    } else {
        subject
    }
}

/// Moves or deletes a mail whose content is durable here; a failure is said and tried again at the
/// next poll.
async fn after(
    config: &Config,
    mailbox: &mut Mailbox,
    uid: u32,
    name: &str,
    failures: &mut u32,
    polled: &mut Polled,
) -> Result<(), SourceError> {
    if config.after == After::Keep || *failures >= FAILURES_IN_A_ROW {
        return Ok(());
    }
    match action::act(config, mailbox, uid).await? {
        Ok(()) => *failures = 0,
        Err(message) => {
            *failures += 1;
            polled.trouble(name, format!("taken, but {message}"));
        }
    }
    Ok(())
}
