//! Tier 1: everything, on the machine itself, one JSON object a line, in a rotated file.
//!
//! How far it has got is read from the file: its last line carries epoch and seq. So the file and
//! the position can never disagree, whatever was killed when.

mod range;
mod rotate;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use wire::MachineId;

use crate::config::Local;
use crate::durable;
use crate::pipeline::{Progress, Wake};
use crate::spool::{Shared, SpoolReader};
pub use range::find;
use rotate::{cut_torn_line, last_line, rotate};

/// Lines are synced together: the spool keeps them until then.
const SYNC_EVERY: Duration = Duration::from_secs(30);
/// Or as soon as there are so many bytes: a full spool waits for it to remove a segment.
const SYNC_BYTES: u64 = crate::spool::SEGMENT_BYTES;
/// A path that cannot be written is tried again after this time.
const RETRY: Duration = Duration::from_secs(10);
/// Lines are collected up to this size before they are written.
const WRITE_BYTES: usize = 64 * 1024;

/// Writes the local file; runs on a thread of its own, for the path may be on a slow disk.
pub struct LocalFile {
    config: Local,
    /// `{"machine_id":"...","epoch":n,`: what every line begins with.
    prefix: String,
    epoch: u64,
    reader: SpoolReader,
    open: Option<Open>,
    /// The last seq whose line is in the file.
    written: u64,
    progress: Arc<Progress>,
}

struct Open {
    file: File,
    ino: u64,
    len: u64,
    unsynced_since: Option<Instant>,
    unsynced_bytes: u64,
}

impl LocalFile {
    /// For the entries that `reader` gives; where it begins is found in the file.
    pub fn new(
        config: Local,
        machine_id: &MachineId,
        epoch: u64,
        reader: SpoolReader,
        progress: Arc<Progress>,
    ) -> LocalFile {
        let prefix = format!("{{\"machine_id\":\"{machine_id}\",\"epoch\":{epoch},");
        LocalFile {
            config,
            prefix,
            epoch,
            reader,
            open: None,
            written: 0,
            progress,
        }
    }

    /// Follows the spool until it is closed and everything is written.
    pub fn run(mut self, shared: &Shared, wakes: &Sender<Wake>) {
        let mut reported: Option<String> = None;
        let mut told = 0;
        loop {
            let now = Instant::now();
            self.progress.writing.begin(now);
            let worked = self.step(now);
            let failing = worked.is_err();
            self.progress
                .local_failing
                .store(failing, Ordering::Relaxed);
            let wait = match worked {
                Ok(wait) => {
                    if reported.take().is_some() {
                        tracing::info!("the local file is written again");
                    }
                    wait
                }
                Err(error) => {
                    self.open = None;
                    let text = error.to_string();
                    if reported.as_ref() != Some(&text) {
                        tracing::error!(
                            path = %self.config.path.display(), error = %text,
                            "the local file cannot be written; entries are shipped all the same"
                        );
                        reported = Some(text);
                    }
                    Some(RETRY)
                }
            };
            if shared.is_closed() && (failing || self.reader.position() >= shared.synced().last_seq)
            {
                self.sync_or_report();
                return;
            }
            let written = self.progress.local_written.load(Ordering::Relaxed);
            if std::mem::replace(&mut told, written) != written {
                // It fails when the pipeline has gone, and then nothing is to be removed.
                let _ = wakes.send(Wake::Delivered);
            }
            self.progress.writing.rest();
            match failing {
                // Growth is no reason to try again earlier.
                true => shared.wait_beyond(u64::MAX, wait),
                false => shared.wait_beyond(self.reader.position(), wait),
            }
        }
    }

    /// Writes what the spool has; answers when it wants to be called though nothing was added.
    ///
    /// # Errors
    /// The file cannot be written; it holds whole lines only, and the next call goes on behind
    /// the last of them.
    pub fn step(&mut self, now: Instant) -> io::Result<Option<Duration>> {
        self.reopen_if_gone()?;
        let mut lines = Vec::new();
        loop {
            let stored = self.reader.next_entry()?;
            if let Some(stored) = &stored {
                lines.extend_from_slice(self.prefix.as_bytes());
                lines.extend_from_slice(&stored.json.as_bytes()[1..]);
                lines.push(b'\n');
            }
            let is_last = stored.is_none();
            if lines.len() >= WRITE_BYTES || (is_last && !lines.is_empty()) {
                self.write(&lines, now)?;
                lines.clear();
            }
            if is_last {
                break;
            }
        }
        let due = self.open.as_ref().and_then(|open| open.unsynced_since);
        match due.map(|since| (since + SYNC_EVERY).saturating_duration_since(now)) {
            Some(Duration::ZERO) => self.sync().map(|()| None),
            wait => Ok(wait),
        }
    }

    fn write(&mut self, lines: &[u8], now: Instant) -> io::Result<()> {
        // A week of entries may follow each other: each of these writes is a piece of its own.
        self.progress.writing.begin(Instant::now());
        if self.open.as_ref().is_some_and(|open| open.len > 0)
            && self
                .open
                .as_ref()
                .is_some_and(|open| open.len + lines.len() as u64 > self.config.max_bytes)
        {
            self.sync()?;
            rotate(&self.config.path, self.config.files)?;
            self.open = None;
            self.open_file(false)?;
        }
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("no file is open"));
        };
        if let Err(error) = open.file.write_all(lines) {
            // Half a line must not stay; the reader goes back when the file is opened again.
            let _ = open.file.set_len(open.len);
            return Err(error);
        }
        open.len += lines.len() as u64;
        self.written = self.reader.position();
        open.unsynced_since.get_or_insert(now);
        open.unsynced_bytes += lines.len() as u64;
        if open.unsynced_bytes >= SYNC_BYTES {
            return self.sync();
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Some(open) = &mut self.open
            && open.unsynced_since.is_some()
        {
            open.file.sync_data()?;
            open.unsynced_since = None;
            open.unsynced_bytes = 0;
        }
        self.progress
            .local_written
            .store(self.written, Ordering::Relaxed);
        Ok(())
    }

    fn sync_or_report(&mut self) {
        if let Err(error) = self.sync() {
            tracing::warn!(%error, "the local file was not synced at the end");
        }
    }

    /// Somebody may have removed or replaced the file.
    fn reopen_if_gone(&mut self) -> io::Result<()> {
        let ino = fs::metadata(&self.config.path).map(|meta| meta.ino()).ok();
        if self.open.is_none() || ino != self.open.as_ref().map(|open| open.ino) {
            let known = self.open.is_some();
            self.open = None;
            self.open_file(!known)?;
        }
        Ok(())
    }

    fn open_file(&mut self, find_position: bool) -> io::Result<()> {
        let path = &self.config.path.clone();
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        if find_position {
            let last = last_line(path)?;
            cut_torn_line(path, last.map(|last| last.end))?;
            let behind = match last {
                Some(last) => Some(last),
                None => last_line(&rotate::numbered(path, 1))?,
            };
            let ours = behind.filter(|last| last.epoch == self.epoch);
            self.written = ours.map_or(0, |last| last.seq);
            self.reader.seek(self.written);
        }
        let file = File::options().append(true).create(true).open(path)?;
        let meta = file.metadata()?;
        if meta.len() == 0 {
            // Its lines count as kept once they are synced: its name must be durable before.
            durable::sync_dir_of(path)?;
        }
        self.open = Some(Open {
            ino: meta.ino(),
            len: meta.len(),
            file,
            // What an earlier process wrote may not be durable yet.
            unsynced_since: Some(Instant::now()),
            unsynced_bytes: 0,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
