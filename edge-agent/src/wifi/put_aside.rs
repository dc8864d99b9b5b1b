//! Entries that the server refused for good, kept with the reason for a person to look at. Each is
//! there once, also after a crash between writing it and saving how far delivery has got.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
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

/// As much of a line as tells which entry it is.
#[derive(Deserialize)]
struct Known {
    epoch: u64,
    entry: KnownEntry,
}

#[derive(Deserialize)]
struct KnownEntry {
    seq: u64,
}

impl PutAside {
    /// The file at `path`, made when the first entry comes. What a crash left of a last line is
    /// cut off.
    pub fn new(path: PathBuf) -> PutAside {
        if let Err(error) = cut_torn_line(&path) {
            tracing::warn!(%error, path = %path.display(), "the file of entries put aside");
        }
        PutAside { path }
    }

    /// The seqs beyond `after` of this epoch's entries that were put aside.
    pub fn seqs(&self, epoch: u64, after: u64) -> BTreeSet<u64> {
        let files = [durable::sibling(&self.path, "1"), self.path.clone()];
        let lines = files
            .iter()
            .filter_map(|path| File::open(path).ok())
            .flat_map(|file| BufReader::new(file).split(b'\n').map_while(Result::ok));
        lines
            .filter_map(|line| serde_json::from_slice::<Known>(&line).ok())
            .filter(|known| known.epoch == epoch && known.entry.seq > after)
            .map(|known| known.entry.seq)
            .collect()
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

/// A line that was not synced before a crash may end anywhere; the next must not be joined to it.
fn cut_torn_line(path: &Path) -> io::Result<()> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < bytes.len() {
        let file = File::options().write(true).open(path)?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wire::Level;

    use super::*;

    fn stored(seq: u64) -> Stored {
        Stored {
            seq,
            at: Micros(0),
            level: Level::Info,
            basis: None,
            json: format!("{{\"seq\":{seq},\"message\":\"x\"}}"),
        }
    }

    #[test]
    fn what_was_put_aside_is_known_after_a_crash_and_a_torn_line_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("put-aside.ndjson");
        let aside = PutAside::new(path.clone());
        assert!(aside.seqs(1, 0).is_empty());
        for seq in [3, 5, 8] {
            aside
                .write(&stored(seq), 1, "no", "why", Micros(0))
                .unwrap();
        }
        aside.write(&stored(6), 2, "no", "why", Micros(0)).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend_from_slice(br#"{"put_aside_at":"1970-01-01T00:00:00.000Z","code"#);
        fs::write(&path, torn).unwrap();
        let again = PutAside::new(path.clone());
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert_eq!(again.seqs(1, 3), BTreeSet::from([5, 8]));
        assert_eq!(again.seqs(2, 0), BTreeSet::from([6]));
    }
}
