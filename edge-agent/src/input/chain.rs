//! The rotated files beside a log, oldest first: what rename rotation, logrotate and Python's
//! handlers leave. By names and metadata; only what is there plain and compressed is opened.
//!
//! A chain is `app.log.1`, `app.log.2` ... (higher is older), or `app.1.log` where there is none of
//! those, or dated names such as `app.log-20260122`, `app.log.2026-01-22`, `app-20260122.log`, or
//! `app.log.old`, each perhaps compressed. Where the log is a symbolic link, files that are named
//! like its target but for the digits belong too.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::content::{Coding, Content};
use super::identity::{HEAD_BYTES, Place, born_ns, mtime_ns};

/// The most rotated files looked at, the newest ones: ten years of days, or half a megabyte of
/// names. A starved agent may be behind any number of them.
const CHAIN_MAX_FILES: usize = 4096;
/// A directory is listed again until two listings agree: one that is renamed in meanwhile may show
/// a file twice or not at all. So often at most; a rotation is over long before.
const LISTINGS_MAX: usize = 20;
/// A date has so many digits at least; fewer between name and ending may be another program's.
const DATE_MIN_DIGITS: usize = 6;

/// A compressed file may be so much older by its time than what was read of the log it was made of.
const PACKED_SLACK_NS: i64 = 3_600 * 1_000_000_000;

/// A file of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// Where it is.
    pub path: PathBuf,
    /// How its text is held.
    pub coding: Coding,
    /// Device and inode number.
    pub dev_ino: (u64, u64),
    /// Its size on the disk in bytes.
    pub len: u64,
    /// When it was written last, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When it was made, where the file system says so, nanoseconds since 1970.
    pub born_ns: Option<i64>,
    /// The number that rotation gave it; dated ones and `.old` have none.
    pub number: Option<u32>,
}

/// The rotated files beside a log.
#[derive(Debug, Default)]
pub struct Chain {
    /// Oldest first.
    pub files: Vec<Sibling>,
    /// Whether there are older ones than these.
    pub is_cut: bool,
}

impl Sibling {
    /// The file at `path` itself.
    ///
    /// # Errors
    /// As `stat`.
    pub fn at(path: &Path) -> io::Result<Sibling> {
        let meta = fs::metadata(path)?;
        Ok(Sibling::of(path.to_owned(), Coding::Plain, None, &meta))
    }

    fn of(path: PathBuf, coding: Coding, number: Option<u32>, meta: &fs::Metadata) -> Sibling {
        Sibling {
            path,
            coding,
            dev_ino: (meta.dev(), meta.ino()),
            len: meta.len(),
            mtime_ns: mtime_ns(meta),
            born_ns: born_ns(meta),
            number,
        }
    }

    /// Whether it was written after the file of `place` was read there. File times come in steps
    /// of some milliseconds: another file may have the same; what is compressed and has the same
    /// is a copy.
    pub fn is_newer_than(&self, place: &Place) -> bool {
        self.mtime_ns > place.mtime_ns
            || self.is_in_second_of(place)
            || (self.mtime_ns == place.mtime_ns && self.coding == Coding::Plain)
    }

    /// Whether the two have one name but for the compression.
    pub fn is_named_like(&self, other: &Sibling) -> bool {
        let plain = |file: &Sibling| {
            let name = file.path.file_name().and_then(|name| name.to_str());
            name.map(|name| Coding::of(name).1.to_owned())
        };
        plain(self) == plain(other)
    }

    /// Whether it has the inode of `place`.
    pub fn is_of(&self, place: &Place) -> bool {
        place.is_in(self.dev_ino.1, self.born_ns)
    }

    /// Whether it was not written before that. What is compressed may be somewhat older: logrotate
    /// gives it the time that the log had before it was renamed, and it was written on after that.
    pub fn is_as_new_as(&self, place: &Place) -> bool {
        let slack_ns = if self.coding == Coding::Plain {
            0
        } else {
            PACKED_SLACK_NS
        };
        self.mtime_ns.saturating_add(slack_ns) >= place.mtime_ns || self.is_in_second_of(place)
    }

    /// Whether rotation names the two in one way, so that their order is known by their names.
    pub fn is_kind_of(&self, other: &Sibling) -> bool {
        self.number.is_some() == other.number.is_some()
    }

