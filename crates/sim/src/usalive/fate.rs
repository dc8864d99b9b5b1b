//! What becomes of an upload: lost, sent once or twice, soon or late, by one way or by all. Chance
//! comes from a seed and the upload's place in the order, so that a run can be repeated.

use std::time::Duration;

use crate::rng::Rng;

/// Keeps the chances of neighbouring seeds apart.
const SEED_STEP: u64 = 1_000_003;

/// How badly uploads are forwarded.
#[derive(Debug, Clone, Copy)]
pub struct Fates {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// The share that is never forwarded, 0.0 to 1.0.
    pub loss: f64,
    /// The share that is forwarded twice by the same way.
    pub double: f64,
    /// Every file waits so long.
    pub delay: Duration,
    /// And up to so much longer, by chance: later uploads overtake earlier ones.
    pub shuffle: Duration,
    /// Each goes by one of the ways, by chance, instead of by all.
    pub spread: bool,
}

/// One delivery of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    /// Which of the ways.
    pub way: usize,
    /// How long after the upload.
    pub after: Duration,
    /// Whether the same way gets it for the second time.
    pub is_again: bool,
}

impl Fates {
    /// The deliveries of upload `number` (1, 2, 3 …) over so many ways; none when it is lost.
    pub(super) fn of(&self, number: u64, ways: usize) -> Vec<Planned> {
        let mut rng = Rng::new(self.seed.wrapping_mul(SEED_STEP).wrapping_add(number));
        if rng.chance(self.loss) {
            return Vec::new();
        }
        let is_doubled = rng.chance(self.double);
        let ways = match self.spread && ways > 0 {
            true => {
                let way = (rng.next_u64() % ways as u64) as usize;
                way..way + 1
            }
            false => 0..ways,
        };
        let mut planned = Vec::new();
        for way in ways {
            for is_again in [false, true] {
                if is_again && !is_doubled {
                    continue;
                }
                planned.push(Planned {
                    way,
                    after: self.delay + self.shuffle.mul_f64(rng.share()),
                    is_again,
                });
            }
        }
        planned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FATES: Fates = Fates {
        seed: 3,
        loss: 0.3,
        double: 0.1,
        delay: Duration::from_secs(2),
        shuffle: Duration::from_secs(10),
        spread: true,
    };

    #[test]
    fn shares_come_out_as_asked_and_the_same_again() {
        let all: Vec<_> = (1..=10_000).map(|number| FATES.of(number, 4)).collect();
        let lost = all.iter().filter(|fate| fate.is_empty()).count();
        let doubled = all.iter().filter(|fate| fate.len() == 2).count();
        assert!((2_850..3_150).contains(&lost), "{lost} of 10000 lost");
        assert!((600..800).contains(&doubled), "{doubled} of 7000 doubled");
        let again: Vec<_> = (1..=10_000).map(|number| FATES.of(number, 4)).collect();
        assert_eq!(all, again);
    }

    #[test]
    fn later_uploads_overtake_earlier_ones() {
        let first = |number| FATES.of(number, 4).first().map(|planned| planned.after);
        let times: Vec<Duration> = (1..=200).filter_map(first).collect();
        let overtakes = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(overtakes > 40, "{overtakes} of {}", times.len());
        let limits = FATES.delay..FATES.delay + FATES.shuffle;
        assert!(times.iter().all(|time| limits.contains(time)));
    }

    #[test]
    fn every_way_is_used_one_by_one_or_together() {
        let spread: Vec<_> = (1..=100).flat_map(|number| FATES.of(number, 3)).collect();
        assert!((0..3).all(|way| spread.iter().any(|planned| planned.way == way)));
        let together = Fates {
            loss: 0.0,
            double: 0.0,
            spread: false,
            ..FATES
        };
        assert_eq!(together.of(1, 3).len(), 3);
    }
}
