//! Whose files are meant: part of every key, so that a source that is pointed elsewhere takes nothing
//! there for what it knows.

use sha2::{Digest, Sha256};

/// Bytes of the hash that are kept: one source has few places in its life.
const BYTES: usize = 8;

/// A short name for these parts in this order, as 16 hexadecimal digits.
pub(crate) fn place(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash: [u8; 32] = hash.finalize().into();
    hash[..BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
