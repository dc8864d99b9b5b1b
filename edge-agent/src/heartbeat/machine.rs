//! What Linux says of the machine. Whatever it does not say is left out.

use std::ffi::CString;
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Seconds since boot.
pub(super) fn uptime_s() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    text.split('.').next()?.trim().parse().ok()
}

/// Memory that programs could still take.
pub(super) fn memory_available_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The first thermal zone; on a Raspberry Pi that is the processor.
pub(super) fn cpu_temperature_c() -> Option<f64> {
    let text = fs::read_to_string("/sys/class/thermal/thermal_zone0/temp").ok()?;
    let millidegrees: f64 = text.trim().parse().ok()?;
    Some(millidegrees / 1000.0)
}

/// Free bytes, for ordinary users, on the disk that holds `path`.
pub fn disk_free_bytes(path: &Path) -> Option<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends in NUL, and `stat` is written before it is read.
    let stat = unsafe {
        if libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    // The fields are narrower on a 32-bit Pi.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    (stat.f_bavail as u64).checked_mul(stat.f_frsize as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_uptime_memory_and_free_disk() {
        assert!(uptime_s().is_some_and(|uptime| uptime > 0));
        assert!(memory_available_bytes().is_some_and(|bytes| bytes > 1024 * 1024));
        assert!(disk_free_bytes(Path::new("/")).is_some());
        assert!(disk_free_bytes(Path::new("/no/such/place")).is_none());
    }
}
