//! A moment that is kept over restarts: by the clock since boot while the machine runs, by the wall
//! clock after that.

use serde::{Deserialize, Serialize};
use wire::Micros;

/// Before it no agent of this kind existed: a clock that says so was never set. 2026-01-01.
const NO_CLOCK_BEFORE: Micros = Micros(1_767_225_600_000_000);

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Tells this boot from others.
    pub boot: u64,
    /// Microseconds since that boot.
    pub since_boot_us: i64,
    /// The time, as well as it was known.
    pub at: Micros,
    /// Whether the clock was set, or its right time is known otherwise.
    pub is_known: bool,
}

impl Moment {
    /// Microseconds from `earlier` to this moment; `None` when nobody can know.
    pub fn since_us(&self, earlier: &Moment) -> Option<i64> {
        if self.boot == earlier.boot {
            return Some(
                self.since_boot_us
                    .saturating_sub(earlier.since_boot_us)
                    .max(0),
            );
        }
        let are_set = [self, earlier]
            .iter()
            .all(|moment| moment.is_known || moment.at >= NO_CLOCK_BEFORE);
        let between_us = self.at.since_us(earlier.at);
        (are_set && between_us >= 0).then_some(between_us)
    }

    /// Whether its time can be trusted as a date.
    pub fn is_dated(&self) -> bool {
        self.is_known && self.at >= NO_CLOCK_BEFORE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot: u64, since_boot_us: i64, at: i64) -> Moment {
        Moment {
            boot,
            since_boot_us,
            at: Micros(at),
            is_known: false,
        }
    }

    #[test]
    fn within_a_boot_its_own_clock_counts_and_over_a_reboot_one_that_was_set() {
        let day = 86_400_000_000;
        let set = NO_CLOCK_BEFORE.0;
        let earlier = moment(1, 50, set);
        assert_eq!(moment(1, 80, set - day).since_us(&earlier), Some(30));
        assert_eq!(moment(2, 10, set + 7).since_us(&earlier), Some(7));
        assert_eq!(moment(2, 10, 7).since_us(&earlier), None, "1970");
        assert_eq!(
            moment(2, 10, set - 1).since_us(&earlier),
            None,
            "it ran backwards"
        );
    }
}
