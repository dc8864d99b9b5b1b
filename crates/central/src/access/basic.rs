//! User and password of a source that brings drops over HTTP: how they are sent, kept and compared.
//! Good for `POST /api/drops/{name}` only; people and machines have keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::keys;
use crate::error::ApiError;

/// The longest `Authorization` that is looked at.
const HEADER_MAX_BYTES: usize = 1024;
/// Two sources with the same password do not look the same.
const SALT_BYTES: usize = 16;

/// User and password as they were sent. Shown nowhere: there is no `Debug`.
pub struct Sent {
    /// Who it says it is.
    pub user: String,
    /// The password in clear; never kept.
    pub password: String,
}

/// What an `Authorization: Basic` header says; `None` for any other.
pub fn parse(header: &str) -> Option<Sent> {
    if header.len() > HEADER_MAX_BYTES {
        return None;
    }
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(text.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Sent {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

/// A password as it is kept: a hash under a salt of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashedPassword {
    /// Random, 32 hex digits.
    salt: String,
    /// SHA-256 of salt and password, hex.
    sha256: String,
}

impl HashedPassword {
    /// Hashes a password.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(password: &str) -> Result<HashedPassword, ApiError> {
        let salt = hex(&keys::random::<SALT_BYTES>()?);
        let sha256 = hash(&salt, password);
        Ok(HashedPassword { salt, sha256 })
    }

    /// Whether this is the password; takes as long whatever is wrong with it.
    pub fn is(&self, password: &str) -> bool {
        let sent = hash(&self.salt, password);
        bool::from(sent.as_bytes().ct_eq(self.sha256.as_bytes()))
    }
}

fn hash(salt: &str, password: &str) -> String {
    let digest = Sha256::new()
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    hex(&digest)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_taken_apart_and_nothing_else_is() {
        let header = format!("basic {}", STANDARD.encode("usalive:a:b c"));
        let sent = parse(&header).unwrap();
        assert_eq!(
            (sent.user.as_str(), sent.password.as_str()),
            ("usalive", "a:b c")
        );
        let no_colon = format!("Basic {}", STANDARD.encode("usalive"));
        let long = format!("Basic {}", "A".repeat(2000));
        for header in ["Bearer vt_a_b", "Basic", "Basic !", &no_colon, &long] {
            assert!(parse(header).is_none(), "{header}");
        }
    }

    #[test]
    fn a_password_opens_its_own_hash_only() {
        let kept = HashedPassword::new("correct horse").unwrap();
        assert!(kept.is("correct horse"));
        assert!(!kept.is("correct hors"));
        assert!(!kept.is(""));
        let again = HashedPassword::new("correct horse").unwrap();
        assert_ne!(kept, again, "each has a salt of its own");
        assert!(!format!("{kept:?}").contains("horse"));
    }
}
