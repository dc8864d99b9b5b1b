//! When a machine is yellow or red, and since when silence may be judged at all.

use std::sync::atomic::{AtomicI64, Ordering};

use wire::Micros;
use wire::time::{HOUR_US, MINUTE_US};

/// The limits of the verdict; the defaults are the design's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLimits {
    /// Silence on WiFi beyond this is yellow: two heartbeats missed.
    pub wifi_yellow_us: i64,
    /// Silence on WiFi beyond this is red.
    pub wifi_red_us: i64,
    /// Silence on cellular beyond this is yellow: one hourly drop missed, and 30 minutes.
    pub cell_yellow_us: i64,
    /// Silence on cellular beyond this is red: two hourly drops missed, and an hour.
    pub cell_red_us: i64,
    /// So many ERROR and CRITICAL entries in the last hour are red.
    pub errors_red: u64,
    /// So many WARN entries in the last hour are yellow.
    pub warnings_yellow: u64,
    /// After our own start silence on WiFi is not judged for this long: agents that waited for us
    /// need their interval and their backoff to come back.
    pub grace_us: i64,
}

impl Default for StatusLimits {
    fn default() -> StatusLimits {
        StatusLimits {
            wifi_yellow_us: 10 * MINUTE_US,
            wifi_red_us: 30 * MINUTE_US,
            cell_yellow_us: 90 * MINUTE_US,
            cell_red_us: 3 * HOUR_US,
            errors_red: 10,
            warnings_yellow: 5,
            grace_us: 10 * MINUTE_US,
        }
    }
}

/// The limits, and since when this process has been listening without a pause.
#[derive(Debug)]
pub struct Judge {
    /// When a machine is yellow or red.
    pub limits: StatusLimits,
    listening_since: AtomicI64,
}

impl Judge {
    /// A judge that starts to listen now.
    pub fn new(limits: StatusLimits, now: Micros) -> Judge {
        Judge {
            limits,
            listening_since: AtomicI64::new(now.0),
        }
    }

    /// Since when we have been listening: our start, or the end of the computer's last sleep.
    pub fn listening_since(&self) -> Micros {
        Micros(self.listening_since.load(Ordering::Relaxed))
    }

    /// We were asleep until now: nobody could be heard.
    pub fn woke(&self, now: Micros) {
        self.listening_since.store(now.0, Ordering::Relaxed);
    }
}
