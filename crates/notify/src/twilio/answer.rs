//! What Twilio's answers mean. The codes are those of <https://www.twilio.com/docs/api/errors>.

use serde::Deserialize;

use super::WHO;
use crate::http::Answer;
use crate::{Price, SendError, clean, limits};

/// The number cannot be reached this way, will not be, or does not exist.
const BAD_NUMBERS: [u64; 13] = [
    13_223, // To: not a valid telephone number (voice)
    13_224, // To: not valid for this kind of call
    13_225, // To: blocked
    21_211, // To: not a valid telephone number
    21_214, // To: cannot be reached
    21_215, // To: this region is not enabled for calls
    21_216, // To: not enabled for this account
    21_217, // To: does not look like a telephone number
    21_408, // To: this region is not enabled for SMS
    21_608, // To: not verified, and the account is a trial
    21_610, // To: has answered STOP
    21_612, // To: not reachable from this From
    21_614, // To: is no mobile
];
/// The number that we send from is not ours or cannot do it.
const BAD_SENDERS: [u64; 8] = [
    21_210, // From: not verified
    21_212, // From: not a valid number
    21_213, // From: missing
    21_603, // From: missing (SMS)
    21_606, // From: cannot send SMS
    21_659, // From: not ours
    21_660, // From: belongs to another account
    21_701, // the messaging service does not exist
];
/// Sign-in, suspended account, no money.
const BROKEN: [u64; 5] = [20_003, 20_005, 20_006, 20_008, 20_403];
/// Too many at once.
const TOO_MANY: [u64; 3] = [14_107, 20_429, 63_038];

/// What a POST made.
#[derive(Debug, Deserialize)]
pub(crate) struct Created {
    pub sid: String,
    #[serde(default)]
    num_segments: Option<String>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    price_unit: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    message: String,
}

/// What a POST made, or why it did not.
pub(crate) fn created(answer: &Answer) -> Result<Created, SendError> {
    if !answer.status.is_success() {
        return Err(refused(answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| {
        // It said yes; asking again could tell somebody twice.
        let words = "Twilio took it but its answer cannot be read; check base_url";
        SendError::temporary("protocol", words).maybe_arrived(true)
    })
}

impl Created {
    /// Segments as they are counted for the bill; 0 means that Twilio does not know yet.
    pub fn segments(&self) -> Option<u32> {
        let segments = self.num_segments.as_deref()?.parse().ok()?;
        Some(segments).filter(|segments| *segments > 0)
    }

    /// What it cost, where it is known already: `-0.00750` is a debit of 7,500 millionths.
    pub fn price(&self) -> Option<Price> {
        price(self.price.as_deref(), self.price_unit.as_deref())
    }
}

/// A price as Twilio writes it: null until it is known.
pub(crate) fn price(price: Option<&str>, unit: Option<&str>) -> Option<Price> {
    Price::parse(price?, unit.unwrap_or("USD"))
}

/// Why a request was refused.
pub(crate) fn refused(answer: &Answer) -> SendError {
    let Ok(problem) = serde_json::from_slice::<Problem>(&answer.body) else {
        return answer.error(WHO, &answer.text());
    };
    let Problem { code, message } = problem;
    let message = clean::line(&message, limits::WORDS_CHARS);
    let said = format!("Twilio answers {code}: {message}");
    if BAD_NUMBERS.contains(&code) {
        return SendError::refused("address", format!("{said}; check this person's number"));
    }
    if BAD_SENDERS.contains(&code) {
        return SendError::broken("forbidden", format!("{said}; check from at Twilio"));
    }
    if BROKEN.contains(&code) {
        let words = format!("{said}; set account_sid and secret again, or look at the account");
        return SendError::broken("refused", words);
    }
    if TOO_MANY.contains(&code) {
        let words = format!("{said}; it is tried again");
        return SendError::temporary("rate_limited", words).after(answer.retry_after);
    }
    answer.error(WHO, &format!("{code} {message}"))
}
