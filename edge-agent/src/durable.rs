//! Small state files that survive a power cut: written aside, synced, renamed, the directory
//! synced; two generations, each with a CRC, so that an unreadable one falls back to the other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Saves `value` at `path`, keeping the generation before it at `path.prev`. When this returns,
/// the value survives a power cut.
///
/// # Errors
/// Any step failed; the file then holds the old value, or only its previous generation.
pub fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let json = serde_json::to_string(value).map_err(io::Error::other)?;
    let aside = sibling(path, "new");
    let mut file = private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&aside)?;
    writeln!(file, "{:08x}\n{json}", crc32fast::hash(json.as_bytes()))?;
    file.sync_all()?;
    match fs::rename(path, sibling(path, "prev")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&aside, path)?;
    sync_dir_of(path)
}

/// The newest generation at `path` that is whole; `None` when there is none, whatever the reason:
/// a state file that cannot be read must never keep the agent from starting.
pub fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    // A crash between the two renames leaves the newest under its aside name.
    [path.to_owned(), sibling(path, "new"), sibling(path, "prev")]
        .iter()
        .find_map(|path| read_one(path))
}

/// What there is at a path, for who must know whether the newest generation was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded<T> {
    /// The newest generation.
    Newest(T),
    /// The newest is there and cannot be read; this is the one before.
    Older(T),
    /// Something is there, and nothing of it can be read.
    Damaged,
    /// Nothing is there.
    Absent,
}

/// As [`load`], telling a generation that was lost from one that was never there.
pub fn load_checked<T: DeserializeOwned>(path: &Path) -> Loaded<T> {
    if let Some(value) = read_one(path) {
        return Loaded::Newest(value);
    }
    let is_missing = !path.exists();
    let (aside, before) = (sibling(path, "new"), sibling(path, "prev"));
    match (is_missing, read_one(&aside), read_one(&before)) {
        // A crash between the two renames: what was being written is whole.
        (true, Some(value), _) => Loaded::Newest(value),
        // A crash before it was: nobody has seen what was being written.
        (true, None, Some(value)) => Loaded::Newest(value),
        (false, _, Some(value)) => Loaded::Older(value),
        _ if !is_missing || before.exists() => Loaded::Damaged,
        _ => Loaded::Absent,
    }
}

fn read_one<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = fs::read(path).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let (crc, json) = text.split_once('\n')?;
    let json = json.trim_end_matches('\n');
    let sound = u32::from_str_radix(crc, 16).ok()? == crc32fast::hash(json.as_bytes());
    sound.then(|| serde_json::from_str(json).ok()).flatten()
}

/// Makes the names in the directory of `path` durable; needed after creating or renaming a file.
///
/// # Errors
/// The directory cannot be opened or synced.
pub fn sync_dir_of(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether a write failed for want of room, which may come back: the disk is full, a quota or a
/// limit on the size of files is reached.
pub fn is_no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Options for files that only the agent may read: they hold what a machine logged.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// `path` with `.suffix` after its whole name.
pub fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_generation_falls_back_to_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        save(&path, &1u32).unwrap();
        save(&path, &2u32).unwrap();
        assert_eq!(load::<u32>(&path), Some(2));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x20;
            fs::write(&path, &damaged).unwrap();
            let read = load::<u32>(&path);
            assert!(
                read == Some(1) || read == Some(2),
                "byte {at} flipped read as {read:?}"
            );
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(
            load::<u32>(&path),
            Some(1),
            "a crash between the two renames leaves only this"
        );
    }

    #[test]
    fn nothing_there_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load::<u32>(&dir.path().join("none")), None);
    }
}
