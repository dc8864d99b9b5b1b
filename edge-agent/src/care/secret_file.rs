//! A small file with a secret, replaced whole: written aside with mode 0600, synced, renamed, the
//! directory synced. Not for state files, which have generations (see `durable`).

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::durable;

/// Only its owner may read a key.
const PRIVATE_MODE: u32 = 0o600;

/// A new text for a file, durable beside it and not in its place yet. Dropped, it is removed.
#[derive(Debug)]
pub struct Aside {
    path: PathBuf,
    aside: PathBuf,
    file: File,
    is_placed: bool,
}

impl Aside {
    /// Opens the file beside `path`, which tells whether the directory can be written. The owner is
    /// that of the file that is there, unless it cannot be given.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn open(path: &Path) -> io::Result<Aside> {
        let aside = durable::sibling(path, "new");
        // One that a crash left goes. It is made anew and never opened through a link: root writes
        // here, and the directory is the agent's own.
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = durable::private()
            .write(true)
            .create_new(true)
            .open(&aside)?;
        // Whatever the umask is.
        file.set_permissions(fs::Permissions::from_mode(PRIVATE_MODE))?;
        if let Ok(old) = fs::metadata(path) {
            // Fails for all but root, and then the owner is this user already or may not be kept.
            let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
        }
        Ok(Aside {
            path: path.to_owned(),
            aside,
            file,
            is_placed: false,
        })
    }

    /// Gives it to another user; `mode` replaces 0600.
    ///
    /// # Errors
    /// The system says no.
    pub fn give(&self, owner: Option<(u32, u32)>, mode: Option<u32>) -> io::Result<()> {
        if let Some((uid, gid)) = owner {
            fchown(&self.file, Some(uid), Some(gid))?;
        }
        match mode {
            Some(mode) => self.file.set_permissions(fs::Permissions::from_mode(mode)),
            None => Ok(()),
        }
    }

    /// Writes the text and makes it durable.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()
    }

    /// Puts it in its place; when this returns, it is there for good.
    ///
    /// # Errors
    /// It cannot be renamed, or the directory not synced.
    pub fn place(mut self) -> io::Result<()> {
        fs::rename(&self.aside, &self.path)?;
        self.is_placed = true;
        durable::sync_dir_of(&self.path)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.is_placed {
            // What stays behind is overwritten the next time.
            let _ = fs::remove_file(&self.aside);
        }
    }
}

/// Replaces the text of `path`.
///
/// # Errors
/// A step failed; the file is the old one then, or the new one.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut aside = Aside::open(path)?;
    aside.write(text)?;
    aside.place()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_private_and_an_abandoned_one_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api_key");
        replace(&path, "first\n").unwrap();
        replace(&path, "second\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mut aside = Aside::open(&path).unwrap();
        aside.write("third\n").unwrap();
        drop(aside);
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_written_through_a_link_that_lies_in_its_way() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "another's\n").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
        let path = dir.path().join("api_key");
        std::os::unix::fs::symlink(&victim, dir.path().join("api_key.new")).unwrap();
        replace(&path, "key\n").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "another's\n");
        assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o777, 0o644);
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(fs::read_to_string(&path).unwrap(), "key\n");
    }
}
