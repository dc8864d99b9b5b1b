//! One poll of a folder: what is new and no longer written is handed over; after the inbox has
//! committed it, the file is kept, moved or deleted.

use jiff::Timestamp;

use super::action::Actions;
use super::sort::sort;
use super::{FileError, Listed, Remote, shown_name};
use crate::{After, Found, Inbox, Kept, Polled, Raw, SourceError, Stop, limits};

/// What a source wants of its folder.
pub(crate) struct Order<'a> {
    /// Which folder of which account: see [`crate::place`].
    pub place: String,
    pub pattern: &'a str,
    pub after: After,
    pub move_to: &'a str,
    pub now: Timestamp,
}

pub(crate) async fn poll(
    remote: &mut impl Remote,
    order: &Order<'_>,
    inbox: &impl Inbox,
) -> Result<Polled, SourceError> {
    let mut polled = Polled::default();
    let listed = remote.list().await?;
    let sorted = sort(remote, order, inbox, listed, &mut polled).await?;
    let mut actions = Actions::new(order);
    // What a broken connection left undone after an earlier commit.
    for file in &sorted.known {
        actions.after(remote, file, &mut polled).await?;
    }
    for file in &settled(remote, sorted.fresh, &mut polled).await? {
        // Counted in what was taken: files that have to wait must not hide those behind them.
        if polled.taken >= limits::TAKEN_A_POLL as u64 {
            polled.has_more = true;
            break;
        }
        if let Some(why) = inbox.held_back(&file.key(&order.place)) {
            polled.waits_there(&shown_name(&file.name), &why);
            continue;
        }
        if file.size_bytes > limits::FILE_BYTES {
            let size_bytes = file.size_bytes;
            let raw = Raw::TooLarge { size_bytes };
            if take(order, inbox, file, raw, &mut polled).await? {
                polled.too_large += 1;
            }
            continue;
        }
        match remote.read(&file.name, limits::FILE_BYTES + 1).await {
            // Somebody wrote to it while we read: the next poll sees it in its new size.
            Ok(bytes) if bytes.len() as u64 != file.size_bytes => polled.still_written += 1,
            Ok(bytes) => {
                if take(order, inbox, file, Raw::Bytes(bytes), &mut polled).await? {
                    actions.after(remote, file, &mut polled).await?;
                }
            }
            Err(FileError::This(message)) => polled.trouble(
                &shown_name(&file.name),
                format!("it cannot be read: {message}"),
            ),
            Err(FileError::Source(error)) => return Err(error),
        }
    }
    // Asking again at once would find the same files waiting.
    polled.has_more &= polled.taken > 0;
    Ok(polled)
}

/// Whether the inbox has it now.
async fn take(
    order: &Order<'_>,
    inbox: &impl Inbox,
    file: &Listed,
    raw: Raw,
    polled: &mut Polled,
) -> Result<bool, SourceError> {
    let found = Found {
        key: file.key(&order.place),
        name: shown_name(&file.name),
        raw,
        at_source: file.modified,
    };
    match inbox.take(found).await {
        Ok(Kept::Yes) => {
            polled.taken += 1;
            Ok(true)
        }
        Ok(Kept::NotOurs) => {
            polled.passed_over += 1;
            Ok(false)
        }
        Err(Stop::This(why)) => {
            polled.waits_there(&shown_name(&file.name), &why);
            Ok(false)
        }
        Err(stop) => Err(stop.into()),
    }
}

/// The files that look the same twice, [`limits::SETTLE`] apart, and have something in them.
async fn settled(
    remote: &mut impl Remote,
    fresh: Vec<Listed>,
    polled: &mut Polled,
) -> Result<Vec<Listed>, SourceError> {
    if fresh.is_empty() {
        return Ok(fresh);
    }
    tokio::time::sleep(limits::SETTLE).await;
    let again = remote.list().await?;
    let again: std::collections::HashMap<&str, &Listed> = again
        .iter()
        .map(|file| (file.name.as_str(), file))
        .collect();
    let count = fresh.len();
    let fresh: Vec<Listed> = fresh
        .into_iter()
        .filter(|file| {
            let now = again.get(file.name.as_str());
            // A sharpened stamp is no longer the listing's own; the size has to do for it.
            let is_same = |now: &&Listed| {
                now.size_bytes == file.size_bytes && (!now.is_exact || now.stamp == file.stamp)
            };
            file.size_bytes > 0 && now.is_some_and(is_same)
        })
        .collect();
    polled.still_written += (count - fresh.len()) as u64;
    Ok(fresh)
}
