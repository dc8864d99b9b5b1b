//! One poll of a mailbox.

use super::Config;
use super::action;
use super::connect::connect;
use super::mailbox::{BATCH, Body, Head, Mailbox};
use crate::folder::shown_text;
use crate::place::place;
use crate::{After, Found, Inbox, Kept, Polled, Raw, SourceError, Stop, limits, pattern, unpack};

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
    // Mails that are done with; those that have to wait must not hide the ones behind them.
    let mut done = 0;
    for batch in fresh.chunks(BATCH) {
        if done >= limits::TAKEN_A_POLL {
            polled.has_more = true;
            break;
        }
        let heads = mailbox.heads(batch).await?;
        let (ours, others): (Vec<_>, Vec<_>) =
            heads.into_iter().partition(|head| head.matches(config));
        let mut passed: Vec<String> = others.iter().map(|head| keys.passed(head.uid)).collect();
        for head in ours {
            done += 1;
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
                Taken::Waits(why) => {
                    done -= 1;
                    polled.waits_there(&name(&head), &why);
                }
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
    /// Whose folder: UIDs say nothing about another one.
    place: String,
    uid_validity: u32,
    /// Of what makes a mail ours: when that changes, mails passed over are looked at again.
    filter: String,
}

impl Keys {
    fn new(config: &Config, uid_validity: u32) -> Keys {
        Keys {
            place: place(&[&config.host, &config.user, config.folder()]),
            uid_validity,
            filter: place(&[&config.pattern, &config.subject, &config.from]),
        }
    }

    fn taken(&self, uid: u32) -> String {
        format!("taken:{}", self.mail(uid))
    }

    fn too_large(&self, uid: u32) -> String {
        format!("large:{}", self.mail(uid))
    }

    fn passed(&self, uid: u32) -> String {
        format!("{}:{}", self.filter, self.mail(uid))
    }

    fn mail(&self, uid: u32) -> String {
        format!("{}:{}:{uid}", self.place, self.uid_validity)
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
    /// The inbox cannot take it now, in words.
    Waits(String),
}

async fn take(
    config: &Config,
    mailbox: &mut Mailbox,
    keys: &Keys,
    inbox: &impl Inbox,
    head: &Head,
) -> Result<Taken, SourceError> {
    let keys_of_it = [keys.taken(head.uid), keys.too_large(head.uid)];
    if let Some(why) = keys_of_it.iter().find_map(|key| inbox.held_back(key)) {
        return Ok(Taken::Waits(why));
    }
    let body = match head.size_bytes > limits::FILE_BYTES {
        true => Body::TooLarge(head.size_bytes),
        false => mailbox.body(head).await?,
    };
    let (raw, key, taken) = match body {
        Body::Gone => return Ok(Taken::Gone),
        Body::Whole(bytes) if !has_ours(config, &bytes) => return Ok(Taken::NotOurs),
        Body::Whole(bytes) => (Raw::Bytes(bytes), keys.taken(head.uid), Taken::Yes),
        Body::TooLarge(size_bytes) => {
            let raw = Raw::TooLarge { size_bytes };
            (raw, keys.too_large(head.uid), Taken::TooLarge)
        }
    };
    let found = Found {
        key,
        name: name(head),
        raw,
        at_source: head.arrived,
    };
    match inbox.take(found).await {
        Ok(Kept::Yes) => Ok(taken),
        Ok(Kept::NotOurs) => Ok(Taken::NotOurs),
        Err(Stop::This(why)) => Ok(Taken::Waits(why)),
        Err(stop) => Err(stop.into()),
    }
}

/// Whether an attachment has a name as it is wanted.
fn has_ours(config: &Config, mail: &[u8]) -> bool {
    pattern::is_any(&config.pattern)
        || unpack::attachment_names(mail)
            .iter()
            .any(|name| pattern::matches(&config.pattern, name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_known_in_its_own_folder_only() {
        let keys = |key: &str, value: &str| {
            let mut config = serde_json::json!({"host": "h", "user": "u", "folder": "f"});
            config[key] = value.into();
            let config: Config = serde_json::from_value(config).expect("a configuration");
            let keys = Keys::new(&config, 7);
            [keys.taken(1), keys.too_large(1), keys.passed(1)]
        };
        let known = keys("host", "h");
        for key in ["host", "user", "folder"] {
            let elsewhere = keys(key, "other");
            assert!(known.iter().all(|key| !elsewhere.contains(key)), "{key}");
        }
        // Another filter looks again at what was passed over, and not at what was taken.
        let filtered = keys("subject", "Kiosk*");
        assert_eq!(
            (&known[..2], known[2] == filtered[2]),
            (&filtered[..2], false)
        );
    }
}
