//! Follows one log file: across growth, renames, copies, compression, truncation and restarts, each
//! line once. What nobody can read any more is said as a gap.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use open::Open;

use super::content::{Coding, Content};
use super::identity::mtime_ns;
use super::lines::LineCutter;
use super::locate::{Found, How, locate, successor};
use super::loss::{self, Seen, gaps};
use super::watch::SAFETY_POLL;
use super::{At, Gap, InputEvent, Next, Place};

/// How much of a file is read at a time, so that one busy file neither fills the memory nor keeps
/// the others waiting.
const READ_BYTES: usize = 64 * 1024;
/// A file that was renamed may still be written by one of several programs that have it open; this
/// long without growth, and with something in the new file, it is taken as finished. Longer, and a
/// program that rotates many times a second is lost sight of.
const RENAMED_QUIET: Duration = Duration::from_millis(250);
/// A file that was renamed while it was being opened is looked for again after this time.
const RENAMED_AGAIN: Duration = Duration::from_millis(100);
/// Every write wakes us, and nothing does for [`SAFETY_POLL`] at most. Without a look for longer, we
/// were not awake: more may have been written before a truncation than was ever seen.
const BLIND: Duration = Duration::from_secs(SAFETY_POLL.as_secs() + 2);
/// A compressed file that ends too early may be half written. So long without growth, and it is
/// damaged.
const COMPRESSING_QUIET: Duration = Duration::from_secs(2);
/// A file that was left is kept open this long, to notice who still writes to it. Not longer: when
/// it is deleted, its room on the card is free only after that.
const LEFT_WATCHED: Duration = Duration::from_secs(60);
/// So many NUL bytes at the start of a file are a hole: a program that does not append goes on at
/// its old position after somebody else truncated the file.
const HOLE_MIN_BYTES: usize = 512;

/// One file being followed.
#[derive(Debug)]
pub struct FileInput {
    path: PathBuf,
    place: Option<Place>,
    inside_line: bool,
    open: Option<Open>,
    finished_since: Option<Instant>,
    /// When the open file was last looked at.
    looked: Option<Instant>,
    /// The file that was open before, for a while: somebody may write to it still.
    left: Option<Left>,
    /// Whether the open file is a copy, so that those after it are copies too.
    copied: bool,
    buffer: Vec<u8>,
}

