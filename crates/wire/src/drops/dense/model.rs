//! The memory of the mixing codec: how often a bit was a one in each context, and how far each
//! context is to be trusted. Whole numbers only: both ends of a drop must guess exactly alike.
//!
//! A guess is a weighted sum of what each context says, in the stretched domain. A weight belongs
//! to a context, to how often the context was met, and to two sets: one of what is being told, one
//! of how far the first contexts are known; so those come first that tell most. Contexts share one
//! table, in which the least known of a few gives way: most contexts are met once and never again,
//! and must not push out what the dictionary taught.

use super::logistic::{LIMIT, STRETCH, UNIT, squash};

/// The most contexts of one bit.
pub(super) const CONTEXTS_MAX: usize = 8;
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
const COUNT_MAX: u32 = 63;
/// Slots that a counter may be in: what was met once gives way, what was met often stays.
const WAYS: usize = 4;

/// Counters and weights.
#[derive(Clone)]
pub(crate) struct Model {
    /// Check (10 bits), count (6 bits), probability of a one (16 bits).
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
            let met = count(slot);
            let trust = trust(met);
            let stretched = if met == 0 {
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
                0..32 => 13,
                32..256 => 14,
                256..2_048 => 15,
                _ => 16,
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
            let (met, one) = (count(*slot), (*slot & 0xffff) as i32);
            // After n bits, the next one counts 1 / (n + 1.5).
            let one = one + (target - one) * 2 / (2 * met as i32 + 3);
            *slot = *slot & 0xffc0_0000 | (met + 1).min(COUNT_MAX) << 16 | one as u32;
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

/// How often the counter of a slot was met.
fn count(slot: u32) -> u32 {
    slot >> 16 & COUNT_MAX
}

/// The place of the counter with this hash: found, or made in the place of the least of a few.
fn find(slots: &mut [u32], hash: u32) -> usize {
    let first = (hash >> (32 - SLOT_BITS)) as usize & !(WAYS - 1);
    let check = hash & 0x3ff;
    let mut least = first;
    for at in first..first + WAYS {
        if slots[at] >> 22 == check && count(slots[at]) > 0 {
            return at;
        }
        if count(slots[at]) < count(slots[least]) {
            least = at;
        }
    }
    slots[least] = check << 22 | 1 << 15;
    least
}
