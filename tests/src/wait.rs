//! Waiting for something to become true, with a limit and a reason.

use std::time::{Duration, Instant};

/// Pause between two looks.
const STEP: Duration = Duration::from_millis(25);

/// Waits until `look` has a value.
///
/// # Panics
/// It has none within `limit`; the message names what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} in vain: {what}");
        std::thread::sleep(STEP);
    }
}

/// So many seconds.
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