    /// Some tools keep only the seconds of a file's time when they copy it.
    fn is_in_second_of(&self, place: &Place) -> bool {
        const SECOND_NS: i64 = 1_000_000_000;
        self.mtime_ns % SECOND_NS == 0 && self.mtime_ns / SECOND_NS == place.mtime_ns / SECOND_NS
    }
}

/// The rotated files beside `path`, without `path` itself.
///
/// # Errors
/// The directory changes all the time; try again later.
pub fn chain(path: &Path) -> io::Result<Chain> {
    let mut before = listing(path);
    for _ in 0..LISTINGS_MAX {
        let now = listing(path);
        let names = |chain: &Chain| -> Vec<_> {
            let files = chain.files.iter();
            files
                .map(|file| (file.path.clone(), file.dev_ino))
                .collect()
        };
        if names(&now) == names(&before) {
            return Ok(now);
        }
        before = now;
    }
    // Read as "renamed while it was looked at" above.
    Err(io::ErrorKind::NotFound.into())
}

fn listing(path: &Path) -> Chain {
    // A symbolic link's target is rotated where it lies.
    let is_link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(base) = path.file_name().and_then(|name| name.to_str()) else {
        return Chain::default();
    };
    // A directory that is gone or may not be listed has no chain that we could follow.
    let Ok(listing) = fs::read_dir(directory(&path)) else {
        return Chain::default();
    };
    let (mut files, mut inside) = (Vec::new(), Vec::new());
    for file in listing.flatten() {
        let name = file.file_name();
        let Some(name) = name.to_str().filter(|name| *name != base) else {
            continue;
        };
        let (coding, plain) = Coding::of(name);
        let Some(Rotated { number, is_inside }) = rotated(plain, base, is_link) else {
            continue;
        };
        // Rotation may remove it this very moment.
        let Ok(meta) = file.metadata() else { continue };
        if meta.is_file() {
            // Numbered ones by their number, the highest being the oldest; others by their time.
            // Of a file and its compressed form the plain one: the other may be half written.
            let order = (Reverse(number), mtime_ns(&meta), plain.to_owned());
            let sibling = Sibling::of(file.path(), coding, number, &meta);
            match is_inside {
                true => inside.push((order, sibling)),
                false => files.push((order, sibling)),
            }
        }
    }
    // Beside `app.log.1`, `app.1.log` is another program's log.
    if files.iter().all(|(_, file)| file.number.is_none()) {
        files.append(&mut inside);
    }
    files.sort_by(|(a, left), (b, right)| (a, &left.path).cmp(&(b, &right.path)));
    // Before anything is opened.
    let surplus = files.len().saturating_sub(CHAIN_MAX_FILES);
    files.drain(..surplus);
    without_twins(&mut files);
    Chain {
        files: files.into_iter().map(|(_, file)| file).collect(),
        is_cut: surplus > 0,
    }
}

type Order = (Reverse<Option<u32>>, i64, String);

/// Of a file that is there plain and compressed, which it is while it is being compressed, only
/// the plain one is kept.
fn without_twins(files: &mut Vec<(Order, Sibling)>) {
    let is_plain = |file: &Sibling| file.coding == Coding::Plain;
    let plain: BTreeMap<String, Sibling> = files
        .iter()
        .filter(|(_, file)| is_plain(file))
        .map(|((_, _, name), file)| (name.clone(), file.clone()))
        .collect();
    files.retain(|((_, _, name), file)| {
        let twin = plain.get(name);
        is_plain(file) || twin.is_none_or(|twin| !is_copy(file, twin))
    });
}

/// Whether what is compressed begins like the plain one. It does not where a plain one was left
/// behind when compression was turned on. What cannot be read yet is being written.
fn is_copy(packed: &Sibling, plain: &Sibling) -> bool {
    let head = |file: &Sibling| Content::open(&file.path)?.range(0, HEAD_BYTES);
    match (head(packed), head(plain)) {
        (Ok(packed), Ok(plain)) => plain.starts_with(&packed),
        _ => true,
    }
}

/// The directory of a file.
pub fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// What the name of a rotated file says.
struct Rotated {
    number: Option<u32>,
    /// Whether the number stands before the ending, as in `app.1.log`.
    is_inside: bool,
}