/// A file that was read to its end and left.
#[derive(Debug)]
struct Left {
    content: Content,
    path: PathBuf,
    end: u64,
    until: Option<Instant>,
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
            looked: None,
            left: None,
            copied: false,
            buffer: Vec::new(),
        }
    }

    /// The log's path as configured.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the open file that were not given out as lines yet; of a compressed one, all.
    pub fn lag_bytes(&self) -> u64 {
        let Some(open) = &self.open else { return 0 };
        let len = open.content.metadata().map_or(0, |meta| meta.len());
        match open.content.is_plain() {
            true => len.saturating_sub(open.cutter.position()),
            false => len,
        }
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
            let gaps = gaps(&self.path, &found, Seen::BeforeStart);
            self.start(&found, gaps, events)?;
            return Ok(Next::Now);
        };
        if !open.content.is_plain() {
            return self.unpack(now, events);
        }
        let meta = open.content.metadata()?;
        let end = open.cutter.end();
        let is_shorter = meta.len() < end;
        let is_grown = meta.len() > end;
        // Truncated and grown to the very same length, it was written to all the same.
        if !is_shorter && !is_grown && mtime_ns(&meta) == open.mtime_ns {
            let is_blind = self.is_blind(now);
            self.looked = Some(now);
            return self.at_end((now, is_blind), events);
        }
        let mut got = 0;
        if is_grown {
            self.buffer.resize(READ_BYTES, 0);
            got = open.content.read_at(&mut self.buffer, end)?;
        }
        // After reading: what was read before a truncation is not mixed with what came after.
        if is_shorter || !open.is_unchanged()? {
            return self.restart_truncated(now, events);
        }
        (open.mtime_ns, open.len) = (mtime_ns(&meta), meta.len());
        let is_blind = self.is_blind(now);
        self.looked = Some(now);
        if got == 0 {
            return self.at_end((now, is_blind), events);
        }
        self.finished_since = None;
        self.take(got, events)?;
        Ok(Next::Now)
    }

    /// Whether nobody looked for so long that something may have come and gone unseen.
    fn is_blind(&self, now: Instant) -> bool {
        self.looked.is_some_and(|looked| now - looked > BLIND)
    }

    /// Cuts the first `got` bytes of the buffer into lines.
    fn take(&mut self, got: usize, events: &mut Vec<InputEvent>) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let mut bytes = &self.buffer[..got];
        if open.cutter.end() == 0 {
            let hole = bytes.iter().take_while(|byte| **byte == 0).count();
            open.is_in_hole = hole >= HOLE_MIN_BYTES;
        }
        if open.is_in_hole {
            let hole = bytes.iter().take_while(|byte| **byte == 0).count();
            let end = open.cutter.end() + hole as u64;
            if hole > 0 {
                open.cutter = LineCutter::new(end, &bytes[..hole], false);
            }
            bytes = &bytes[hole..];
            if !bytes.is_empty() {
                open.is_in_hole = false;
                tracing::info!(path = %open.path.display(), bytes = end, "left out a hole of NUL");
            }
        }
        open.cutter.push(bytes);
        while let Some(line) = open.cutter.next_line() {
            let place = open.place_behind(&line)?;
            self.place = Some(place);
            events.push(InputEvent::Line(line, At::File(place)));
        }
        Ok(())
    }

    /// Reads on in a compressed file, which does not change once it is whole.
    fn unpack(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        let Some(open) = &mut self.open else {
            return Ok(Next::OnChange);
        };
        self.buffer.resize(READ_BYTES, 0);
        match open.content.read_at(&mut self.buffer, open.cutter.end()) {
            Ok(0) => self.at_end((now, false), events),
            Ok(got) => {
                self.finished_since = None;
                self.take(got, events)?;
                Ok(Next::Now)
            }
            Err(error) => {
                let len = open.content.metadata()?.len();
                if std::mem::replace(&mut open.len, len) != len {
                    self.finished_since = None;
                }
                let quiet = now - *self.finished_since.get_or_insert(now);
                if quiet < COMPRESSING_QUIET {
                    open.content.unpack_anew();
                    return Ok(Next::After(COMPRESSING_QUIET - quiet));
                }
                let damaged = loss::damaged(&open.path, &error);
                let place = open.place_now();
                let Some(next) = successor(&self.path, &place, &open.content)? else {
                    return Ok(Next::OnChange);
                };
                let gaps = [damaged]
                    .into_iter()
                    .chain(gaps(&self.path, &next, Seen::Whole));
                self.start(&next, gaps.collect(), events)?;
                Ok(Next::Now)
            }
        }
    }

    /// At the end of the open file: is it still the log, or has it been renamed away?
    fn at_end(
        &mut self,
        (now, is_blind): (Instant, bool),
        events: &mut Vec<InputEvent>,
    ) -> io::Result<Next> {
        self.buffer = Vec::new();
        self.look_back(now, events)?;
        let Some(open) = &mut self.open else {
            return Ok(Next::OnChange);
        };
        let is_ours = |meta: fs::Metadata| (meta.dev(), meta.ino()) == open.dev_ino;
        if fs::metadata(&self.path).is_ok_and(is_ours) {
            self.finished_since = None;
            return Ok(Next::OnChange);
        }
        // None: renamed or deleted, and the new file is not there yet.
        let Some(mut next) = successor(&self.path, &open.place_now(), &open.content)? else {
            return Ok(Next::OnChange);
        };
        let now_there = open.content.metadata()?;
        if open.content.is_plain() && now_there.len() != open.cutter.end() {
            // Written to since it was looked at, and only then rotated.
            return Ok(Next::Now);
        }
        next.how = match next.how {
            How::Next if self.copied && !next.is_current => How::Copied,
            // Deleted, and made anew perhaps more than once.
            How::Next if is_blind && now_there.nlink() == 0 && next.is_current => How::Pruned,
            how => how,
        };
        if next.is_current && open.content.is_plain() {
            // Where nobody tells the program of the rotation, it goes on writing to the old file.
            if next.len == 0 {
                self.finished_since = None;
                return Ok(Next::OnChange);
            }
            let quiet = now - *self.finished_since.get_or_insert(now);
            if quiet < RENAMED_QUIET {
                return Ok(Next::After(RENAMED_QUIET - quiet));
            }
        }
        let opened = Open::begin(&next, false)?;
        self.give_out_rest(events)?;
        let gaps = gaps(&self.path, &next, Seen::Whole);
        self.go_on(opened, &next, gaps, events)?;
        Ok(Next::Now)
    }

    /// The file was truncated, or written anew in place. `copytruncate` leaves a copy of what we
    /// had not read yet; without one, that is lost to everybody.
    fn restart_truncated(
        &mut self,
        now: Instant,
        events: &mut Vec<InputEvent>,
    ) -> io::Result<Next> {
        let Some(open) = &self.open else {
            return Ok(Next::OnChange);
        };
        let place = open.place_now();
        let Some(mut found) = locate(&self.path, Some(&place))? else {
            // Truncated and then renamed: it is found when the log is there again.
            return Ok(Next::OnChange);
        };
        if found.how == How::Same && found.dev_ino != open.dev_ino {
            found.how = How::Copied;
        }
        // Copied and truncated more than once: the copy of what was read is deleted.
        let is_later_copy = found.how == How::Truncated && !found.is_current;
        if is_later_copy {
            found.how = How::Pruned;
        }
        let is_blind = self.is_blind(now);
        let is_inside_line = open.cutter.is_inside_line();
        let end = open.cutter.end();
        let unread = open.len.saturating_sub(end);
        let seen = match found.how {
            // How long the text is, a compressed copy does not say.
            How::Copied if found.coding != Coding::Plain => Seen::Unread(0),
            How::Copied => Seen::Unread(open.len.saturating_sub(found.len.max(end))),
            How::Same => Seen::Whole,
            // The beginning of a line whose end was not read goes with it.
            _ if unread > 0 => Seen::Unread(open.len - open.cutter.position()),
            _ if is_blind => Seen::Unread(0),
            _ => Seen::Whole,
        };
        let goes_on = matches!(found.how, How::Copied | How::Same);
        let opened = Open::begin(&found, goes_on && is_inside_line)?;
        if !goes_on && unread == 0 {
            self.give_out_rest(events)?;
        }
        tracing::info!(path = %self.path.display(), how = ?found.how, unread, "truncated");
        let gaps = gaps(&self.path, &found, seen);
        self.go_on(opened, &found, gaps, events)?;
        // It is the log still, and those behind a copy are copies.
        self.left = None;
        self.copied |= is_later_copy;
        Ok(Next::Now)
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

    fn start(
        &mut self,
        found: &Found,
        gaps: Vec<Gap>,
        events: &mut Vec<InputEvent>,
    ) -> io::Result<()> {
        let opened = Open::begin(found, self.inside_line)?;
        self.go_on(opened, found, gaps, events)
    }

    /// Leaves the file that is open for the one that was `found` and is `open` now.
    fn go_on(
        &mut self,
        open: Open,
        found: &Found,
        gaps: Vec<Gap>,
        events: &mut Vec<InputEvent>,
    ) -> io::Result<()> {
        self.say_late(events)?;
        let left = self.open.take();
        let left = left.filter(|_| matches!(found.how, How::Next | How::Pruned));
        // What is said once is not to be said again after a restart.
        let at = open.place_now();
        for gap in gaps {
            self.place = Some(at);
            let at = Some(At::File(at));
            events.push(InputEvent::Gap(Gap { at, ..gap }));
        }
        if found.offset == 0 {
            events.push(InputEvent::FileStarts);
        }
        if found.how == How::Truncated {
            events.push(InputEvent::Emptied);
        }
        self.finished_since = None;
        self.looked = None;
        self.copied = found.how == How::Copied;
        self.inside_line = false;
        self.open = Some(open);
        self.left = left.filter(|left| left.content.is_plain()).map(Left::from);
        Ok(())
    }

    /// Says what was written to the file that was left, for a while.
    fn look_back(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<()> {
        self.say_late(events)?;
        let until = (self.left.as_mut()).map(|left| left.until.get_or_insert(now + LEFT_WATCHED));
        if until.is_some_and(|until| now > *until) {
            self.left = None;
        }
        Ok(())
    }

    fn say_late(&mut self, events: &mut Vec<InputEvent>) -> io::Result<()> {
        let Some(left) = &mut self.left else {
            return Ok(());
        };
        let len = left.content.metadata()?.len();
        if len > left.end {
            events.push(InputEvent::Gap(loss::late(&left.path, len - left.end)));
            left.end = len;
        }
        Ok(())
    }
}

impl From<Open> for Left {
    fn from(open: Open) -> Left {
        Left {
            end: open.cutter.end(),
            path: open.path,
            content: open.content,
            until: None,
        }
    }
}

mod open;
#[cfg(test)]
mod tests;
