//! The memory of the mixing codec: how often a bit was a one in each context, and how far each
//! context is to be trusted. Whole numbers only: both ends of a drop must guess exactly alike.

use super::logistic::{LIMIT, STRETCH, UNIT, squash};

/// The most contexts of one bit.
pub(super) const CONTEXTS_MAX: usize = 7;
/// The table of counters: 2^17 of 4 bytes, small enough to have two of on a Raspberry Pi.
const SLOT_BITS: u32 = 17;
/// The weights of one set: for each context and how often it was met, and one for a constant.
const SET_WEIGHTS: usize = CONTEXTS_MAX * TRUSTS + 1;
/// Steps of "how often was this context met".
const TRUSTS: usize = 6;
/// The sets chosen by how far the first three contexts are known.
const KNOWN_SETS: usize = TRUSTS * TRUSTS * TRUSTS;
/// A weight of one.
const WEIGHT_ONE: i32 = 1 << 16;
/// How often a counter has been met at most: beyond it, older bits fade.
const COUNT_MAX: u32 = 250;

/// Counters and weights.
#[derive(Clone)]
pub(crate) struct Model {
    /// Check (8 bits), count (8 bits), probability of a one (16 bits).
    slots: Vec<u32>,
    weights: Vec<i32>,
    /// How often a set of weights was corrected.
    practice: Vec<u16>,
    guess: Guess,
}

/// What the last guess was made of.
#[derive(Clone, Copy)]
struct Guess {
    slots: [usize; CONTEXTS_MAX],
    /// What went in, and the weight within a set that it met.
    inputs: [(i32, usize); CONTEXTS_MAX + 1],
    contexts: usize,
    sets: [usize; 2],
    one: u32,
}

impl Model {
    /// A model that knows nothing, with so many sets of weights to choose from.
    pub(super) fn new(sets: usize) -> Model {
        let sets_all = sets + KNOWN_SETS;
        let mut weights = vec![WEIGHT_ONE * 3 / 10; sets * SET_WEIGHTS];
        weights.resize(sets_all * SET_WEIGHTS, 0);
        Model {
            slots: vec![1 << 15; 1 << SLOT_BITS],
            weights,
            practice: vec![0; sets_all],
            guess: Guess {
                slots: [0; CONTEXTS_MAX],
                inputs: [(0, 0); CONTEXTS_MAX + 1],
                contexts: 0,
                sets: [0; 2],
                one: 1 << 15,
            },
        }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.slots.len() * 4 + self.weights.len() * 4 + self.practice.len() * 2
    }

    /// How likely the next bit is a one, in 1/65536, in these contexts; [`Model::learn`] must
    /// follow.
    pub(super) fn guess(&mut self, contexts: &[u32], node: u32, set: usize) -> u32 {
        let guess = &mut self.guess;
        guess.contexts = contexts.len();
        let mut known = 0;
        for (i, context) in contexts.iter().enumerate() {
            let at = find(&mut self.slots, hash(*context, node));
            guess.slots[i] = at;
            let slot = self.slots[at];
            let count = slot >> 16 & 0xff;
            let trust = trust(count);
            let stretched = if count == 0 {
                0
            } else {
                i32::from(STRETCH[(slot & 0xffff) as usize >> 4])
            };
            guess.inputs[i] = (stretched, i * TRUSTS + trust);
            if i < 3 {
                known = known * TRUSTS + trust;
            }
        }
        guess.inputs[contexts.len()] = (UNIT, SET_WEIGHTS - 1);
        let sets = self.practice.len() - KNOWN_SETS;
        guess.sets = [set, sets + known];
        let mut sum = 0i64;
        for (input, place) in &guess.inputs[..=contexts.len()] {
            let weight = self.weights[guess.sets[0] * SET_WEIGHTS + place]
                + self.weights[guess.sets[1] * SET_WEIGHTS + place];
            sum += i64::from(*input) * i64::from(weight);
        }
        let stretched = (sum >> 16).clamp(-i64::from(LIMIT), i64::from(LIMIT)) as i32;
        guess.one = squash(stretched);
        guess.one
    }

    /// What the bit was that was guessed last.
    pub(super) fn learn(&mut self, bit: bool) {
        let guess = &self.guess;
        let target = if bit { 65_535 } else { 0 };
        let error = i64::from(target) - i64::from(guess.one);
        for set in guess.sets {
            let practice = &mut self.practice[set];
            let shift = match *practice {
                0..32 => 14,
                32..256 => 15,
                256..2_048 => 16,
                _ => 17,
            };
            *practice = practice.saturating_add(1);
            for (input, place) in &guess.inputs[..=guess.contexts] {
                let change = (error * i64::from(*input) + (1 << (shift - 1))) >> shift;
                let weight = &mut self.weights[set * SET_WEIGHTS + place];
                *weight = (*weight + change as i32).clamp(-8 * WEIGHT_ONE, 8 * WEIGHT_ONE);
            }
        }
        for at in &guess.slots[..guess.contexts] {
            let slot = &mut self.slots[*at];
            let (count, one) = (*slot >> 16 & 0xff, (*slot & 0xffff) as i32);
            // After n bits, the next one counts 1 / (n + 1.5).
            let one = one + (target - one) * 2 / (2 * count as i32 + 3);
            *slot = *slot & 0xff00_0000 | (count + 1).min(COUNT_MAX) << 16 | one as u32;
        }
    }
}

fn trust(count: u32) -> usize {
    match count {
        0 => 0,
        1 => 1,
        2..4 => 2,
        4..10 => 3,
        10..40 => 4,
        _ => 5,
    }
}

fn hash(context: u32, node: u32) -> u32 {
    let mut hash = (context ^ node.wrapping_mul(0x9E37_79B1)).wrapping_mul(0x85EB_CA6B);
    hash ^= hash >> 15;
    hash.wrapping_mul(0xC2B2_AE35)
}

/// The place of the counter with this hash: found, or made in the place of the lesser of two.
fn find(slots: &mut [u32], hash: u32) -> usize {
    let first = (hash >> (32 - SLOT_BITS)) as usize;
    let second = first ^ 1;
    let check = hash & 0xff;
    for at in [first, second] {
        if slots[at] >> 24 == check && slots[at] >> 16 & 0xff > 0 {
            return at;
        }
    }
    let count = |at: usize| slots[at] >> 16 & 0xff;
    let at = if count(second) < count(first) {
        second
    } else {
        first
    };
    slots[at] = check << 24 | 1 << 15;
    at
}
