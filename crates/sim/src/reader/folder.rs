//! The folder of finished uploads: each is there whole or not at all.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use eport::simulator::Uploaded;

/// The folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(path: PathBuf) -> Result<Folder> {
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Folder(path))
    }

    /// Writes an upload under its own name; a name that is no plain one becomes plain.
    pub(super) fn write(&self, upload: &Uploaded) -> Result<()> {
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '_',
        };
        let name: String = upload.name.chars().map(plain).collect();
        let name = format!("{}{name}", if name.starts_with('.') { "_" } else { "" });
        let path = self.0.join(&name);
        let half = self.0.join(format!(".{name}.part"));
        fs::write(&half, &upload.data)
            .and_then(|()| fs::rename(&half, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
