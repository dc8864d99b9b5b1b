//! Which files of a listing are new, which are known, which are not to be touched.

use std::time::Duration;

use jiff::Timestamp;

use super::names::{is_plain, is_unfinished};
use super::poll::Order;
use super::{FileError, Listed, Remote};
use crate::{Inbox, Polled, SourceError, limits, pattern};

/// A minute of a listing is over for good when the server's clock and ours may differ by this.
const MINUTE_IS_OVER: Duration = Duration::from_secs(5 * 60);

/// A listing, sorted out.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Not taken yet, oldest first.
    pub fresh: Vec<Listed>,
    /// Taken at some earlier poll.
    pub known: Vec<Listed>,
}

pub(super) async fn sort(
    remote: &mut impl Remote,
    order: &Order<'_>,
    inbox: &impl Inbox,
    listed: Vec<Listed>,
    polled: &mut Polled,
) -> Result<Sorted, SourceError> {
    let files = ours(order, listed, polled);
    let mut sorted = Sorted::default();
    let mut rough = Vec::new();
    for (file, is_seen) in with_seen(order, inbox, files).await? {
        match (is_seen, file.is_exact) {
            (true, _) => sorted.known.push(file),
            (false, true) => sorted.fresh.push(file),
            (false, false) => rough.push(file),
        }
    }
    sharpen(remote, order, inbox, rough, &mut sorted, polled).await?;
    polled.seen = sorted.known.len() as u64;
    sorted
        .fresh
        .sort_by(|a, b| a.modified.cmp(&b.modified).then(a.name.cmp(&b.name)));
    Ok(sorted)
}

/// The files that the order is about and that may be asked for.
fn ours(order: &Order<'_>, listed: Vec<Listed>, polled: &mut Polled) -> Vec<Listed> {
    let mut files = Vec::new();
    for file in listed {
        // An unfinished name usually ends otherwise than the pattern: look at both.
        let whole = file.name.rsplit_once('.').map_or("", |(stem, _)| stem);
        let is_ours = |name: &str| pattern::matches(order.pattern, name);
        if is_unfinished(&file.name) {
            if is_ours(&file.name) || is_ours(whole) {
                polled.still_written += 1;
            }
        } else if !is_ours(&file.name) || [".", ".."].contains(&file.name.as_str()) {
            continue;
        } else if !file.is_file || !is_plain(&file.name) {
            polled.passed_over += 1;
        } else {
            polled.listed += 1;
            files.push(file);
        }
    }
    files
}

async fn with_seen(
    order: &Order<'_>,
    inbox: &impl Inbox,
    files: Vec<Listed>,
) -> Result<impl Iterator<Item = (Listed, bool)>, SourceError> {
    let keys: Vec<String> = files.iter().map(|file| file.key(&order.place)).collect();
    let seen = if keys.is_empty() {
        Vec::new()
    } else {
        inbox.seen(&keys).await.map_err(SourceError::from)?
    };
    Ok(files.into_iter().zip(seen))
}

/// Asks for the exact time of files whose listing has only the minute. Once a minute is over and
/// its file known, the rough key is remembered too, so that this is asked once per file and not at
/// every poll.
async fn sharpen(
    remote: &mut impl Remote,
    order: &Order<'_>,
    inbox: &impl Inbox,
    rough: Vec<Listed>,
    sorted: &mut Sorted,
    polled: &mut Polled,
) -> Result<(), SourceError> {
    let mut sharp = Vec::new();
    for mut file in rough {
        if sharp.len() >= limits::TAKEN_A_POLL {
            polled.has_more = true;
            break;
        }
        let rough_key = file.key(&order.place);
        let look = match remote.look(&file.name).await {
            Ok(Some(look)) => look,
            // It went in between, or cannot be asked about: then the minute has to do.
            Ok(None) | Err(FileError::This(_)) => continue,
            Err(FileError::Source(error)) => return Err(error),
        };
        if let Some(modified) = look.modified {
            file.stamp = modified.as_second().to_string();
            file.modified = Some(modified);
        }
        file.is_exact = true;
        sharp.push((file, rough_key));
    }
    let (files, rough_keys): (Vec<_>, Vec<_>) = sharp.into_iter().unzip();
    let mut over = Vec::new();
    let files = with_seen(order, inbox, files).await?;
    for ((file, is_seen), rough_key) in files.zip(rough_keys) {
        if !is_seen {
            sorted.fresh.push(file);
            continue;
        }
        if file.modified.is_some_and(|at| is_over(at, order.now)) {
            over.push(rough_key);
        }
        sorted.known.push(file);
    }
    if !over.is_empty() {
        inbox.pass_over(&over).await.map_err(SourceError::from)?;
    }
    Ok(())
}

fn is_over(modified: Timestamp, now: Timestamp) -> bool {
    now.duration_since(modified).unsigned_abs() > MINUTE_IS_OVER && modified < now
}
