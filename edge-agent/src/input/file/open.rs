//! The log file that is being read, what was read of it, and whether it is still what it was. Which
//! file that is, and what follows it, is decided outside.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::input::content::Content;
use crate::input::identity::{HEAD_BYTES, born_ns, head_hash, mtime_ns};
use crate::input::lines::{LineCutter, TAIL_BYTES};
use crate::input::locate::Found;
use crate::input::{Line, Place};

/// A log file that is being read.
#[derive(Debug)]
pub(super) struct Open {
    pub content: Content,
    /// Its name when it was opened.
    pub path: PathBuf,
    pub dev_ino: (u64, u64),
    born_ns: Option<i64>,
    pub mtime_ns: i64,
    /// Its length when it was last looked at; of what is compressed, on the disk.
    pub len: u64,
    pub cutter: LineCutter,
    /// Length and hash of the first bytes, as far as they are known.
    head: (u64, u64),
    /// Whether only NUL was read yet.
    pub is_in_hole: bool,
}

impl Open {
    /// Opens the file that was found; `inside_line`: the line cut at its offset goes on.
    ///
    /// # Errors
    /// It cannot be read; `NotFound`: it was renamed since it was found.
    pub fn begin(found: &Found, inside_line: bool) -> io::Result<Open> {
        let mut content = Content::open(&found.path)?;
        let meta = content.metadata()?;
        if (meta.dev(), meta.ino()) != found.dev_ino {
            return Err(io::ErrorKind::NotFound.into());
        }
        // In this order: a compressed file is read from its start to its end only once.
        let head_len = found.offset.min(HEAD_BYTES as u64);
        let head = content.range(0, head_len as usize)?;
        let before_from = found.offset.saturating_sub(TAIL_BYTES as u64);
        let before = content.range(before_from, (found.offset - before_from) as usize)?;
        let inside_line = inside_line && found.offset > 0;
        tracing::debug!(path = %found.path.display(), offset = found.offset, how = ?found.how, "open");
        Ok(Open {
            path: found.path.clone(),
            dev_ino: found.dev_ino,
            born_ns: born_ns(&meta),
            mtime_ns: mtime_ns(&meta),
            len: meta.len(),
            cutter: LineCutter::new(found.offset, &before, inside_line),
            head: (head_len, head_hash(&head)),
            is_in_hole: false,
            content,
        })
    }

    /// Whether the bytes read last, and the first ones, are still where they were.
    pub fn is_unchanged(&mut self) -> io::Result<bool> {
        let recent = self.cutter.recent();
        let from = self.cutter.end() - recent.len() as u64;
        let there = self.content.range(from, recent.len())?;
        if there != recent {
            return Ok(false);
        }
        let (head_len, head) = self.head;
        // Where the bytes read last are the first ones, they were just compared.
        if from == 0 {
            return Ok(true);
        }
        let head_there = self.content.range(0, head_len as usize)?;
        Ok(head_hash(&head_there) == head)
    }

    /// Hashes the first bytes, as far as they are before `position`.
    fn know_head(&mut self, position: u64) -> io::Result<()> {
        let head_len = position.min(HEAD_BYTES as u64);
        if self.head.0 < head_len {
            let head = self.content.range(0, head_len as usize)?;
            self.head = (head_len, head_hash(&head));
        }
        Ok(())
    }

    /// The position behind a line of it.
    pub fn place_behind(&mut self, line: &Line) -> io::Result<Place> {
        self.know_head(line.end)?;
        Ok(self.place(line.end, line.tail))
    }

    /// The position behind the last line given out.
    pub fn place_now(&self) -> Place {
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
            born_ns: self.born_ns,
        }
    }
}
