//! Who else has the port open, as far as we may see. Looking takes nothing and locks nothing: an
//! application that opens the port with a lock must not find one of ours.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// What was seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// A process that has it open, or holds a lock on it.
    pub holder: Option<Holder>,
    /// Every process could be looked at: without a holder there is none.
    pub is_complete: bool,
}

/// A process.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

/// Looks for processes other than ours that have this port open.
///
/// # Errors
/// The port is not there, or /proc is not.
pub fn look(port: &Path) -> io::Result<Sight> {
    let device = fs::metadata(port)?;
    if !device.file_type().is_char_device() {
        return Err(io::Error::from_raw_os_error(libc::ENOTTY));
    }
    if let Some(pid) = locker(&device) {
        return Ok(Sight {
            holder: Some(Holder::of(pid)),
            is_complete: true,
        });
    }
    let mut sight = Sight {
        holder: None,
        is_complete: true,
    };
    for entry in fs::read_dir("/proc")?.flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid.filter(|pid| *pid != std::process::id()) else {
            continue;
        };
        match has_open(pid, device.rdev()) {
            Ok(true) => {
                sight.holder = Some(Holder::of(pid));
                return Ok(sight);
            }
            Ok(false) => {}
            // One that has ended meanwhile has nothing open.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => sight.is_complete = false,
        }
    }
    Ok(sight)
}

fn has_open(pid: u32, device: u64) -> io::Result<bool> {
    for link in fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        // Only links into /dev are followed: a descriptor on a dead network drive would hang us.
        let in_dev = fs::read_link(link.path()).is_ok_and(|target| target.starts_with("/dev"));
        let is_it = in_dev
            && fs::metadata(link.path())
                .is_ok_and(|about| about.file_type().is_char_device() && about.rdev() == device);
        if is_it {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The process that holds a flock on it, as pyserial's `exclusive=True` does; everybody may see that.
fn locker(device: &fs::Metadata) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        if words.next() != Some("FLOCK") {
            return None;
        }
        let pid: u32 = words.nth(2)?.parse().ok()?;
        let mut place = words.next()?.split(':');
        let major = u32::from_str_radix(place.next()?, 16).ok()?;
        let minor = u32::from_str_radix(place.next()?, 16).ok()?;
        let inode: u64 = place.next()?.parse().ok()?;
        let is_it = inode == device.ino()
            && libc::makedev(major, minor) == device.dev()
            && pid != std::process::id();
        is_it.then_some(pid)
    })
}

impl Holder {
    fn of(pid: u32) -> Holder {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let name = match name.trim() {
            "" => "a program".to_owned(),
            name => name.to_owned(),
        };
        Holder { pid, name }
    }
}
