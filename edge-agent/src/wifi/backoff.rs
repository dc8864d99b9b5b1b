//! How long to wait before the next try. Retries never end; the PRD's 3 tries and 60 s are the
//! first steps of it.

use std::time::Duration;

/// The first wait, and what every further one doubles from.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait: a link that is back is used within a minute.
const LONGEST: Duration = Duration::from_secs(60);
/// The shortest wait that a server may ask for: something on the way that always asks for none
/// must not keep the radio busy.
const ASKED_SHORTEST: Duration = Duration::from_secs(3);
/// The longest wait that a server may ask for.
pub(super) const ASKED_LONGEST: Duration = Duration::from_secs(15 * 60);

/// Counts failures in a row.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// After a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: doubled each time, and between half and all of that, so
    /// that a fleet does not come back all at once. `asked` is the server's own `Retry-After`: it
    /// is there and knows better than any doubling, and is asked again soon after that time.
    pub fn next(&mut self, asked: Option<Duration>, random: u8) -> Duration {
        if let Some(asked) = asked {
            let asked = asked.clamp(ASKED_SHORTEST, ASKED_LONGEST);
            return asked + (asked / 2) * u32::from(random) / 255;
        }
        let doubled = FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        doubled / 2 + (doubled / 2) * u32::from(random) / 255
    }
}

/// A random byte for [`Backoff::next`]; not a secret, so without a source it is simply 0.
pub fn random_byte() -> u8 {
    let mut byte = [0];
    match getrandom::fill(&mut byte) {
        Ok(()) => byte[0],
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_minute_and_a_success_begins_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..9).map(|_| backoff.next(None, 255).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        backoff.reset();
        assert_eq!(
            backoff.next(None, 0),
            Duration::from_millis(500),
            "half at least"
        );
    }

    #[test]
    fn a_server_that_says_when_is_asked_again_then_however_long_it_failed() {
        let mut backoff = Backoff::default();
        (0..9).for_each(|_| _ = backoff.next(None, 255));
        let asked = Some(Duration::from_secs(5));
        assert_eq!(backoff.next(asked, 0), Duration::from_secs(5));
        assert_eq!(backoff.next(asked, 255), Duration::from_millis(7_500));
        assert_eq!(backoff.next(Some(Duration::ZERO), 0), ASKED_SHORTEST);
    }

    #[test]
    fn the_server_may_ask_for_more_but_not_for_ever() {
        let mut backoff = Backoff::default();
        assert_eq!(
            backoff.next(Some(Duration::from_secs(120)), 0),
            Duration::from_secs(120)
        );
        assert_eq!(
            backoff.next(Some(Duration::from_secs(9_999_999)), 0),
            ASKED_LONGEST
        );
    }
}
