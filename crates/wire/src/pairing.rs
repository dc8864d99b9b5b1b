//! The pairing code: one word that brings a machine to its server. It holds where the server is, by
//! which key it is known, which machine this is to be, and a secret that is good once.
//!
//! `VLP1-` and base64url of: pin (32 bytes), secret (32), length of the machine id (1), machine id,
//! `host[:port]`, and 4 bytes of SHA-256 over all before, so that a mistyped code is told at once.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::MachineId;
use crate::care::{KeyText, NewDictionary};

/// What every code begins with; the digit is the version.
const PREFIX: &str = "VLP1-";
/// What the codes of every version begin with.
const FAMILY: &str = "VLP";
/// A DNS name has at most 253 characters, and a port six more with its colon.
const HOST_MAX_BYTES: usize = 260;
/// 32 bits tell a mistyped letter, a swap or a missing end for certain enough.
const CHECK_BYTES: usize = 4;
const PIN_END: usize = 32;
const SECRET_END: usize = 64;
/// No code is longer; what is longer is not decoded.
const CODE_MAX_CHARS: usize = 512;

/// What a pairing code says.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode {
    /// The machine that it was made for.
    pub machine_id: MachineId,
    /// `https://host[:port]`, no slash at the end.
    pub url: String,
    /// SHA-256 of the server's public key.
    pub pin: [u8; 32],
    /// Good once; see [`PairingCode::secret_text`].
    pub secret: [u8; 32],
}

/// The body of `POST /api/pair`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PairRequest {
    /// The secret of a pairing code: 43 characters of base64url.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub secret: KeyText,
}

/// Its answer: the key is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairAnswer {
    /// Who the machine is now.
    pub machine_id: MachineId,
    /// For the agent's `api_key_file`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub api_key: KeyText,
    /// A configuration to begin with; it does not hold the key.
    pub agent_toml: String,
    /// A dictionary to pack drops with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<NewDictionary>,
}

/// Why a word is no pairing code. Every message says what to do, and none repeats the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairingCodeError {
    /// It begins otherwise.
    #[error(
        "this is no pairing code, which begins with {PREFIX}; copy the whole word that \
         `vendlog-server machine pairing-code` prints"
    )]
    NotACode,
    /// It was made by another version.
    #[error("this pairing code is of another version of Vendlog; update the agent or the server")]
    OtherVersion,
    /// The checksum does not hold.
    #[error("the pairing code is mistyped or cut off; copy the whole word again")]
    Mistyped,
}

impl PairingCode {
    /// The secret as it is sent: 43 characters of base64url.
    pub fn secret_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
    }

    /// Whether this URL fits into a code: `https://host[:port]` and no more.
    pub fn takes_url(url: &str) -> bool {
        url.strip_prefix("https://").is_some_and(|host| {
            (1..=HOST_MAX_BYTES).contains(&host.len())
                && host
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"/?#@\\\"".contains(&b))
        })
    }
}

