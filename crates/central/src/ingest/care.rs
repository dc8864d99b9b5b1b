//! What the answer to a heartbeat asks of the machine: a new key, a configuration, a dictionary,
//! entries again.

use store::{Care, Holder, KeyState};
use wire::care::{KeyText, NewConfig};
use wire::{Heartbeat, HeartbeatAnswer, Micros};

use crate::access::keys;
use crate::app::App;

/// Requests to send again in one answer; the agent works on them one after the other.
const RESENDS_PER_ANSWER: usize = 4;

/// The answer to this heartbeat. What cannot be asked for now is asked for with the next one.
pub async fn answer(app: &App, beat: &Heartbeat, care: Care, now: Micros) -> HeartbeatAnswer {
    let mut answer = HeartbeatAnswer::new(now.to_rfc3339());
    if care.rotation_asked_at.is_some() {
        answer.new_key = new_key(app, beat, now).await;
    }
    answer.config = config(beat, &care);
    answer.dictionary = beat
        .dictionary
        .and_then(|uses| app.dictionaries.for_agent(uses));
    let resends = care.resends.iter().take(RESENDS_PER_ANSWER);
    answer.resend = resends.map(|resend| resend.request).collect();
    answer
}

/// A key that is made now; only its hash is kept. The one that an earlier answer held is void,
/// unless it was used, and then nobody asks for another.
async fn new_key(app: &App, beat: &Heartbeat, now: Micros) -> Option<KeyText> {
    let made = keys::make(Holder::Machine(beat.machine_id.clone()), now, None);
    let mut key = made.ok()?;
    key.credential.state = KeyState::ByHeartbeat;
    let credential = key.credential;
    let kept = app
        .with_store(move |store| store.add_credential(&credential))
        .await;
    match kept {
        Ok(()) => Some(KeyText(key.text)),
        Err(error) => {
            tracing::warn!(
                code = error.code(),
                "a new key was not kept; the next heartbeat asks again"
            );
            None
        }
    }
}

/// The configuration, while the machine speaks of another; or the withdrawal of the one it has.
fn config(beat: &Heartbeat, care: &Care) -> Option<NewConfig> {
    let spoken_of = beat.config.as_ref().map(|config| config.version.as_str());
    match &care.config {
        Some(config) if spoken_of != Some(&config.version) => Some(NewConfig {
            version: config.version.clone(),
            toml: config.toml.clone(),
        }),
        None if spoken_of.is_some_and(|version| !version.is_empty()) => Some(NewConfig {
            version: String::new(),
            toml: String::new(),
        }),
        _ => None,
    }
}
