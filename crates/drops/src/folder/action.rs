//! What happens to a file at its source after our commit. A failure is said and tried again at the
//! next poll; the file is not fetched again for it.

use super::poll::Order;
use super::{FileError, Listed, Remote, shown_name};
use crate::{After, Polled, SourceError, limits};

/// After so many failures in a row a poll gives up moving or deleting: a full disk or a missing
/// right hits every file alike.
const FAILURES_IN_A_ROW: u32 = 10;

pub(super) struct Actions<'a> {
    order: &'a Order<'a>,
    failures: u32,
}

impl<'a> Actions<'a> {
    pub(super) fn new(order: &'a Order<'a>) -> Actions<'a> {
        Actions { order, failures: 0 }
    }

    /// Moves or deletes a file whose content is durable here.
    pub(super) async fn after(
        &mut self,
        remote: &mut impl Remote,
        file: &Listed,
        polled: &mut Polled,
    ) -> Result<(), SourceError> {
        // Of what is too large nobody else has the bytes.
        let is_kept = self.order.after == After::Keep || file.size_bytes > limits::FILE_BYTES;
        if is_kept || self.failures >= FAILURES_IN_A_ROW {
            return Ok(());
        }
        match self.act(remote, file).await {
            Ok(()) => self.failures = 0,
            Err(FileError::Source(error)) => return Err(error),
            Err(FileError::This(message)) => {
                self.failures += 1;
                let what = match self.order.after {
                    After::Move => format!("moved to {}", self.order.move_to),
                    After::Delete | After::Keep => "deleted".to_owned(),
                };
                polled.trouble(
                    &shown_name(&file.name),
                    format!(
                        "taken, but it could not be {what}: {message}; check the account's rights \
                         and the free space there"
                    ),
                );
            }
        }
        Ok(())
    }

    async fn act(&self, remote: &mut impl Remote, file: &Listed) -> Result<(), FileError> {
        let Some(now) = remote.look(&file.name).await? else {
            return Ok(());
        };
        let is_resized = now.size_bytes.is_some_and(|size| size != file.size_bytes);
        let is_rewritten = match (now.modified, file.modified) {
            (Some(now), Some(then)) => file.is_exact && now.as_second() != then.as_second(),
            _ => false,
        };
        if is_resized || is_rewritten {
            // Another file by now; the next poll takes it.
            return Ok(());
        }
        if self.order.after == After::Delete {
            return remote.remove(&file.name).await;
        }
        let folder = self.order.move_to.trim_end_matches('/');
        let mut target = format!("{folder}/{}", file.name);
        if let Some(there) = remote.look(&target).await? {
            if there == now && now.modified.is_some() && now.size_bytes.is_some() {
                // Another name of this very folder, most likely: moving would never end.
                return Err(FileError::This("it is there already".to_owned()));
            }
            // Many servers replace without a word; the older file stays.
            target = format!("{folder}/{}-{}", file.stamp, file.name);
        }
        remote.rename(&file.name, &target).await
    }
}
