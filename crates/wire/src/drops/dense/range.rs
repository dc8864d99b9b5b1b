//! Arithmetic coding of single bits: an interval of 64 bits, whole bytes shifted out as soon as
//! both ends agree. Knows nothing of what the bits mean.

/// Probabilities are of a one, in 1/65536; never 0 and never 65536.
pub(super) const ONE: u32 = 1 << 16;

/// Writes bits.
pub(crate) struct Encoder {
    low: u64,
    high: u64,
    out: Vec<u8>,
}

impl Encoder {
    pub(super) fn new() -> Encoder {
        Encoder {
            low: 0,
            high: u64::MAX,
            out: Vec::new(),
        }
    }

    /// One bit that is a one with this probability.
    pub(super) fn put(&mut self, bit: bool, one: u32) {
        let middle = middle(self.low, self.high, one);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 56 == 0 {
            self.out.push((self.high >> 56) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
    }

    /// Whole bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// The bytes. A reader takes what is missing at their end for zeros, so as few as possible.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let mut kept = 0;
        // The shortest run of leading bytes which, followed by zeros, lies within the interval.
        while kept < 8 {
            let mask = u64::MAX.checked_shr(8 * kept).unwrap_or(0);
            let up = self.low.checked_add(mask).map(|value| value & !mask);
            if let Some(value) = up.filter(|value| (self.low..=self.high).contains(value)) {
                self.out.extend(&value.to_be_bytes()[..kept as usize]);
                break;
            }
            kept += 1;
        }
        if kept == 8 {
            self.out.extend(self.low.to_be_bytes());
        }
        while self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }
}

/// Reads what an [`Encoder`] wrote, given the same probabilities.
pub(crate) struct Decoder<'b> {
    low: u64,
    high: u64,
    value: u64,
    rest: &'b [u8],
    missing: usize,
}

impl<'b> Decoder<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Decoder<'b> {
        let mut decoder = Decoder {
            low: 0,
            high: u64::MAX,
            value: 0,
            rest: bytes,
            missing: 0,
        };
        for _ in 0..8 {
            decoder.shift();
        }
        decoder
    }

    pub(super) fn take(&mut self, one: u32) -> bool {
        let middle = middle(self.low, self.high, one);
        let bit = self.value <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 56 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.shift();
        }
        bit
    }

    /// Whether far more was read than was there, which no writer's bytes allow.
    pub(super) fn is_past_end(&self) -> bool {
        self.missing > 8
    }

    /// Whether every byte was needed.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn shift(&mut self) {
        let next = match self.rest.split_first() {
            Some((byte, rest)) => {
                self.rest = rest;
                *byte
            }
            None => {
                self.missing += 1;
                0
            }
        };
        self.value = self.value << 8 | u64::from(next);
    }
}

fn middle(low: u64, high: u64, one: u32) -> u64 {
    let span = high - low;
    low + ((u128::from(span) * u128::from(one)) >> 16) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_every_likelihood_come_back() {
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u32
        };
        for count in [0usize, 1, 2, 9, 5_000] {
            let bits: Vec<(bool, u32)> = (0..count)
                .map(|_| {
                    let one = next() % (ONE - 1) + 1;
                    (next() % ONE < one, one)
                })
                .collect();
            let mut encoder = Encoder::new();
            for (bit, one) in &bits {
                encoder.put(*bit, *one);
            }
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            for (bit, one) in &bits {
                assert_eq!(decoder.take(*one), *bit);
            }
            assert!(!decoder.is_past_end());
        }
    }
}
