//! Follows one log file: across growth, renames, truncation and restarts, each line once.

mod event;
pub mod identity;
pub mod lines;
pub mod listen;
mod locate;
pub mod socket;
pub mod syslog;
pub mod watch;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use event::{Gap, InputEvent};
pub use identity::{At, Origin, Place};
pub use lines::Line;
pub use locate::chain;

use identity::{HEAD_BYTES, head_hash, mtime_ns, read_range};
use lines::{LineCutter, TAIL_BYTES};
use locate::{Found, How, locate, successor};

/// How much of a file is read at a time, so that one busy file neither fills the memory nor keeps
/// the others waiting.
const READ_BYTES: usize = 64 * 1024;
/// A file that was renamed may still be written by a program that has it open; this long without
/// growth it is taken as finished.
const RENAMED_QUIET: Duration = Duration::from_secs(1);

/// A file that was renamed while it was being opened is looked for again after this time.
const RENAMED_AGAIN: Duration = Duration::from_millis(100);

/// When to step an input again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more to read.
    Now,
    /// After this time, though nothing may change.
    After(Duration),
    /// When it changes, or says so by a wake.
    OnChange,
}

/// One file being followed.
#[derive(Debug)]
pub struct FileInput {
    path: PathBuf,
    place: Option<Place>,
    inside_line: bool,
    open: Option<Open>,
    finished_since: Option<Instant>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    dev_ino: (u64, u64),
    mtime_ns: i64,
    cutter: LineCutter,
    /// Length and hash of the first bytes, as far as they are known.
    head: (u64, u64),
}

impl FileInput {
    /// Follows `path`, going on behind `place`; `inside_line` says that the line cut there goes on.
    pub fn new(path: &Path, place: Option<Place>, inside_line: bool) -> FileInput {
        FileInput {
            path: path.to_owned(),
            place,
            inside_line,
            open: None,
            finished_since: None,
            buffer: Vec::new(),
        }
    }

    /// The log's path as configured.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the open file that were not given out as lines yet.
    pub fn lag_bytes(&self) -> u64 {
        let Some(open) = &self.open else { return 0 };
        let len = open.file.metadata().map_or(0, |meta| meta.len());
        len.saturating_sub(open.cutter.position())
    }

    /// Reads on: appends what was found to `events`.
    ///
    /// # Errors
    /// The file cannot be opened or read; try again later. What was given out stays given out.
    pub fn step(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        match self.try_step(now, events) {
            // Renamed between being found and being opened.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Next::After(RENAMED_AGAIN)),
            stepped => stepped,
        }
    }

    fn try_step(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        let Some(open) = &mut self.open else {
            let Some(found) = locate(&self.path, self.place.as_ref())? else {
                return Ok(Next::OnChange);
            };
            self.start(&found, events)?;
            return Ok(Next::Now);
        };
        let meta = open.file.metadata()?;
        let end = open.cutter.end();
        // Truncated and grown to the very same length, it was written to all the same.
        let is_touched = meta.len() > end || mtime_ns(&meta) != open.mtime_ns;
        if meta.len() < end || (is_touched && !open.is_unchanged()?) {
            self.restart_truncated(events)?;
            return Ok(Next::Now);
        }
        open.mtime_ns = mtime_ns(&meta);
        if meta.len() > end {
            self.finished_since = None;
            self.buffer.resize(READ_BYTES, 0);
            let got = open.file.read_at(&mut self.buffer, end)?;
            open.cutter.push(&self.buffer[..got]);
            while let Some(line) = open.cutter.next_line() {
                let place = open.place_behind(&line)?;
                self.place = Some(place);
                events.push(InputEvent::Line(line, At::File(place)));
            }
            return Ok(Next::Now);
        }
        self.buffer = Vec::new();
        self.at_end(now, events)
    }

