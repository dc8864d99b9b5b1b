//! Finds the file that a position belongs to after renames, copies and compression, and the file
//! that comes after one. Decides only; nothing is remembered here.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::chain::{Chain, Sibling, chain, directory};
use super::content::{Coding, Content};
use super::identity::{HEAD_BYTES, Place, mtime_ns};

/// So many names of a directory are looked at for a file that was given an unusual one.
const LISTED_MAX: usize = 4096;

/// Where to go on reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Its device and inode number when it was found: rotation may put another file there before
    /// it is opened.
    pub dev_ino: (u64, u64),
    /// Its size on the disk in bytes.
    pub len: u64,
    /// How its text is held.
    pub coding: Coding,
    /// Whether it has the log's own name.
    pub is_current: bool,
    /// How far its text was read.
    pub offset: u64,
    /// How it was found.
    pub how: How,
    /// The names of files before it that cannot be read.
    pub unreadable: Vec<String>,
}

/// How the file to go on with was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Nothing is known of this input yet.
    Fresh,
    /// The file of the position, under its own name or a rotated one.
    Same,
    /// A copy of it; the file itself was truncated.
    Copied,
    /// The file comes after one that was read to its end.
    Next,
    /// The file was truncated or written anew; what it was is nowhere.
    Truncated,
    /// The file of the position is gone; the oldest that came after it.
    Gone,
    /// As `Next`, but rotation has deleted the one that was read, and perhaps others behind it.
    Pruned,
}

/// Where to go on after `place`, for the log at `path`. `None`: no such file, wait for it.
///
/// # Errors
/// The directory or a file cannot be read; `NotFound`: files are renamed this very moment.
pub fn locate(path: &Path, place: Option<&Place>) -> io::Result<Option<Found>> {
    let current = current(path)?;
    let Some(place) = place else {
        return Ok(current.map(|file| found(file, true, How::Fresh)));
    };
    let siblings = chain(path)?.files;
    let has_inode = |file: &Sibling| file.is_of(place);
    let is_reused = current.as_ref().is_some_and(has_inode);
    if let Some(file) = holder(current.as_ref(), &siblings, place)? {
        let is_current = current.as_ref() == Some(&file);
        // Where files do not tell when they were made: a number is also reused after compression,
        // but not before the next rotation.
        let is_certain = place.born_ns.is_some() && file.born_ns.is_some();
        let is_copy = is_reused
            && !has_inode(&file)
            && (is_certain || file.coding == Coding::Plain || siblings.last() == Some(&file));
        let how = if is_copy { How::Copied } else { How::Same };
        let mut found = found(file, is_current, how);
        found.offset = place.offset;
        return Ok(Some(found));
    }
    if let Some(file) = elsewhere(path, place)? {
        let mut found = found(file, false, How::Same);
        found.offset = place.offset;
        return Ok(Some(found));
    }
    let how = if is_reused { How::Truncated } else { How::Gone };
    Ok(first_of(&newer(&siblings, place), current, how))
}

/// The file that comes after the one that `place` is the end of and that is open as `left`; `None`
/// when there is none.
///
/// # Errors
/// As [`locate`].
pub fn successor(path: &Path, place: &Place, left: &Content) -> io::Result<Option<Found>> {
    // Before the chain: should it be renamed meanwhile, it is found there.
    let current = current(path)?;
    let chain = chain(path)?;
    let siblings = &chain.files;
    // While it is open its number is not given to another file.
    let is_ours = |file: &Sibling| file.dev_ino == (place.dev, place.ino);
    let mut ours = siblings.iter().position(is_ours);
    if ours.is_none() {
        // It may have been compressed while it was open.
        for (index, file) in siblings.iter().enumerate().rev() {
            if may_be_copy(file, place) && holds(file, place)? {
                ours = Some(index);
                break;
            }
        }
    }
    let (rest, how) = match ours {
        Some(index) => {
            let rest = behind(siblings, index, place);
            // Left behind when compression was turned on: the files behind it went on without it.
            let is_left = rest
                .first()
                .is_some_and(|next| next.is_named_like(&siblings[index]));
            (rest, if is_left { How::Pruned } else { How::Next })
        }
        None => {
            let rest = newer(siblings, place);
            // Asked for after the listing: what was deleted meanwhile stands in it.
            let is_next = is_behind_deleted(&chain, &rest, deleted_ns(left)?);
            (rest, if is_next { How::Next } else { How::Pruned })
        }
    };
    let current = current.filter(|file| !is_ours(file));
    Ok(first_of(&rest, current, how))
}

/// When an open file was deleted, nanoseconds since 1970; `None`: it was not, or was written to
/// since, which hides it.
fn deleted_ns(left: &Content) -> io::Result<Option<i64>> {
    let meta = left.metadata()?;
    let changed_ns = (meta.ctime().saturating_mul(1_000_000_000)).saturating_add(meta.ctime_nsec());
    Ok((meta.nlink() == 0 && changed_ns > mtime_ns(&meta)).then_some(changed_ns))
}

