//! When a message is tried again, and until when at all.

use std::time::Duration;

use store::DELIVERY_TRIED_US;
use wire::Micros;
use wire::time::{MINUTE_US, SECOND_US};

/// After the first failure: long enough for a connection to come back.
const FIRST_US: i64 = 5 * SECOND_US;
/// Each pause is so many times the one before.
const FACTOR: i64 = 3;
/// The longest pause: what works again is found within this.
const LONGEST_US: i64 = 20 * MINUTE_US;
/// A pause is longer by up to this share of itself, so that many do not come back at once.
const SPREAD: f64 = 0.3;

/// When a message goes again after its `tries`-th try; `None` when it is given up, 24 hours after it
/// was written. `dice` is 0 to 1.
pub fn next_try(
    written: Micros,
    tries: u32,
    wants: Option<Duration>,
    dice: f64,
    now: Micros,
) -> Option<Micros> {
    let pause = (1..tries.max(1)).fold(FIRST_US, |pause, _| {
        pause.saturating_mul(FACTOR).min(LONGEST_US)
    });
    let spread = (pause as f64 * SPREAD * dice.clamp(0.0, 1.0)) as i64;
    let wanted = wants.and_then(|wait| i64::try_from(wait.as_micros()).ok());
    let at = now.plus_us(pause.max(wanted.unwrap_or(0)).saturating_add(spread));
    (at.since_us(written) <= DELIVERY_TRIED_US).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_for_a_day_soon_at_first_and_rarely_later() {
        let mut now = Micros(1_800_000_000_000_000);
        let written = now;
        let mut pauses = Vec::new();
        let mut tries = 1;
        while let Some(at) = next_try(written, tries, None, 0.5, now) {
            pauses.push(at.since_us(now) / SECOND_US);
            now = at;
            tries += 1;
        }
        assert_eq!(pauses[..4], [5, 17, 51, 155]);
        assert!(pauses.iter().all(|pause| *pause <= 26 * 60), "{pauses:?}");
        assert!((60..100).contains(&tries), "{tries} tries in a day");
        assert!(now.since_us(written) > DELIVERY_TRIED_US - 30 * MINUTE_US);
    }

    #[test]
    fn who_asks_to_be_left_alone_is() {
        let now = Micros(0);
        let wait = |s| Some(Duration::from_secs(s));
        let at = next_try(now, 1, wait(600), 0.0, now).unwrap();
        assert_eq!(at, Micros(600 * SECOND_US));
        assert_eq!(next_try(now, 1, wait(25 * 3600), 0.0, now), None);
        let soon = next_try(now, 1, wait(1), 0.0, now).unwrap();
        assert_eq!(soon, Micros(FIRST_US), "never sooner than we would");
    }
}