/// The word itself, with the secret in it.
impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.machine_id.as_str();
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&self.pin);
        bytes.extend_from_slice(&self.secret);
        bytes.push(id.len() as u8);
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(self.url.trim_start_matches("https://").as_bytes());
        bytes.extend_from_slice(&check(&bytes));
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Without the secret: it may end in a log.
impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingCode")
            .field("machine_id", &self.machine_id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl FromStr for PairingCode {
    type Err = PairingCodeError;

    /// Reads a code; white space in it (a mail broke the line) is passed over.
    fn from_str(word: &str) -> Result<PairingCode, PairingCodeError> {
        let word: String = word
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(CODE_MAX_CHARS + 1)
            .collect();
        let Some(text) = word.strip_prefix(PREFIX) else {
            let version = word.strip_prefix(FAMILY).unwrap_or_default();
            let is_other = version.starts_with(|c: char| c.is_ascii_digit());
            return Err(if is_other {
                PairingCodeError::OtherVersion
            } else {
                PairingCodeError::NotACode
            });
        };
        read(text).ok_or(PairingCodeError::Mistyped)
    }
}

fn read(text: &str) -> Option<PairingCode> {
    if text.len() > CODE_MAX_CHARS {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    if sum != check(body) {
        return None;
    }
    let pin = body.get(..PIN_END)?.try_into().ok()?;
    let secret = body.get(PIN_END..SECRET_END)?.try_into().ok()?;
    let (&id_len, rest) = body.get(SECRET_END..)?.split_first()?;
    let (id, host) = rest.split_at_checked(usize::from(id_len))?;
    let url = format!("https://{}", std::str::from_utf8(host).ok()?);
    PairingCode::takes_url(&url).then_some(PairingCode {
        machine_id: std::str::from_utf8(id).ok()?.parse().ok()?,
        url,
        pin,
        secret,
    })
}

fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::new()
        .chain_update(PREFIX)
        .chain_update(body)
        .finalize();
    let mut sum = [0; CHECK_BYTES];
    sum.copy_from_slice(&digest[..CHECK_BYTES]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> PairingCode {
        PairingCode {
            machine_id: "VM001".parse().unwrap(),
            url: "https://ops-pc.example:4433".to_owned(),
            pin: std::array::from_fn(|at| at as u8),
            secret: std::array::from_fn(|at| (at * 7 + 3) as u8),
        }
    }

    #[test]
    fn a_code_is_one_word_and_comes_back_as_it_was() {
        let word = code().to_string();
        assert!(word.starts_with("VLP1-") && !word.contains(char::is_whitespace));
        assert_eq!(word.parse(), Ok(code()));
        let (first, second) = word.split_at(40);
        assert_eq!(format!(" {first}\n  {second}\n").parse(), Ok(code()));
        assert!(!format!("{:?}", code()).contains("secret: "));
    }

    #[test]
    fn every_single_mistyped_swapped_or_missing_letter_is_told() {
        let word = code().to_string();
        let mut tried = 0;
        for at in PREFIX.len()..word.len() {
            for other in ["A", "z", "0", "_", "-", "!"] {
                let mut typed = word.clone();
                typed.replace_range(at..=at, other);
                if typed != word {
                    tried += 1;
                    assert_eq!(
                        typed.parse::<PairingCode>(),
                        Err(PairingCodeError::Mistyped)
                    );
                }
            }
            let mut swapped = word.clone().into_bytes();
            swapped.swap(at, at.max(PREFIX.len() + 1) - 1);
            let swapped = String::from_utf8(swapped).unwrap();
            assert!(swapped == word || swapped.parse::<PairingCode>().is_err());
            assert!(word[..at].parse::<PairingCode>().is_err(), "cut at {at}");
        }
        assert!(tried > 500, "{tried}");
    }

    #[test]
    fn what_is_no_code_is_told_from_a_code_of_another_version() {
        let parse = |word: &str| word.parse::<PairingCode>().unwrap_err();
        assert_eq!(parse("vl_0011_secret"), PairingCodeError::NotACode);
        assert_eq!(parse(""), PairingCodeError::NotACode);
        assert_eq!(parse("VLP2-AAAA"), PairingCodeError::OtherVersion);
        assert_eq!(
            parse(&format!("VLP1-{}", "A".repeat(100_000))),
            PairingCodeError::Mistyped
        );
    }

    #[test]
    fn only_a_bare_https_address_goes_in() {
        for (url, fits) in [
            ("https://ops-pc:4433", true),
            ("https://[::1]:4433", true),
            ("https://10.0.0.1", true),
            ("http://ops-pc:4433", false),
            ("https://ops-pc/api", false),
            ("https://user@ops-pc", false),
            ("https://", false),
            ("https://a b", false),
        ] {
            assert_eq!(PairingCode::takes_url(url), fits, "{url}");
        }
    }
}
