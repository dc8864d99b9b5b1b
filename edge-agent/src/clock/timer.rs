//! Waiting on the clock since boot. The runtime's own timers stand still while a machine is
//! suspended: an hour's sleep would make everything that waits an hour late.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits so long, suspended time included.
pub async fn sleep(wait: Duration) {
    let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2);
    sleep_until_us(super::since_boot_us().saturating_add(wait_us)).await;
}

/// Waits until this moment, in microseconds since boot.
pub async fn sleep_until_us(until_us: i64) {
    let left_us = until_us.saturating_sub(super::since_boot_us());
    let Some(left) = u64::try_from(left_us).ok().filter(|left| *left > 0) else {
        return;
    };
    let waited = match timer(left) {
        Ok(timer) => timer.readable().await.map(drop),
        Err(error) => Err(error),
    };
    if waited.is_err() {
        // Out of file descriptors: late after a suspend is better than not waiting at all.
        tokio::time::sleep(Duration::from_micros(left)).await;
    }
}

/// A timer of the kernel's that becomes readable after so many microseconds.
fn timer(left_us: u64) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: it takes no memory, and answers a new descriptor or -1.
    let fd: RawFd = unsafe {
        libc::timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: all zeros is a valid `itimerspec`.
    let mut spec: libc::itimerspec = unsafe { std::mem::zeroed() };
    // The fields are narrower on a 32-bit Pi.
    #[allow(clippy::unnecessary_cast)]
    {
        spec.it_value.tv_sec = (left_us / 1_000_000) as libc::time_t;
        spec.it_value.tv_nsec = (left_us % 1_000_000 * 1_000) as _;
    }
    let no_old = std::ptr::null_mut();
    // SAFETY: `spec` lives through the call, and the old value is not wanted.
    let answer = unsafe { libc::timerfd_settime(fd.as_raw_fd(), 0, &spec, no_old) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    readable(fd)
}

/// A descriptor whose becoming readable can be waited for.
pub(crate) fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` owns its descriptor, and is the same one for as long as it lives.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    Ok(registered?)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn it_waits_as_long_as_it_is_told_on_the_clock_that_suspend_does_not_stop() {
        let timer = timer(3_600_000_000).unwrap();
        let info = format!("/proc/self/fdinfo/{}", timer.get_ref().as_raw_fd());
        let info = std::fs::read_to_string(info).unwrap();
        let boottime = format!("clockid: {}", libc::CLOCK_BOOTTIME);
        assert!(info.lines().any(|line| line == boottime), "{info}");

        let start = Instant::now();
        sleep(Duration::from_millis(150)).await;
        let took = start.elapsed();
        assert!(
            (Duration::from_millis(149)..Duration::from_secs(5)).contains(&took),
            "{took:?}"
        );
        sleep_until_us(0).await;
    }
}
