//! A voice call by Twilio: says machine and issue twice; where a public address leads to us, a key
//! acknowledges.

mod config;
mod press;
mod twiml;

pub use config::Config;
pub use press::is_press_valid;

use crate::shown::Shown;
use crate::twilio::{created, post};
use crate::{Preview, SendError, Sent, template};

/// Twilio's longest `Twiml` parameter, in characters.
const TWIML_CHARS: usize = 4_000;

pub(crate) async fn send(config: &Config, to: &str, shown: &Shown) -> Result<Sent, SendError> {
    let document = twiml::document(config, shown);
    let ring = config.ring_s.to_string();
    let form = [
        ("To", to),
        ("From", config.from.as_str()),
        ("Twiml", document.as_str()),
        ("Timeout", ring.as_str()),
    ];
    let answer = post(&config.account, "Calls.json", &form).await?;
    let created = created(&answer)?;
    Ok(Sent {
        price: created.price(),
        provider_id: Some(created.sid),
        segments: None,
    })
}

pub(crate) fn preview(shown: &Shown) -> Preview {
    let text = twiml::spoken(shown);
    Preview {
        subject: template::compose(shown).0,
        chars: text.chars().count(),
        text,
        html: None,
        segments: None,
    }
}
