//! The mixing codec: every number and every letter as a row of yes-or-no questions, each answered
//! at the cost of its surprise. What is likely is learnt from the dictionary and from the drop
//! itself.

use super::coder::{Broken, Coder, FIELDS, Place, TOO_LONG, mix};
use super::model::{CONTEXTS_MAX, Model};
use super::primer;
use super::range::{Decoder, Encoder, ONE};
use super::shapes::SLOT_MESSAGE;

/// The bits of a number after its first that are looked at; those below are taken as they come.
const BITS_MODELLED: u32 = 20;
/// Weights are kept apart for so many bits of a number.
const PLACES: usize = 32;
/// And for each bit of a letter, at a text's beginning and later.
const TEXT_SETS: usize = 16;
/// The byte that ends a text.
const END: u8 = 0;
/// The byte before a byte that would be taken for [`END`] or for this one.
const ESCAPE: u8 = 1;

/// A model that knows no application, only how logs are worded.
pub(crate) fn fresh_model() -> Model {
    let mut model = Model::new(FIELDS * PLACES + TEXT_SETS);
    let mut writer = MixedWriter::new(&mut model);
    let words = primer::WORDS.split_whitespace();
    for text in words.chain(primer::LINES.lines()) {
        let written = writer.text(SLOT_MESSAGE, text, usize::MAX);
        debug_assert!(written.is_ok(), "a writer takes everything");
    }
    model
}

/// Where bits go to or come from.
pub(crate) trait Bits {
    const READS: bool;
    fn bit(&mut self, value: bool, one: u32) -> Result<bool, Broken>;
}

impl Bits for Encoder {
    const READS: bool = false;

    fn bit(&mut self, value: bool, one: u32) -> Result<bool, Broken> {
        self.put(value, one);
        Ok(value)
    }
}

impl Bits for Decoder<'_> {
    const READS: bool = true;

    fn bit(&mut self, _: bool, one: u32) -> Result<bool, Broken> {
        if self.is_past_end() {
            return Err(Broken("the payload ends early"));
        }
        Ok(self.take(one))
    }
}

/// Reads or writes through a model.
pub(crate) struct Mixed<'m, B> {
    model: &'m mut Model,
    bits: B,
}

/// Writes through a model.
pub(crate) type MixedWriter<'m> = Mixed<'m, Encoder>;
/// Reads through a model.
pub(crate) type MixedReader<'m, 'b> = Mixed<'m, Decoder<'b>>;

impl<'m> MixedWriter<'m> {
    pub(crate) fn new(model: &'m mut Model) -> MixedWriter<'m> {
        Mixed {
            model,
            bits: Encoder::new(),
        }
    }

    /// Bytes written so far.
    pub(crate) fn len(&self) -> usize {
        self.bits.len()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bits.finish()
    }
}

impl<'m, 'b> MixedReader<'m, 'b> {
    pub(crate) fn new(model: &'m mut Model, bytes: &'b [u8]) -> MixedReader<'m, 'b> {
        Mixed {
            model,
            bits: Decoder::new(bytes),
        }
    }

    /// Whether every byte was needed.
    pub(crate) fn is_at_end(&self) -> bool {
        self.bits.is_at_end()
    }
}

impl<B: Bits> Mixed<'_, B> {
    fn bit(
        &mut self,
        contexts: &[u32],
        node: u32,
        set: usize,
        value: bool,
    ) -> Result<bool, Broken> {
        let one = self.model.guess(contexts, node, set).clamp(1, ONE - 1);
        let bit = self.bits.bit(value, one)?;
        self.model.learn(bit);
        Ok(bit)
    }

    /// One byte of a text.
    fn byte(&mut self, contexts: &[u32], begins: bool, value: u8) -> Result<u8, Broken> {
        let mut node = 1u32;
        for place in 0..8 {
            let set = FIELDS * PLACES + place + 8 * usize::from(begins);
            let bit = self.bit(contexts, node, set, value >> (7 - place) & 1 == 1)?;
            node = node << 1 | u32::from(bit);
        }
        Ok(node as u8)
    }
}

