//! What a source hands its files to: the intake, and the memory of what was taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ::drops::{Found, Inbox, Kept, Raw, Stop};
use wire::Micros;
use wire::time::SECOND_US;

use super::super::{Content, RawFile, Taken, intake};
use super::held::HeldBack;
use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;
use crate::events::Event;

/// The inbox of one source.
pub struct SourceInbox {
    /// The server.
    pub app: Shared,
    /// The source's id.
    pub source: String,
    /// Mails that are about other things are passed over.
    pub is_mailbox: bool,
    /// When a file was told live last.
    pub told_at: AtomicI64,
    /// The files that wait there.
    pub held: Arc<HeldBack>,
}

/// A poll that brings hundreds of files tells of them so often.
const TELL_EVERY_US: i64 = SECOND_US;

impl Inbox for SourceInbox {
    async fn seen(&self, keys: &[String]) -> Result<Vec<bool>, Stop> {
        let (source, keys) = (self.source.clone(), keys.to_vec());
        self.app
            .with_store(move |store| {
                let is_seen = |key| store.cell().is_seen(&source, key);
                keys.iter().map(|key| is_seen(key)).collect()
            })
            .await
            .map_err(stop)
    }

    async fn take(&self, found: Found) -> Result<Kept, Stop> {
        let now = clock::now();
        let file = RawFile {
            source: self.source.clone(),
            is_mailbox: self.is_mailbox,
            name: found.name,
            content: match found.raw {
                Raw::Bytes(bytes) => Content::Whole(bytes),
                Raw::TooLarge { size_bytes } => Content::TooLarge {
                    size_bytes,
                    head: Vec::new(),
                },
            },
            at: now,
        };
        // First the file, then its key: a crash in between takes the file once more, which is then
        // recognised.
        let taken = intake::take(&self.app, file).await.map_err(|error| {
            let stop = stop(error);
            if let Stop::This(why) = &stop {
                self.held.hold(&found.key, why, now);
            }
            stop
        })?;
        if self.is_mailbox && taken.drops + taken.repeats + taken.quarantined == 0 {
            // Somebody's mail, of which nothing was kept here.
            return Ok(Kept::NotOurs);
        }
        self.mark(&[found.key], now).await?;
        self.count(&taken, now);
        Ok(Kept::Yes)
    }

    fn held_back(&self, key: &str) -> Option<String> {
        self.held.why(key, clock::now())
    }

    async fn pass_over(&self, keys: &[String]) -> Result<(), Stop> {
        self.mark(keys, clock::now()).await
    }
}

impl SourceInbox {
    async fn mark(&self, keys: &[String], now: Micros) -> Result<(), Stop> {
        let (source, keys) = (self.source.clone(), keys.to_vec());
        self.app
            .with_store(move |store| store.cell().mark_all_seen(&source, &keys, now))
            .await
            .map_err(stop)
    }

    /// Counts a file, and tells it, but not each of many: the end of the poll is told anyway.
    fn count(&self, taken: &Taken, now: Micros) {
        self.app
            .sources
            .update(&self.source, |status| status.took(taken, now));
        let told_at = Micros(self.told_at.load(Ordering::Relaxed));
        if now.since_us(told_at) > TELL_EVERY_US {
            self.told_at.store(now.0, Ordering::Relaxed);
            self.app.events.publish(Event::Source(self.source.clone()));
        }
    }
}

/// What is wrong with one file holds up no other.
fn stop(error: ApiError) -> Stop {
    let why = error.message().to_owned();
    match error.code() {
        "quarantine_full" | "bad_number" => Stop::This(why),
        _ => Stop::All(why),
    }
}
