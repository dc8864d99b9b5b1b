//! SMS by Twilio: one text within a stated number of segments, and the replies that acknowledge.

mod config;
pub mod replies;
mod segments;
mod text;

pub use config::Config;

use crate::shown::Shown;
use crate::twilio::{created, post};
use crate::{Preview, SendError, Sent, template};

pub(crate) async fn send(config: &Config, to: &str, shown: &Shown) -> Result<Sent, SendError> {
    let body = text::text(config, shown);
    let mut form = vec![("To", to), ("Body", body.as_str())];
    match &config.messaging_service_sid {
        Some(sid) => form.push(("MessagingServiceSid", sid)),
        None => form.push(("From", &config.from)),
    }
    let answer = post(&config.account, "Messages.json", &form).await?;
    let created = created(&answer)?;
    Ok(Sent {
        segments: created.segments().or(Some(segments::count(&body))),
        price: created.price(),
        provider_id: Some(created.sid),
    })
}

pub(crate) fn preview(config: &Config, shown: &Shown) -> Preview {
    let text = text::text(config, shown);
    Preview {
        subject: template::compose(shown).0,
        chars: text.chars().count(),
        segments: Some(segments::count(&text)),
        html: None,
        text,
    }
}
