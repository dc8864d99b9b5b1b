//! How much one request carries: more while answers come fast, less when the link is slow. Pure.

use std::time::Duration;

/// The most bytes of one request before compression: a week's backlog goes in a few hundred of
/// them, and one takes a few MB of memory while it is under way.
const MAX_BYTES: usize = 512 * 1024;
/// The fewest. A request has a minute; even without any compression this, the handshake and the
/// answer are through a link of 2 kB/s in a quarter of it.
const MIN_BYTES: usize = 8 * 1024;
/// What it begins with: at 2 kB/s it arrives in time even if nothing of it can be compressed.
const FIRST_BYTES: usize = 64 * 1024;
/// The most entries of one request; the server takes 10,000.
pub(super) const MAX_ENTRIES: usize = 2_000;
/// An answer within this time says that twice as much would do.
const FAST: Duration = Duration::from_secs(2);
/// An answer after this time says that the link is slow: half of it stays far from the deadline.
const SLOW: Duration = Duration::from_secs(15);
/// After something has refused a size, it is tried again when so many requests went well.
const FORGET_AFTER: u32 = 100;

/// The size of the next request.
#[derive(Debug, Clone)]
pub struct Pace {
    bytes: usize,
    ceiling: usize,
    went_well: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            bytes: FIRST_BYTES,
            ceiling: MAX_BYTES,
            went_well: 0,
        }
    }
}

impl Pace {
    /// Bytes of the next request, before compression. One entry goes whatever its size.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A request with so many bytes was answered after this time.
    pub fn answered(&mut self, sent: usize, took: Duration) {
        self.went_well = self.went_well.saturating_add(1);
        if self.went_well >= FORGET_AFTER {
            self.ceiling = MAX_BYTES;
        }
        if took > SLOW {
            self.to(sent.min(self.bytes) / 2);
        } else if took < FAST && sent >= self.bytes / 2 {
            // A small request that was fast says nothing about a larger one.
            self.to(self.bytes * 2);
        }
    }

    /// A request with so many bytes got stuck on the way.
    pub fn stuck(&mut self, sent: usize) {
        self.to(sent.min(self.bytes) / 2);
    }

    /// A request with so many bytes was refused for its size.
    pub fn too_large(&mut self, sent: usize) {
        self.went_well = 0;
        self.ceiling = (sent / 2).clamp(MIN_BYTES, MAX_BYTES);
        self.to(self.bytes.min(self.ceiling));
    }

    fn to(&mut self, bytes: usize) {
        self.bytes = bytes.clamp(MIN_BYTES, self.ceiling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends full requests over a link of so many bytes a second; answers the longest time one took
    /// and the size that it came to rest at.
    fn over(bytes_s: f64, start: Pace) -> (Duration, usize) {
        let mut pace = start;
        let mut longest = Duration::ZERO;
        for _ in 0..30 {
            let took = Duration::from_secs_f64(0.05 + pace.bytes() as f64 / bytes_s);
            longest = longest.max(took);
            pace.answered(pace.bytes(), took);
        }
        (longest, pace.bytes())
    }

    #[test]
    fn a_good_link_is_used_in_full_within_three_requests() {
        let mut pace = Pace::default();
        for _ in 0..3 {
            pace.answered(pace.bytes(), Duration::from_millis(80));
        }
        assert_eq!(pace.bytes(), MAX_BYTES);
        pace.answered(pace.bytes(), Duration::from_millis(80));
        assert_eq!(pace.bytes(), MAX_BYTES);
    }

    #[test]
    fn over_two_kilobytes_a_second_every_request_is_through_in_its_minute() {
        // Nothing can be compressed: the worst there is.
        let (longest, size) = over(2_000.0, Pace::default());
        assert!(longest < Duration::from_secs(60), "{longest:?}");
        assert!((MIN_BYTES..FIRST_BYTES).contains(&size), "{size}");
    }

    #[test]
    fn a_link_that_turns_slow_is_found_out_in_a_few_stuck_requests() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            pace.answered(pace.bytes(), Duration::from_millis(80));
        }
        let mut stuck = 0;
        while pace.bytes() as f64 / 2_000.0 > 60.0 {
            pace.stuck(pace.bytes());
            stuck += 1;
        }
        assert!(stuck <= 3, "{stuck}");
        let (longest, _) = over(2_000.0, pace);
        assert!(longest < Duration::from_secs(60), "{longest:?}");
    }

    #[test]
    fn a_refused_size_is_not_tried_again_soon_but_some_day() {
        let mut pace = Pace::default();
        let fast = Duration::from_millis(80);
        for _ in 0..3 {
            pace.answered(pace.bytes(), fast);
        }
        pace.too_large(MAX_BYTES);
        for _ in 0..50 {
            pace.answered(pace.bytes(), fast);
            assert!(pace.bytes() <= MAX_BYTES / 2);
        }
        for _ in 0..60 {
            pace.answered(pace.bytes(), fast);
        }
        assert_eq!(pace.bytes(), MAX_BYTES);
        for _ in 0..20 {
            pace.too_large(pace.bytes());
        }
        assert_eq!(pace.bytes(), MIN_BYTES, "never nothing");
    }

    #[test]
    fn small_requests_that_are_fast_say_nothing_about_large_ones() {
        let mut pace = Pace::default();
        for _ in 0..50 {
            pace.answered(300, Duration::from_millis(80));
        }
        assert_eq!(pace.bytes(), FIRST_BYTES);
    }
}
