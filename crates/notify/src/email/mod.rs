//! E-mail over SMTP: text and HTML, a chart in digests, and a link that opens the alert.

mod answer;
mod compose;
mod config;
mod html;
mod plain;
mod session;
mod stream;

use std::time::SystemTime;

pub use config::{Config, Tls};

use crate::address::parse_email;
use crate::shown::Shown;
use crate::{Preview, SendError, Sent, template};

pub(crate) async fn send(config: &Config, to: &str, shown: &Shown) -> Result<Sent, SendError> {
    let to = parse_email(to).map_err(|words| SendError::refused("address", words))?;
    let from = parse_email(&config.from).map_err(|words| SendError::broken("config", words))?;
    let mail = compose::mail(config, &from, &to, shown, SystemTime::now())?;
    let answer = session::deliver(config, &from, &to, &mail).await?;
    Ok(Sent {
        provider_id: Some(answer).filter(|answer| !answer.is_empty()),
        ..Sent::default()
    })
}

pub(crate) fn preview(shown: &Shown) -> Preview {
    let (subject, own_words) = template::compose(shown);
    let text = compose::text(shown, own_words.as_deref());
    Preview {
        chars: text.chars().count(),
        html: Some(html::page(shown, own_words.as_deref())),
        subject,
        text,
        segments: None,
    }
}
