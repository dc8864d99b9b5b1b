//! The machine's clocks. They are read here and nowhere else; everything else is told the time.
//!
//! The wall clock of a machine without a battery is wrong until a time source sets it; the clock
//! since boot is always right. Their difference, kept beside an entry, repairs its time later.

mod repairs;
mod source;
mod timeline;
pub mod timer;
mod watch;

use jiff::Timestamp;
use wire::Micros;

pub use repairs::{Kept, Repairs};
pub use source::Source;
pub use timeline::{Basis, Timeline, Wall};
pub use watch::{ServerTime, Watch};

/// The time now.
pub fn now() -> Micros {
    Micros::from_timestamp(Timestamp::now())
}

/// Microseconds since boot, suspended time included; no one can set this clock.
pub fn since_boot_us() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is written, and CLOCK_BOOTTIME is there since Linux 2.6.39, so it cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut now) };
    // The fields are narrower on a 32-bit Pi.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    (now.tv_sec as i64 * 1_000_000 + now.tv_nsec as i64 / 1_000)
}

/// Tells this boot from others: a hash of the kernel's random id of it.
pub fn boot() -> u64 {
    let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // FNV-1a: the id is random already, and the number must be the same in every version.
    id.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