impl<B: Bits> Coder for Mixed<'_, B> {
    const READS: bool = B::READS;

    fn number(&mut self, place: &Place<'_>, value: u128) -> Result<u128, Broken> {
        let mut contexts = [0; CONTEXTS_MAX];
        let contexts = contexts_of(place, &mut contexts);
        let sets = place.field as usize * PLACES;
        let wanted = super::coder::bit_len(value);
        let mut len = 0;
        while len < u128::BITS {
            let set = sets + (len as usize).min(PLACES / 2 - 1);
            if !self.bit(contexts, len, set, len < wanted)? {
                break;
            }
            len += 1;
        }
        let mut read = u128::from(len > 0);
        for below in (0..len.saturating_sub(1)).rev() {
            let bit = value >> below & 1 == 1;
            let done = len - 2 - below;
            let bit = if done < BITS_MODELLED {
                let node = mix(&[len, read as u32]) | 1 << 31;
                let set = sets + PLACES / 2 + (done as usize).min(PLACES / 2 - 1);
                self.bit(contexts, node, set, bit)?
            } else {
                self.bits.bit(bit, ONE / 2)?
            };
            read = read << 1 | u128::from(bit);
        }
        Ok(read)
    }

    fn cell(&mut self, place: &Place<'_>, below: u64, value: u64) -> Result<u64, Broken> {
        let mut contexts = [0; CONTEXTS_MAX];
        let contexts = contexts_of(place, &mut contexts);
        let sets = place.field as usize * PLACES;
        let bits = u64::BITS - below.saturating_sub(1).leading_zeros();
        let mut read = 0u64;
        for done in 0..bits {
            let left = bits - 1 - done;
            // What is not below needs no question.
            if (read << 1 | 1) << left >= below {
                read <<= 1;
                continue;
            }
            let node = mix(&[bits, 1 << done | read as u32]) | 1 << 31;
            let set = sets + (done as usize).min(PLACES - 1);
            let bit = self.bit(contexts, node, set, value >> left & 1 == 1)?;
            read = read << 1 | u64::from(bit);
        }
        Ok(read)
    }

    fn even(&mut self, below: u64, value: u64) -> Result<u64, Broken> {
        let (mut low, mut count) = (0u64, below.max(1));
        while count > 1 {
            let lower = count / 2;
            let one = (u128::from(count - lower) * u128::from(ONE) / u128::from(count)) as u32;
            let is_upper = self.bits.bit(value >= low + lower, one)?;
            (low, count) = if is_upper {
                (low + lower, count - lower)
            } else {
                (low, lower)
            };
        }
        Ok(low)
    }

    fn odds(&mut self, yes: u64, all: u64, value: bool) -> Result<bool, Broken> {
        let one = u128::from(yes) * u128::from(ONE) / u128::from(all.max(1));
        let one = (one as u32).clamp(1, ONE - 1);
        self.bits.bit(value, one)
    }

    fn text(&mut self, slot: u32, value: &str, most: usize) -> Result<String, Broken> {
        let mut read = Vec::new();
        let mut rest = value.bytes();
        let mut so_far = Letters::new(slot);
        let mut escaped = None;
        loop {
            let next = match escaped.take() {
                Some(byte) => byte + 2,
                None => match rest.next() {
                    None => END,
                    Some(byte @ (END | ESCAPE)) => {
                        escaped = Some(byte);
                        ESCAPE
                    }
                    Some(byte) => byte,
                },
            };
            if Self::READS && read.len() > most {
                return Err(TOO_LONG);
            }
            let contexts = so_far.contexts();
            let begins = so_far.count < 3;
            let byte = self.byte(&contexts, begins, next)?;
            let after_escape = so_far.last4 & 0xff == u32::from(ESCAPE);
            so_far.push(byte);
            match byte {
                _ if after_escape => {
                    read.push(byte.wrapping_sub(2));
                    // The byte that was meant must not look like an escape to what follows it.
                    so_far.last4 |= 0x80;
                }
                END => break,
                ESCAPE => {}
                _ => read.push(byte),
            }
        }
        String::from_utf8(read).map_err(|_| Broken("a text is not UTF-8"))
    }

    fn raw(&mut self, count: usize, value: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut read = Vec::new();
        for at in 0..count {
            let byte = value.get(at).copied().unwrap_or_default();
            let mut taken = 0;
            for place in (0..8).rev() {
                taken = taken << 1 | u8::from(self.bits.bit(byte >> place & 1 == 1, ONE / 2)?);
            }
            read.push(taken);
        }
        Ok(read)
    }
}

/// The contexts of a place as the model takes them.
fn contexts_of<'c>(place: &Place<'_>, into: &'c mut [u32; CONTEXTS_MAX]) -> &'c [u32] {
    let contexts = &mut into[..place.contexts.len().min(CONTEXTS_MAX)];
    for (i, context) in contexts.iter_mut().enumerate() {
        *context = mix(&[place.contexts[i], place.field as u32, i as u32]);
    }
    contexts
}

/// What is known of a text before its next letter.
struct Letters {
    slot: u32,
    /// The last four bytes, and the two before them.
    last4: u32,
    before: u32,
    whole: u32,
    word: u32,
    last_word: u32,
    count: u32,
}

impl Letters {
    fn new(slot: u32) -> Letters {
        Letters {
            slot,
            last4: 0,
            before: 0,
            whole: slot,
            word: 0,
            last_word: 0,
            count: 0,
        }
    }

    fn contexts(&self) -> [u32; CONTEXTS_MAX] {
        [
            mix(&[1, self.whole, self.slot]),
            mix(&[3, self.last4]),
            mix(&[8, self.word]),
            mix(&[2, self.last4, self.before & 0xffff]),
            mix(&[4, self.word, self.last_word]),
            mix(&[5, self.last4 & 0x00ff_ffff]),
            mix(&[6, self.last4 & 0xffff]),
            mix(&[7, self.last4 & 0xff]),
        ]
    }

    fn push(&mut self, byte: u8) {
        self.before = self.before << 8 | self.last4 >> 24;
        self.last4 = self.last4 << 8 | u32::from(byte);
        self.whole = mix(&[self.whole, u32::from(byte)]);
        self.count += 1;
        if byte.is_ascii_alphabetic() || byte >= 0x80 {
            self.word = mix(&[self.word, u32::from(byte.to_ascii_lowercase())]);
        } else if self.word != 0 {
            self.last_word = self.word;
            self.word = 0;
        }
    }
}
