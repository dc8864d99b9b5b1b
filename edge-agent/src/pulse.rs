//! Whether a thread makes progress: it says when it begins a piece of work and when it rests.
//! What follows from a piece of work that does not end is decided in `service`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The thread waits for something to do, which may take for ever.
const RESTS: u64 = 0;

/// One thread's sign of progress. A thread that waits needs no wake-up for it.
#[derive(Debug)]
pub struct Pulse {
    origin: Instant,
    /// Milliseconds from `origin` to the beginning of the present work, plus one; or [`RESTS`].
    began: AtomicU64,
}

impl Pulse {
    /// A thread that rests.
    pub fn new(origin: Instant) -> Pulse {
        Pulse {
            origin,
            began: AtomicU64::new(RESTS),
        }
    }

    /// A piece of work begins. Called again without a rest between, it is the next piece.
    pub fn begin(&self, now: Instant) {
        let since = now.saturating_duration_since(self.origin).as_millis();
        let began = u64::try_from(since).unwrap_or(u64::MAX - 1) + 1;
        self.began.store(began, Ordering::Relaxed);
    }

    /// The work is done; the thread waits.
    pub fn rest(&self) {
        self.began.store(RESTS, Ordering::Relaxed);
    }

    /// How long the present piece of work has taken; `None` while the thread rests.
    pub fn busy_for(&self, now: Instant) -> Option<Duration> {
        match self.began.load(Ordering::Relaxed) {
            RESTS => None,
            began => {
                let began = self.origin + Duration::from_millis(began - 1);
                Some(now.saturating_duration_since(began))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_that_has_begun_and_not_ended_takes_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let pulse = Pulse::new(start);
        assert_eq!(pulse.busy_for(at(10_000)), None);
        pulse.begin(at(0));
        assert_eq!(pulse.busy_for(at(700)), Some(Duration::from_millis(700)));
        pulse.begin(at(800));
        assert_eq!(pulse.busy_for(at(900)), Some(Duration::from_millis(100)));
        pulse.rest();
        assert_eq!(pulse.busy_for(at(1000)), None);
    }
}
