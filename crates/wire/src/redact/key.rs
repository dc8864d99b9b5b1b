//! The keyed hash that stands for an id.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::cards;

/// Bytes of the HMAC that are shown, as two hex digits each.
const SHOWN_BYTES: usize = 8;

/// The key under which this machine's ids are hashed; never leaves its state directory.
#[derive(Clone)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> HashKey {
        HashKey(bytes)
    }

    /// The keyed hash that stands for `id`: `#` and 16 hex digits of its HMAC-SHA-256. They are its
    /// first 16, but for the one id in 50,000 whose first 16 would be taken for a card number.
    pub fn hash(&self, id: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key length");
        mac.update(id.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut shown = digest.chunks(SHOWN_BYTES).map(|bytes| {
            bytes.iter().fold(String::from("#"), |text, byte| {
                text + &format!("{byte:02x}")
            })
        });
        let first = shown.next().unwrap_or_default();
        if matches!(cards(&first), Cow::Borrowed(_)) {
            return first;
        }
        shown
            .find(|text| matches!(cards(text), Cow::Borrowed(_)))
            .unwrap_or(first)
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(hidden)")
    }
}

/// Whether a text is what [`HashKey::hash`] gives.
pub(super) fn is_hash(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| {
        digits.len() == 2 * SHOWN_BYTES
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_known_one_and_debug_hides_the_key() {
        let key = HashKey::new([0x0b; 32]);
        let hash = key.hash("1573124782");
        assert!(is_hash(&hash), "{hash}");
        assert_eq!(
            hash,
            key.hash("1573124782"),
            "the same id has the same hash"
        );
        assert_ne!(hash, key.hash("1573124783"));
        assert_ne!(
            hash,
            HashKey::new([0x0c; 32]).hash("1573124782"),
            "another machine's key"
        );
        assert_eq!(format!("{key:?}"), "HashKey(hidden)");
    }
}
