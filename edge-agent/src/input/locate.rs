//! Finds the file that a position belongs to after renames, and the files that came after it.
//!
//! A chain is what rename rotation leaves beside `app.log`: `app.log.1`, `app.log.2` ...
//! (higher is older), or dated names such as `app.log-20260122` and `app.log.2026-01-22`. Compressed
//! files are not read: configure `delaycompress`, so that the newest rotated file stays plain.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::identity::{HEAD_BYTES, Place, mtime_ns};

/// Rotated files that cannot be read as text.
const COMPRESSED: [&str; 6] = ["gz", "xz", "zst", "bz2", "lz4", "zip"];
/// The most rotated files looked at; rotation rarely keeps more than a month of days.
const CHAIN_MAX_FILES: usize = 100;

/// Where to go on reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// How far it was read.
    pub offset: u64,
    /// How it was found.
    pub how: How,
}

/// How the file to go on with was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Nothing is known of this input yet.
    Fresh,
    /// The file of the position, under its own name or a rotated one.
    Same,
    /// The file was truncated: it starts again.
    Truncated,
    /// The file of the position is gone; the oldest that came after it.
    Gone,
}

/// Where to go on after `place`, for the log at `path`. `None`: no such file, wait for it.
///
/// # Errors
/// The directory or a file cannot be read.
pub fn locate(path: &Path, place: Option<&Place>) -> io::Result<Option<Found>> {
    let Some(place) = place else {
        return Ok(at_start(path, How::Fresh));
    };
    let mut files = chain(path);
    files.push(path.to_owned());
    files.reverse();
    // The same inode first: two files may begin alike and one may be a copy of the other.
    for by_inode in [true, false] {
        for file in &files {
            if belongs(file, place, by_inode)? {
                let found = Found {
                    path: file.clone(),
                    offset: place.offset,
                    how: How::Same,
                };
                return Ok(Some(found));
            }
        }
    }
    if fs::metadata(path).is_ok_and(|meta| place.is_inode_of(&meta)) {
        return Ok(at_start(path, How::Truncated));
    }
    let newer = chain(path)
        .into_iter()
        .find(|file| fs::metadata(file).is_ok_and(|meta| mtime_ns(&meta) > place.mtime_ns));
    Ok(at_start(newer.as_deref().unwrap_or(path), How::Gone))
}

/// The file that comes after the rotated one with this inode, which was last written at
/// `written_ns`; the log itself when there is none between.
pub fn successor(path: &Path, dev_ino: (u64, u64), written_ns: i64) -> PathBuf {
    use std::os::unix::fs::MetadataExt;
    let files = chain(path);
    let meta = |file: &PathBuf| fs::metadata(file).ok();
    let ours = files
        .iter()
        .position(|file| meta(file).is_some_and(|meta| (meta.dev(), meta.ino()) == dev_ino));
    let next = match ours {
        Some(at) => files.get(at + 1),
        None => files
            .iter()
            .find(|file| meta(file).is_some_and(|m| mtime_ns(&m) > written_ns)),
    };
    next.cloned().unwrap_or_else(|| path.to_owned())
}

/// The rotated files beside `path`, oldest first, without `path` itself.
pub fn chain(path: &Path) -> Vec<PathBuf> {
    // A symbolic link's target is rotated where it lies.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(base) = path.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // A directory that is gone or may not be listed has no chain that we could follow.
    let Ok(listing) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for file in listing.flatten() {
        let name = file.file_name();
        let Some(suffix) = name.to_str().and_then(|name| rotated_suffix(name, base)) else {
            continue;
        };
        // Rotation may remove it this very moment.
        let Ok(meta) = file.metadata() else { continue };
        if meta.is_file() {
            let number: Option<u32> = suffix.parse().ok().filter(|_| suffix.len() < 5);
            // Numbered ones by their number, the highest being the oldest; others by their time.
            let order = (Reverse(number), mtime_ns(&meta), file.path());
            files.push(order);
        }
    }
    files.sort();
    let surplus = files.len().saturating_sub(CHAIN_MAX_FILES);
    files
        .into_iter()
        .skip(surplus)
        .map(|(_, _, path)| path)
        .collect()
}

fn rotated_suffix<'a>(name: &'a str, base: &str) -> Option<&'a str> {
    let suffix = name.strip_prefix(base)?.strip_prefix(['.', '-'])?;
    let looks_rotated = suffix.starts_with(|c: char| c.is_ascii_digit());
    let plain = !COMPRESSED.iter().any(|ending| suffix.ends_with(ending));
    (looks_rotated && plain).then_some(suffix)
}

fn belongs(path: &Path, place: &Place, by_inode: bool) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        // The very file, but not to be read now: taking it for another would repeat it all.
        Err(error) if fs::metadata(path).is_ok_and(|meta| place.is_inode_of(&meta)) => {
            return Err(error);
        }
        // One that is gone or not ours to read is simply not the one that was read before.
        Err(_) => return Ok(false),
    };
    let may_be = if by_inode {
        place.is_inode_of(&file.metadata()?)
    } else {
        // A short start ("3 products loaded") is the same in many files.
        place.offset >= HEAD_BYTES as u64
    };
    Ok(may_be && place.content_matches(&file)?)
}

fn at_start(path: &Path, how: How) -> Option<Found> {
    path.exists().then(|| Found {
        path: path.to_owned(),
        offset: 0,
        how,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_oldest_first_and_without_compressed_files() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "a.log",
            "a.log.1",
            "a.log.2",
            "a.log.10",
            "a.log.3.gz",
            "a.log.bak",
            "other.log.1",
        ];
        for name in names {
            fs::write(dir.path().join(name), name).unwrap();
        }
        let found = chain(&dir.path().join("a.log"));
        let found: Vec<_> = found
            .iter()
            .map(|p| p.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(found, ["a.log.10", "a.log.2", "a.log.1"]);
    }
}
