//! The token in the address that a pressed key is sent to. Who knows the account's secret has made
//! it; nobody else can acknowledge from outside.

use hmac::{Hmac, Mac as _};
use reqwest::Url;
use sha2::Sha256;

use super::Config;
use crate::http;
use crate::shown::Shown;

/// The address that a pressed key goes to, if a public one is known and there is an alert.
pub(super) fn url(config: &Config, shown: &Shown) -> Option<Url> {
    let mut url = http::url(config.public_url.as_deref()?, "public_url").ok()?;
    let alert = shown.alert.as_ref()?;
    let tag = mac(config, alert.no, &shown.id).finalize().into_bytes();
    let token: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    url.query_pairs_mut()
        .append_pair("alert", &alert.no.to_string())
        .append_pair("message", &shown.id)
        .append_pair("token", &token);
    Some(url)
}

/// Whether a pressed key comes from a call of ours: `alert`, `message` and `token` as the address
/// had them. The digit itself is in Twilio's form field `Digits`.
pub fn is_press_valid(config: &Config, alert_no: u64, message_id: &str, token: &str) -> bool {
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| token.get(at..at + 2))
        .map(|pair| u8::from_str_radix(pair?, 16).ok())
        .collect();
    bytes.is_some_and(|tag| mac(config, alert_no, message_id).verify_slice(&tag).is_ok())
}

fn mac(config: &Config, alert_no: u64, message_id: &str) -> Hmac<Sha256> {
    let secret = config.account.secret.reveal().as_bytes();
    let mut mac = Hmac::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(format!("vendlog press\n{alert_no}\n{message_id}").as_bytes());
    mac
}
