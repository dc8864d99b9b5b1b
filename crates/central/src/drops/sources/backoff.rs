//! When a source is asked again: by its interval, later after a failure. The times after failures
//! are the fetcher's, which knows why it failed; here they are spread, so that several sources of
//! one server do not come back at the same moment.

use std::time::Duration;

use drops::SourceError;

/// A pause after a failure is longer by up to this share of itself.
const SPREAD: f64 = 0.2;
/// After a poll that left something behind: at once, but let others have their turn.
const SOON: Duration = Duration::from_secs(1);

/// How long to leave a source alone after a poll that worked.
pub fn after_success(interval: Duration, has_more: bool) -> Duration {
    if has_more { SOON } else { interval }
}

/// How long to leave a source alone after its `failures`-th failure in a row. `dice` is 0 to 1.
pub fn after_failure(
    error: &SourceError,
    failures: u32,
    interval: Duration,
    dice: f64,
) -> Duration {
    let pause = error.pause(failures, interval);
    pause + pause.mul_f64(SPREAD * dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_is_tried_only_rarely_so_that_no_account_is_locked() {
        let minute = Duration::from_secs(60);
        let refused = SourceError::Refused("no".into());
        let mut day = Duration::ZERO;
        let mut tries = 0;
        while day < Duration::from_secs(24 * 3600) {
            tries += 1;
            day += after_failure(&refused, tries, minute, 0.5);
        }
        println!("{tries} tries with a wrong password in a day");
        assert!(tries <= 10, "{tries}");
    }

    #[test]
    fn the_spread_only_ever_makes_a_pause_longer() {
        let gone = SourceError::Unreachable("no route".into());
        let minute = Duration::from_secs(60);
        assert_eq!(after_failure(&gone, 1, minute, 0.0), minute);
        assert_eq!(after_failure(&gone, 1, minute, 1.0), minute.mul_f64(1.2));
        assert!(after_success(minute, true) < after_success(minute, false));
    }
}
