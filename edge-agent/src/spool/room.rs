//! How large the spool may become: its own bounds, and what must stay free for others on its disk.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::SEGMENT_BYTES;
use super::gather::GATHER_MAX_BYTES;

/// The bounds as they are configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most bytes of the spool.
    pub max_bytes: u64,
    /// The most percent of the disk that holds it.
    pub max_disk_share: u8,
    /// What must stay free on that disk; `None`: [`RESERVE_BYTES`], but never more than
    /// 1/[`RESERVE_PART`] of the disk.
    pub min_free_bytes: Option<u64>,
}

impl Bounds {
    /// Bounded by its bytes alone.
    pub fn of_bytes(max_bytes: u64) -> Bounds {
        Bounds {
            max_bytes,
            max_disk_share: 100,
            min_free_bytes: Some(0),
        }
    }
}

/// The vending application must always find room for its own files: a day of its log, a database
/// that is written anew, a package being installed.
pub const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
/// On a small partition that would be all there is.
pub const RESERVE_PART: u64 = 20;

/// The bounds on the disk as it is.
#[derive(Debug)]
pub struct Room {
    dir: PathBuf,
    limit_bytes: u64,
    min_free_bytes: u64,
}

impl Room {
    /// Looks at the disk that holds `dir`. One that does not say how large it is bounds nothing.
    pub fn new(dir: &Path, bounds: Bounds) -> Room {
        let disk_bytes = Disk::of(dir).ok().map(|disk| disk.total_bytes);
        let share = disk_bytes.map(|total| total / 100 * u64::from(bounds.max_disk_share));
        let reserve = disk_bytes.map_or(0, |total| RESERVE_BYTES.min(total / RESERVE_PART));
        Room {
            dir: dir.to_owned(),
            // Below a few segments nothing could be removed while something is written.
            limit_bytes: bounds
                .max_bytes
                .min(share.unwrap_or(u64::MAX).max(2 * SEGMENT_BYTES)),
            min_free_bytes: bounds.min_free_bytes.unwrap_or(reserve),
        }
    }

    /// The most bytes of the spool.
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Whether a spool of so many bytes is full: what may be gathered meanwhile still has room.
    pub fn is_full(&self, bytes: u64) -> bool {
        bytes + GATHER_MAX_BYTES as u64 >= self.limit_bytes
    }

    /// Whether so many bytes may be written, with what must stay free on the disk.
    ///
    /// # Errors
    /// There is no room, as the system would say it.
    pub fn ask(&self, bytes: u64) -> io::Result<()> {
        if self.min_free_bytes == 0 {
            return Ok(());
        }
        let needed = self.min_free_bytes.saturating_add(bytes);
        match Disk::of(&self.dir) {
            Ok(disk) if disk.free_bytes < needed => Err(io::ErrorKind::StorageFull.into()),
            // A disk that does not say is asked by writing to it.
            _ => Ok(()),
        }
    }
}

struct Disk {
    total_bytes: u64,
    free_bytes: u64,
}

impl Disk {
    fn of(dir: &Path) -> io::Result<Disk> {
        let path = CString::new(dir.as_os_str().as_bytes())?;
        // SAFETY: the path ends in NUL, all zeros is a valid `statvfs`, and the call only fills it.
        let (answer, stat) = unsafe {
            let mut stat: libc::statvfs = std::mem::zeroed();
            (libc::statvfs(path.as_ptr(), &mut stat), stat)
        };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        // Both are 32 bits wide on a 32-bit Pi.
        #[allow(clippy::unnecessary_cast)]
        let (unit, total, free) = (
            stat.f_frsize as u64,
            stat.f_blocks as u64,
            stat.f_bavail as u64,
        );
        Ok(Disk {
            total_bytes: total * unit,
            free_bytes: free * unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable;

    #[test]
    fn the_smallest_bound_counts_and_what_must_stay_free_is_never_taken() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::of(dir.path()).unwrap();
        let given = |max_bytes, max_disk_share, min_free_bytes| {
            let bounds = Bounds {
                max_bytes,
                max_disk_share,
                min_free_bytes,
            };
            Room::new(dir.path(), bounds)
        };
        assert_eq!(given(5_000_000, 100, None).limit_bytes(), 5_000_000);
        let share = disk.total_bytes / 100;
        assert_eq!(
            given(u64::MAX, 1, None).limit_bytes(),
            share.max(2 * SEGMENT_BYTES)
        );
        assert!(given(5_000_000, 100, None).is_full(4_800_000));
        assert!(!given(5_000_000, 100, None).is_full(4_000_000));
        assert!(given(1, 100, Some(0)).ask(1000).is_ok());
        let refused = given(1, 100, Some(disk.total_bytes)).ask(1000).unwrap_err();
        assert!(durable::is_no_room(&refused));
    }
}
