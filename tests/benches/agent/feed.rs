//! The application's log at 1,000 entries an hour: the recorded one, line for line, with its own
//! moments (two or three lines at once, then nothing), slowed down to that rate.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

/// The rate that the targets are about.
pub const ENTRIES_AN_HOUR: u64 = 1_000;

/// Lines that are written at one moment.
pub type Moment = Vec<String>;

/// The recorded log in moments, after its start.
pub fn recorded() -> Result<Vec<Moment>> {
    let text = std::fs::read_to_string(tests::fixture::path("vending_app.log"))?;
    let mut moments: Vec<Moment> = Vec::new();
    let mut stamp = "";
    for line in text.lines().skip(1) {
        let is_stamped = line.starts_with("20") && line.len() > 19;
        // A line without a stamp belongs to what came before it.
        if is_stamped && &line[..19] != stamp {
            stamp = &line[..19];
            moments.push(Vec::new());
        }
        let last = moments
            .last_mut()
            .context("the recording begins with a stamp")?;
        last.push(format!("{line}\n"));
    }
    Ok(moments)
}

/// The time that these lines take at the rate.
pub fn pace(lines: usize) -> Duration {
    Duration::from_secs(3_600) * lines as u32 / ENTRIES_AN_HOUR as u32
}

/// A log that one of the peers follows.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// An empty one.
    pub fn create(path: &Path) -> Result<Log> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Log {
            path: path.to_owned(),
            file,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a moment.
    pub fn write(&mut self, moment: &Moment) -> Result<()> {
        Ok(self.file.write_all(moment.concat().as_bytes())?)
    }
}