/// What `name` says if it is that of a file rotated from `base`.
fn rotated(name: &str, base: &str, is_link: bool) -> Option<Rotated> {
    let unnumbered = Rotated {
        number: None,
        is_inside: false,
    };
    let is_stamp = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b'T' | b':');
    if let Some(suffix) = name.strip_prefix(base) {
        let suffix = suffix.strip_prefix(['.', '-', '_'])?;
        if suffix == "old" {
            return Some(unnumbered);
        }
        // Not `app.log.1.bak`.
        let is_rotated =
            suffix.starts_with(|c: char| c.is_ascii_digit()) && suffix.bytes().all(is_stamp);
        let number = number(suffix);
        return is_rotated.then_some(Rotated {
            number,
            is_inside: false,
        });
    }
    if is_link && shape(name) == shape(base) && name != base {
        return Some(unnumbered);
    }
    let (stem, ending) = base.rsplit_once('.')?;
    let middle = name.strip_prefix(stem)?.strip_suffix(ending)?;
    let middle = middle.strip_suffix('.')?;
    if let Some(number) = middle.strip_prefix('.').and_then(number) {
        return Some(Rotated {
            number: Some(number),
            is_inside: true,
        });
    }
    let middle = middle.strip_prefix(['.', '-', '_'])?;
    let digits = middle.bytes().filter(u8::is_ascii_digit).count();
    let is_date = digits >= DATE_MIN_DIGITS && middle.bytes().all(is_stamp);
    is_date.then_some(unnumbered)
}

/// A rotation's number, not a date.
fn number(digits: &str) -> Option<u32> {
    let is_number = digits.len() < 5 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// A name with one `0` for each run of digits.
fn shape(name: &str) -> String {
    let mut shape = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            other => shape.push(other),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path, log: &str) -> Vec<String> {
        let files = chain(&dir.join(log)).unwrap();
        let name = |file: Sibling| file.path.file_name().unwrap().to_str().unwrap().to_owned();
        files.files.into_iter().map(name).collect()
    }

    #[test]
    fn the_chain_is_oldest_first_with_compressed_files_but_not_twice() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "a.log",
            "a.log.1",
            "a.log.2",
            "a.log.10.xz",
            "a.log.3.gz",
            "a.log.bak",
            "a.log.1.bak",
            "a-2.log",
            "a.2.log",
            "other.log.1",
        ] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        // Half written beside the file it is made of.
        fs::write(dir.path().join("a.log.2.gz"), b"\x1f\x8b\x08").unwrap();
        assert_eq!(
            names(dir.path(), "a.log"),
            ["a.log.10.xz", "a.log.3.gz", "a.log.2", "a.log.1"]
        );
    }

    #[test]
    fn dated_files_come_by_their_time_and_those_of_a_link_by_their_shape() {
        let dir = tempfile::tempdir().unwrap();
        for (age, name) in [
            (4, "app-20260119.log.gz"),
            (3, "app-20260120.log"),
            (2, "app.log-20260121"),
            (1, "app.log.2026-01-22"),
            (0, "app.log"),
            (2, "day-3.txt"),
            (1, "day-14.txt"),
            (0, "night-1.txt"),
        ] {
            let file = fs::File::create(dir.path().join(name)).unwrap();
            let written = std::time::SystemTime::now() - std::time::Duration::from_secs(60 * age);
            file.set_modified(written).unwrap();
        }
        assert_eq!(
            names(dir.path(), "app.log"),
            [
                "app-20260119.log.gz",
                "app-20260120.log",
                "app.log-20260121",
                "app.log.2026-01-22"
            ]
        );
        std::os::unix::fs::symlink("day-14.txt", dir.path().join("current")).unwrap();
        assert_eq!(names(dir.path(), "current"), ["day-3.txt"]);
    }

    #[test]
    fn a_number_before_the_ending_is_one_where_none_stands_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "a.log",
            "a.1.log",
            "a.10.log.gz",
            "a.2.log",
            "a.x.log",
            "b.1.log",
        ] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        let inside = ["a.10.log.gz", "a.2.log", "a.1.log"];
        assert_eq!(names(dir.path(), "a.log"), inside);
        fs::write(dir.path().join("a.log.1"), "rotated").unwrap();
        assert_eq!(names(dir.path(), "a.log"), ["a.log.1"]);
    }
}