/// Whether nothing can have been deleted between a file that is not in the chain any more and the
/// `rest` of the chain behind it. Rotation makes a new log each time it deletes the oldest file:
/// if the newest rotated file is older than that deletion, there was only this one.
fn is_behind_deleted(chain: &Chain, rest: &[&Sibling], deleted_ns: Option<i64>) -> bool {
    let Some(newest) = rest.last() else {
        // Not rotated but deleted, or renamed in a way of its own.
        return !chain.is_cut;
    };
    let is_before = newest
        .born_ns
        .zip(deleted_ns)
        .is_some_and(|(born, deleted)| born < deleted);
    let is_older = |file: &Sibling| file.is_kind_of(newest) && !rest.contains(&file);
    is_before && !chain.files.iter().any(is_older) && !chain.is_cut
}

/// The first that can be read and holds anything, else the log itself.
fn first_of(rest: &[&Sibling], current: Option<Sibling>, how: How) -> Option<Found> {
    let mut unreadable = Vec::new();
    let mut next = None;
    for file in rest {
        if file.coding == Coding::Other {
            unreadable.push(name_of(&file.path));
        } else if file.len > 0 {
            next = Some(found((*file).clone(), false, how));
            break;
        }
    }
    let mut next = next.or_else(|| current.map(|file| found(file, true, how)))?;
    next.unreadable = unreadable;
    Some(next)
}

fn found(file: Sibling, is_current: bool, how: How) -> Found {
    Found {
        path: file.path,
        dev_ino: file.dev_ino,
        len: file.len,
        coding: file.coding,
        is_current,
        offset: 0,
        how,
        unreadable: Vec::new(),
    }
}

/// The log under its own name; `None` when there is none now.
fn current(path: &Path) -> io::Result<Option<Sibling>> {
    match Sibling::at(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Those that were written after `place` was read, and those behind the first of them.
fn newer<'a>(siblings: &'a [Sibling], place: &Place) -> Vec<&'a Sibling> {
    let Some(first) = siblings.iter().position(|file| file.is_newer_than(place)) else {
        return Vec::new();
    };
    let mut newer = vec![&siblings[first]];
    newer.extend(behind(siblings, first, place));
    newer
}

/// Those behind the one at `index`, where `place` is or was read before. The order of names says
/// nothing of what rotation does not touch any more: a stale `app.log.old` beside numbered files,
/// dated ones of before, `.1.gz` beside the `.1` of today. Those count only if their time does.
fn behind<'a>(siblings: &'a [Sibling], index: usize, place: &Place) -> Vec<&'a Sibling> {
    let rest = siblings[index + 1..].iter();
    rest.filter(|file| {
        let has_namesake =
            || (siblings.iter()).any(|other| other != *file && other.is_named_like(file));
        file.is_newer_than(place) || (file.is_kind_of(&siblings[index]) && !has_namesake())
    })
    .collect()
}

/// The file that holds what was before `place`.
fn holder(
    current: Option<&Sibling>,
    siblings: &[Sibling],
    place: &Place,
) -> io::Result<Option<Sibling>> {
    let newest_first = || current.into_iter().chain(siblings.iter().rev());
    // The same inode first: two files may begin alike and one may be a copy of the other. Device
    // numbers change when a disk is plugged in elsewhere, and at restarts.
    for file in newest_first() {
        if file.dev_ino.0 == place.dev && file.is_of(place) && holds(file, place)? {
            return Ok(Some(file.clone()));
        }
    }
    for file in newest_first() {
        if file.is_of(place) && holds(file, place)? {
            return Ok(Some(file.clone()));
        }
    }
    for file in newest_first() {
        let may_be = if Some(file) == current {
            // A short start ("3 products loaded") is the same in many files.
            place.offset >= HEAD_BYTES as u64
        } else {
            may_be_copy(file, place)
        };
        if may_be && holds(file, place)? {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

/// Whether its bytes may say that it is a copy: an older one may begin alike.
fn may_be_copy(file: &Sibling, place: &Place) -> bool {
    place.offset >= HEAD_BYTES as u64 || (place.offset > 0 && file.is_as_new_as(place))
}

fn holds(file: &Sibling, place: &Place) -> io::Result<bool> {
    let opened = match Content::open(&file.path) {
        Ok(opened) => Ok(opened),
        // The very file, but not to be read now: taking it for another would repeat it all.
        Err(error) if file.dev_ino == (place.dev, place.ino) => Err(error),
        // One that is gone or not ours to read is simply not the one that was read before.
        Err(_) => return Ok(false),
    };
    let mut content = opened?;
    let meta = content.metadata()?;
    if (meta.dev(), meta.ino()) != file.dev_ino {
        // Renamed since it was listed.
        return Err(io::ErrorKind::NotFound.into());
    }
    match place.content_matches(&mut content) {
        // Damaged, or not written to its end yet.
        Err(_) if !content.is_plain() => Ok(false),
        matches => matches,
    }
}

/// The file of `place` under a name that rotation does not give, in the directories of the log:
/// `last_tx_log.old`, or what a symbolic link pointed to before.
fn elsewhere(path: &Path, place: &Place) -> io::Result<Option<Sibling>> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut dirs = vec![directory(path), directory(&target)];
    dirs.dedup();
    for dir in dirs {
        let Ok(listing) = fs::read_dir(dir) else {
            continue;
        };
        for file in listing.flatten().take(LISTED_MAX) {
            let is_file = file.file_type().is_ok_and(|kind| kind.is_file());
            // What cannot be looked at is not the one.
            let Ok(found) = Sibling::at(&file.path()) else {
                continue;
            };
            if is_file && found.is_of(place) && holds(&found, place)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
