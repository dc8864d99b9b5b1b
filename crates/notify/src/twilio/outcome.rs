//! What became of an SMS or a call afterwards: Twilio takes both before it knows. The states are those
//! of <https://www.twilio.com/docs/messaging/api/message-resource#message-status-values> and
//! <https://www.twilio.com/docs/voice/api/call-resource#call-status-values>.

use serde::{Deserialize, Serialize};

use super::{Account, get, is_sid, price, refused, resource_url};
use crate::{Price, SendError, clean, limits};

/// What became of a message that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How far it came.
    pub state: State,
    /// What it cost, once that is known.
    pub price: Option<Price>,
}

/// How far a message came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// On its way. With networks that confirm nothing it stays so.
    Pending,
    /// On the telephone; or somebody, or their mailbox, took the call.
    Delivered,
    /// It did not get there and will not.
    Failed {
        /// Why.
        words: String,
    },
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error_code: Option<u64>,
    #[serde(default)]
    error_message: Option<String>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    price_unit: Option<String>,
}

/// Asks for a message (`SM`, `MM`) or a call (`CA`) by its SID.
pub(crate) async fn outcome(account: &Account, sid: &str) -> Result<Outcome, SendError> {
    let resource = if is_sid(sid, "CA") {
        format!("Calls/{sid}.json")
    } else if is_sid(sid, "SM") || is_sid(sid, "MM") {
        format!("Messages/{sid}.json")
    } else {
        return Err(SendError::refused("config", "this is no id of Twilio's"));
    };
    let answer = get(account, resource_url(account, &resource)?).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    let resource: Resource = serde_json::from_slice(&answer.body)
        .map_err(|_| SendError::temporary("protocol", "Twilio's answer cannot be read"))?;
    Ok(Outcome {
        state: state(&resource),
        price: price(resource.price.as_deref(), resource.price_unit.as_deref()),
    })
}

fn state(resource: &Resource) -> State {
    match resource.status.as_str() {
        "delivered" | "read" | "completed" => State::Delivered,
        "undelivered" | "failed" | "canceled" | "busy" | "no-answer" => {
            let code = resource.error_code.map(|code| format!(" {code}"));
            let message = resource.error_message.as_deref().unwrap_or("");
            let code = code.unwrap_or_default();
            let words = format!("Twilio says {}{code} {message}", resource.status);
            State::Failed {
                words: clean::line(&words, limits::WORDS_CHARS),
            }
        }
        _ => State::Pending,
    }
}
