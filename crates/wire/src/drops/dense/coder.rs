//! What a walk over the entries of a drop needs of a codec: numbers, texts and bytes, each with
//! what is known at its place. One walk serves writing and reading, so that the two cannot differ.

/// What was written cannot be read: damaged, or beyond a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub &'static str);

/// More was written than any drop says.
pub(crate) const TOO_LONG: Broken = Broken("it says more than a drop can");

/// What a number is, of which a codec may keep statistics of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Field {
    Count,
    Shape,
    Part,
    Flags,
    Seq,
    Time,
    Drift,
    Millisecond,
    Form,
    Mode,
    Amount,
    Change,
    Length,
    Recall,
    Component,
    Column,
    Again,
    Cell,
}

/// How many fields there are.
pub(crate) const FIELDS: usize = Field::Cell as usize + 1;

/// The place of a number: its field, and hashes of what is known there, the most telling first.
pub(crate) struct Place<'c> {
    pub field: Field,
    pub contexts: &'c [u32],
}

/// Writes or reads. The `value` given is what is to be written; a reader ignores it and answers
/// what it read, a writer answers what it was given.
pub(crate) trait Coder {
    /// Whether this is a reader.
    const READS: bool;

    /// A number.
    fn number(&mut self, place: &Place<'_>, value: u128) -> Result<u128, Broken>;

    /// One of so many, of which each is as likely as its neighbours.
    fn cell(&mut self, place: &Place<'_>, below: u64, value: u64) -> Result<u64, Broken> {
        let number = self.number(place, value.into())?;
        let number = u64::try_from(number).map_err(|_| TOO_LONG)?;
        (number < below).then_some(number).ok_or(TOO_LONG)
    }

    /// One of so many, of which any is as likely as any other.
    fn even(&mut self, below: u64, value: u64) -> Result<u64, Broken> {
        let place = Place {
            field: Field::Cell,
            contexts: &[],
        };
        self.cell(&place, below, value)
    }

    /// Yes or no, where yes is so much of all that may be.
    fn odds(&mut self, yes: u64, all: u64, value: bool) -> Result<bool, Broken> {
        let _ = (yes, all);
        Ok(self.even(2, value.into())? == 1)
    }

    /// A text; `slot` says what for. A reader stops beyond `most` bytes.
    fn text(&mut self, slot: u32, value: &str, most: usize) -> Result<String, Broken>;

    /// So many bytes that nothing foretells.
    fn raw(&mut self, count: usize, value: &[u8]) -> Result<Vec<u8>, Broken>;
}

/// A hash of a few numbers, the same on every machine.
pub(crate) fn mix(parts: &[u32]) -> u32 {
    let mut hash = 0x811C_9DC5u32;
    for part in parts {
        hash = (hash ^ part).wrapping_mul(0x9E37_79B1);
        hash ^= hash >> 15;
    }
    hash
}

/// A hash of a text, the same on every machine.
pub(crate) fn mix_text(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// How many bits a number has; 0 for 0.
pub(crate) fn bit_len(value: u128) -> u32 {
    u128::BITS - value.leading_zeros()
}
