//! Entries that the server refused for good, kept with the reason for a person to look at.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::value::RawValue;
use wire::Micros;

use crate::durable;
use crate::spool::Stored;

/// At this size the file becomes `.1`, and the one before it goes: together 8 MB at most, on a
/// small card.
const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The file they are put into, one JSON object a line.
#[derive(Debug)]
pub struct PutAside {
    path: PathBuf,
}

#[derive(Serialize)]
struct Line<'a> {
    put_aside_at: String,
    code: &'a str,
    why: &'a str,
    epoch: u64,
    entry: &'a RawValue,
}

impl PutAside {
    /// The file at `path`, made when the first entry comes.
    pub fn new(path: PathBuf) -> PutAside {
        PutAside { path }
    }

    /// Adds an entry; it is durable when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(
        &self,
        stored: &Stored,
        epoch: u64,
        code: &str,
        why: &str,
        now: Micros,
    ) -> io::Result<()> {
        let entry: &RawValue = serde_json::from_str(&stored.json).map_err(io::Error::other)?;
        let line = Line {
            put_aside_at: now.to_rfc3339(),
            code,
            why,
            epoch,
            entry,
        };
        let mut line = serde_json::to_vec(&line).map_err(io::Error::other)?;
        line.push(b'\n');
        if fs::metadata(&self.path).is_ok_and(|meta| meta.len() >= FILE_MAX_BYTES) {
            fs::rename(&self.path, durable::sibling(&self.path, "1"))?;
        }
        let is_new = !self.path.exists();
        let mut file = durable::private()
            .append(true)
            .create(true)
            .open(&self.path)?;
        file.write_all(&line)?;
        file.sync_data()?;
        if is_new {
            durable::sync_dir_of(&self.path)?;
        }
        Ok(())
    }
}
