//! The list of presets: where each posts, what, and what its answers mean.

mod discord;
mod ntfy;
mod pagerduty;
mod plain;
mod slack;
mod teams_workflows;

use serde_json::Value;

use super::{Config, Preset, field};
use crate::http::Answer;
use crate::shown::Shown;
use crate::{SendError, template, words};

/// Where to post.
pub(super) fn address(config: &Config) -> String {
    match config.preset {
        Preset::Discord => discord::address(config.url.reveal()),
        Preset::Ntfy => ntfy::address(config.url.reveal()),
        Preset::Pagerduty if config.url.is_empty() => pagerduty::ADDRESS.to_owned(),
        _ => config.url.reveal().to_owned(),
    }
}

/// What to post.
pub(super) fn body(config: &Config, shown: &Shown) -> Value {
    match config.preset {
        Preset::Plain => plain::body(shown),
        Preset::Slack => slack::body(shown),
        Preset::TeamsWorkflows => teams_workflows::body(shown),
        Preset::Discord => discord::body(shown),
        Preset::Ntfy => ntfy::body(config.url.reveal(), shown),
        Preset::Pagerduty => pagerduty::body(config.routing_key.reveal(), shown),
    }
}

/// Why it was refused.
pub(super) fn refused(config: &Config, answer: &Answer) -> SendError {
    let who = config.preset.name();
    // Slack says 400 and 403 with a word for what is wrong with the webhook itself.
    let says = answer.text();
    match config.preset {
        Preset::Slack => slack::refused(answer, &says),
        Preset::Pagerduty => pagerduty::refused(answer, &says),
        _ => answer.error(who, &says),
    }
}

/// The id that the provider gave it, if it did.
pub(super) fn provider_id(config: &Config, answer: &Answer) -> Option<String> {
    match config.preset {
        Preset::Discord | Preset::Ntfy | Preset::Plain => field(answer, "id"),
        Preset::Pagerduty => field(answer, "dedup_key"),
        Preset::Slack | Preset::TeamsWorkflows => None,
    }
}

/// Subject and text as all chats show them: the user's words, else ours. What must be said is in
/// the text, however short it has to be.
fn texts(shown: &Shown, most: usize) -> (String, String) {
    let (subject, text) = whole(shown);
    (subject, words::bounded(&text, shown, most))
}

/// The same, however long.
fn whole(shown: &Shown) -> (String, String) {
    let (subject, own_words) = template::compose(shown);
    (subject, own_words.unwrap_or_else(|| words::text(shown)))
}

/// The longest text of which `fits` says yes; a provider counts what it costs to write a letter in
/// its own form, which only the form knows.
fn fitting<T>(most: usize, form: impl Fn(usize) -> T, fits: impl Fn(&T) -> bool) -> T {
    /// [`words::essentials`] have fewer characters, and are never left out.
    const LEAST_CHARS: usize = 400;
    let mut most = most;
    loop {
        let formed = form(most);
        if most <= LEAST_CHARS || fits(&formed) {
            return formed;
        }
        most = (most / 2).max(LEAST_CHARS);
    }
}
