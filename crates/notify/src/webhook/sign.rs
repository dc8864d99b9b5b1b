//! Signatures as the Standard Webhooks specification has them
//! (<https://www.standardwebhooks.com>), for which receivers find ready libraries: HMAC-SHA256 over
//! `id.timestamp.body` under `whsec_` secrets; two signatures while a secret is being replaced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::Config;
use crate::Secret;

const PREFIX: &str = "whsec_";
/// What the specification asks of a secret, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The headers of a signed request; none without a secret.
pub(super) fn headers(
    config: &Config,
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let secrets = [&config.signing_secret, &config.old_signing_secret];
    let seconds = now.as_second();
    let signatures: Vec<String> = secrets
        .into_iter()
        .filter_map(|secret| signature(secret, id, seconds, body))
        .collect();
    if signatures.is_empty() {
        return Vec::new();
    }
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

/// `v1,<base64>` over `id.seconds.body`; nothing if the secret is none.
pub fn signature(secret: &Secret, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

/// A new secret out of 32 random bytes.
pub fn new_secret(random: &[u8; 32]) -> Secret {
    Secret::from(format!("{PREFIX}{}", STANDARD.encode(random)).as_str())
}

pub(super) fn key(secret: &Secret) -> Option<Vec<u8>> {
    let base64 = secret.reveal().strip_prefix(PREFIX)?;
    let key = STANDARD.decode(base64).ok()?;
    KEY_BYTES.contains(&key.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_the_specifications() {
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = signature(&secret, id, 1_614_265_330, b"{\"test\": 2432232314}");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.as_deref(), Some(expected));
        assert!(key(&new_secret(&[7; 32])).is_some());
        assert!(key(&Secret::from("whsec_c2hvcnQ=")).is_none(), "too short");
    }
}
