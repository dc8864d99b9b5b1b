//! Chance from a seed: the same numbers on every machine and with every version of every library.

/// A SplitMix64 generator; small, quick, and good enough to choose what a customer does next.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator that always gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "a range must not be empty: {low} to {high}");
        let span = high.abs_diff(low).saturating_add(1);
        low + (self.next_u64() % span) as i64
    }

    /// True with this probability (0.0 to 1.0).
    pub fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A number from 0.0 to below 1.0.
    pub fn share(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// So many decimal digits; the first is never 0.
    pub fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|place| self.between(i64::from(place == 0), 9))
            .map(|digit| char::from(b'0' + digit as u8))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_numbers() {
        let mut rng = Rng::new(7);
        let first: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        let mut again = Rng::new(7);
        assert_eq!(first, (0..3).map(|_| again.next_u64()).collect::<Vec<_>>());
        assert_ne!(
            first,
            (0..3).map(|_| Rng::new(8).next_u64()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut rng = Rng::new(1);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&rng.between(3, 5)));
        }
        assert!(!rng.chance(0.0) && rng.chance(1.0));
        assert_eq!(rng.digits(10).len(), 10);
    }
}
