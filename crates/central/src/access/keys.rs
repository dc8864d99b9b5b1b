//! The text of a key: how it is made, taken apart and compared. A key is `<kind>_<id>_<secret>`; the
//! store keeps the id and the SHA-256 of the secret, the holder keeps the text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use store::{Credential, Holder, KeyState};
use subtle::ConstantTimeEq;
use wire::Micros;

use crate::error::ApiError;

/// 256 random bits: not to be guessed.
const SECRET_BYTES: usize = 32;
/// 64 random bits name a key: enough that two never meet.
const KEY_ID_BYTES: usize = 8;
/// No key is longer; what is longer is not looked up.
const KEY_TEXT_MAX_BYTES: usize = 200;

/// What a key is for, told by its first two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `vl_`: the agent of a machine.
    Machine,
    /// `vt_`: a script's token.
    Token,
    /// `vs_`: a browser's session, in its cookie.
    Session,
}

impl KeyKind {
    fn prefix(self) -> &'static str {
        match self {
            KeyKind::Machine => "vl",
            KeyKind::Token => "vt",
            KeyKind::Session => "vs",
        }
    }
}

/// A new key: the text for its holder, the credential for the store.
pub struct NewKey {
    /// Shown once, never stored, never logged.
    pub text: String,
    /// What the store keeps.
    pub credential: Credential,
}

/// Makes a key for this holder.
///
/// # Errors
/// The system gives no random bytes.
pub fn make(
    holder: Holder,
    created_at: Micros,
    expires_at: Option<Micros>,
) -> Result<NewKey, ApiError> {
    let kind = match holder {
        Holder::Machine(_) => KeyKind::Machine,
        Holder::Token { .. } => KeyKind::Token,
        Holder::Session { .. } => KeyKind::Session,
    };
    let key_id: String = random::<KEY_ID_BYTES>()?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let secret = random_secret()?;
    let text = format!("{}_{key_id}_{secret}", kind.prefix());
    let sha256 = sha256(&secret);
    Ok(NewKey {
        text,
        credential: Credential {
            key_id,
            sha256,
            holder,
            created_at,
            expires_at,
            state: KeyState::InUse,
        },
    })
}

/// A text that cannot be guessed, safe in a URL: 43 characters.
///
/// # Errors
/// The system gives no random bytes.
pub fn random_secret() -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?))
}

/// So many random bytes.
///
/// # Errors
/// The system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| ApiError::internal(&format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// SHA-256 of a secret's text.
pub fn sha256(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A key's text, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyParts<'a> {
    /// What it claims to be for.
    pub kind: KeyKind,
    /// By which the store finds it.
    pub key_id: &'a str,
    /// What is compared.
    pub secret: &'a str,
}

/// Takes a key's text apart; `None` when it is no key of ours.
pub fn parse(text: &str) -> Option<KeyParts<'_>> {
    if text.len() > KEY_TEXT_MAX_BYTES {
        return None;
    }
    let mut parts = text.splitn(3, '_');
    let (prefix, key_id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = [KeyKind::Machine, KeyKind::Token, KeyKind::Session]
        .into_iter()
        .find(|kind| kind.prefix() == prefix)?;
    (!key_id.is_empty() && !secret.is_empty()).then_some(KeyParts {
        kind,
        key_id,
        secret,
    })
}

/// Whether the parts open this credential now: same secret (compared in constant time), of the kind
/// its holder has, not expired.
pub fn opens(parts: KeyParts<'_>, credential: &Credential, now: Micros) -> bool {
    let same_secret = sha256(parts.secret).ct_eq(&credential.sha256);
    let right_kind = matches!(
        (parts.kind, &credential.holder),
        (KeyKind::Machine, Holder::Machine(_))
            | (KeyKind::Token, Holder::Token { .. })
            | (KeyKind::Session, Holder::Session { .. })
    );
    let alive = credential.expires_at.is_none_or(|end| now < end);
    bool::from(same_secret) && right_kind && alive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine_key() -> NewKey {
        make(
            Holder::Machine("VM001".parse().unwrap()),
            Micros(0),
            Some(Micros(100)),
        )
        .unwrap()
    }

    #[test]
    fn a_key_opens_its_own_credential_and_no_other() {
        let (key, other) = (machine_key(), machine_key());
        let parts = parse(&key.text).unwrap();
        assert!(opens(parts, &key.credential, Micros(99)));
        assert!(
            !opens(parts, &other.credential, Micros(99)),
            "another secret"
        );
        assert!(!opens(parts, &key.credential, Micros(100)), "it has ended");
    }

    #[test]
    fn a_key_of_another_kind_opens_nothing() {
        let key = machine_key();
        let text = key.text.replacen("vl_", "vt_", 1);
        assert!(!opens(parse(&text).unwrap(), &key.credential, Micros(0)));
    }

    #[test]
    fn what_is_no_key_is_not_looked_up() {
        for text in [
            "", "vl", "vl_", "vl_a", "vl__b", "xx_a_b", "Bearer", "vl_a_",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("vl_a_{}", "b".repeat(300))), None);
        assert!(parse("vl_0011_has_under_scores-and-dashes").is_some());
    }
}
