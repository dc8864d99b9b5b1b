//! Dictionaries: what both ends of a drop know before it is written. The table of an application's
//! templates, examples from which the mixing codec learns what is likely, and a zstd dictionary.
//!
//! A file of one is all there is to it: its id is the hash of its bytes, and everything else
//! follows from them in the same way everywhere.

mod file;
mod id;
mod sample;
mod scrub;
mod train;

pub use id::{DictionaryId, DictionaryIdError};
pub use sample::Sample;
pub use train::{TrainLimits, train};

use std::fmt;
use std::sync::Arc;

use sha2::Digest;

use super::dense::model::Model;
use super::dense::shapes::Shapes;

/// The largest file of a dictionary; larger ones are refused before they are read.
pub const DICTIONARY_MAX_BYTES: usize = 256 * 1024;
/// The level of zstd where a drop is small and time is not: the best that needs no large tables.
const ZSTD_LEVEL: i32 = 12;

/// A dictionary, ready to use.
pub struct Dictionary {
    id: DictionaryId,
    bytes: Vec<u8>,
    parts: Parts,
}

/// What a file of a dictionary holds, read.
struct Parts {
    shapes: Shapes,
    model: Model,
    pace: u64,
    zstd: Vec<u8>,
}

/// A file that is no dictionary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DictionaryError {
    /// It does not begin as one.
    #[error("this is no dictionary of Vendlog; make one with: vendlog-server dictionary train")]
    NotADictionary,
    /// Made by a newer program.
    #[error("the dictionary is of a version that this program does not know; update it")]
    UnknownVersion,
    /// It was one once.
    #[error("the dictionary is damaged: {0}; copy it again")]
    Damaged(&'static str),
    /// More than [`DICTIONARY_MAX_BYTES`].
    #[error("{0} bytes are more than a dictionary can have (262144)")]
    TooLarge(usize),
}

impl Dictionary {
    /// The one that comes with the product: for the vending application that its packs know. Reads
    /// it anew each time, some 20 ms: keep it.
    pub fn shipped() -> Arc<Dictionary> {
        let bytes = include_bytes!("../../../dictionaries/shipped.vdict");
        let dictionary = Dictionary::from_bytes(bytes);
        Arc::new(dictionary.expect("the committed dictionary is whole, a test reads it"))
    }

    /// Reads a file of [`Dictionary::to_bytes`].
    ///
    /// # Errors
    /// See [`DictionaryError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Dictionary, DictionaryError> {
        if bytes.len() > DICTIONARY_MAX_BYTES {
            return Err(DictionaryError::TooLarge(bytes.len()));
        }
        let parts = file::read(bytes)?;
        let digest = sha2::Sha256::digest(bytes);
        Ok(Dictionary {
            id: DictionaryId(u32::from_be_bytes([
                digest[0], digest[1], digest[2], digest[3],
            ])),
            bytes: bytes.to_vec(),
            parts,
        })
    }

    /// The file of it.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its name: the first 4 bytes of the SHA-256 of its file.
    pub fn id(&self) -> DictionaryId {
        self.id
    }

    /// The templates of messages that it knows, the most frequent first; one is named again for
    /// each level, component and form of context that it comes with.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.parts.shapes.iter().map(|shape| &*shape.message)
    }

    /// About how much memory it takes once read, in bytes. To write or read a drop takes as much
    /// again, for a moment.
    pub fn memory_bytes(&self) -> usize {
        let shapes = self.parts.shapes.iter();
        let shapes: usize = shapes
            .map(|shape| 256 + shape.message.len() + shape.context.len())
            .sum();
        self.parts.model.size_bytes()
            + self.parts.shapes.columns().size_bytes()
            + self.parts.zstd.len()
            + self.bytes.len()
            + shapes
    }

    pub(crate) fn shapes(&self) -> &Shapes {
        &self.parts.shapes
    }

    pub(crate) fn model(&self) -> &Model {
        &self.parts.model
    }

    pub(crate) fn pace(&self) -> u64 {
        self.parts.pace
    }

    /// These bytes through zstd with this dictionary; `None` when zstd cannot.
    pub(crate) fn zstd(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut zstd =
            zstd::bulk::Compressor::with_dictionary(ZSTD_LEVEL, &self.parts.zstd).ok()?;
        zstd.include_contentsize(false).ok()?;
        zstd.include_checksum(false).ok()?;
        zstd.include_dictid(false).ok()?;
        zstd.compress(bytes).ok()
    }

    /// What [`Dictionary::zstd`] was given; `None` when it is damaged or more than `most` bytes.
    pub(crate) fn unzstd(&self, bytes: &[u8], most: usize) -> Option<Vec<u8>> {
        use std::io::Read;
        let zstd = zstd::stream::Decoder::with_dictionary(bytes, &self.parts.zstd).ok()?;
        let mut out = Vec::new();
        zstd.take(most as u64 + 1).read_to_end(&mut out).ok()?;
        (out.len() <= most).then_some(out)
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary")
            .field("id", &self.id)
            .field("size_bytes", &self.bytes.len())
            .field("shapes", &self.parts.shapes.len())
            .finish_non_exhaustive()
    }
}