    /// At the end of the open file: is it still the log, or has it been renamed away?
    fn at_end(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        let Some(open) = &mut self.open else {
            return Ok(Next::OnChange);
        };
        let current = match fs::metadata(&self.path) {
            // Renamed, and the new file is not there yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Next::OnChange),
            found => found?,
        };
        if (current.dev(), current.ino()) == open.dev_ino {
            self.finished_since = None;
            return Ok(Next::OnChange);
        }
        let next = successor(&self.path, open.dev_ino, open.mtime_ns);
        let quiet = now - *self.finished_since.get_or_insert(now);
        if next == self.path && quiet < RENAMED_QUIET {
            return Ok(Next::After(RENAMED_QUIET - quiet));
        }
        self.give_out_rest(events)?;
        self.start(
            &Found {
                path: next,
                offset: 0,
                how: How::Same,
            },
            events,
        )?;
        Ok(Next::Now)
    }

    /// The file was truncated, or written anew in place. `copytruncate` leaves a copy of what we
    /// had not read yet; without one, that is lost to everybody.
    fn restart_truncated(&mut self, events: &mut Vec<InputEvent>) -> io::Result<()> {
        let found = match &self.open {
            Some(open) => locate(&self.path, Some(&open.place_now()))?,
            None => None,
        };
        match found {
            Some(found) if found.how == How::Same => {
                self.inside_line = self
                    .open
                    .as_ref()
                    .is_some_and(|open| open.cutter.is_inside_line());
                self.start(&found, events)
            }
            _ => {
                tracing::info!(path = %self.path.display(), "the file was truncated; reading it from its start");
                self.give_out_rest(events)?;
                let found = Found {
                    path: self.path.clone(),
                    offset: 0,
                    how: How::Truncated,
                };
                self.start(&found, events)
            }
        }
    }

    /// A line without an end in a file that will not grow any more is a line.
    fn give_out_rest(&mut self, events: &mut Vec<InputEvent>) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if let Some(line) = open.cutter.finish() {
            let place = open.place_behind(&line)?;
            self.place = Some(place);
            events.push(InputEvent::Line(line, At::File(place)));
        }
        Ok(())
    }

    fn start(&mut self, found: &Found, events: &mut Vec<InputEvent>) -> io::Result<()> {
        self.open = None;
        let file = File::open(&found.path)?;
        let meta = file.metadata()?;
        let before_from = found.offset.saturating_sub(TAIL_BYTES as u64);
        let before = read_range(&file, before_from, (found.offset - before_from) as usize)?;
        let inside_line = self.inside_line && found.offset > 0;
        match found.how {
            How::Gone => tracing::warn!(
                path = %self.path.display(),
                next = %found.path.display(),
                "the file that was being read is gone; going on with the oldest after it"
            ),
            how => {
                tracing::debug!(path = %found.path.display(), offset = found.offset, ?how, "open")
            }
        }
        if found.offset == 0 {
            events.push(InputEvent::FileStarts);
        }
        if found.how == How::Truncated {
            events.push(InputEvent::Emptied);
        }
        self.finished_since = None;
        self.inside_line = false;
        self.open = Some(Open {
            dev_ino: (meta.dev(), meta.ino()),
            mtime_ns: mtime_ns(&meta),
            cutter: LineCutter::new(found.offset, &before, inside_line),
            head: (0, head_hash(&[])),
            file,
        });
        Ok(())
    }
}

impl Open {
    /// Whether the bytes read last, and the first ones, are still where they were.
    fn is_unchanged(&self) -> io::Result<bool> {
        let recent = self.cutter.recent();
        let from = self.cutter.end() - recent.len() as u64;
        let there = read_range(&self.file, from, recent.len())?;
        let (head_len, head) = self.head;
        let head_there = read_range(&self.file, 0, head_len as usize)?;
        Ok(there == recent && head_hash(&head_there) == head)
    }

    fn place_behind(&mut self, line: &Line) -> io::Result<Place> {
        let head_len = line.end.min(HEAD_BYTES as u64);
        if self.head.0 < head_len {
            let head = read_range(&self.file, 0, head_len as usize)?;
            self.head = (head_len, head_hash(&head));
        }
        Ok(self.place(line.end, line.tail))
    }

    fn place_now(&self) -> Place {
        self.place(self.cutter.position(), self.cutter.tail())
    }

    fn place(&self, offset: u64, tail: u64) -> Place {
        Place {
            dev: self.dev_ino.0,
            ino: self.dev_ino.1,
            offset,
            head_len: self.head.0,
            head: self.head.1,
            tail,
            mtime_ns: self.mtime_ns,
        }
    }
}
