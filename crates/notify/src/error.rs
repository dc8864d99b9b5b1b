//! What became of a message that was not delivered: whether trying again helps, and whether the
//! channel or only this address is to blame. Never a secret in it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::{Secret, clean, limits, secret};

/// Why a message was not delivered, in words that say what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Trying again later may help.
    #[error("{words}")]
    Temporary {
        /// See [`SendError::code`].
        code: &'static str,
        /// What went wrong.
        words: String,
        /// How long the provider wants to be left alone, if it said so.
        retry_after: Option<Duration>,
        /// The connection broke after the message was handed over: the recipient may get it
        /// twice when it is sent again.
        may_have_arrived: bool,
    },
    /// Trying the same again does not help.
    #[error("{words}")]
    Permanent {
        /// See [`SendError::code`].
        code: &'static str,
        /// What went wrong and what to do.
        words: String,
        /// Nobody can be reached by this channel until somebody mends it. Otherwise only this
        /// address or this message is refused.
        is_channel_broken: bool,
        /// `sha256/<base64>` of the key that a server showed and that was not believed: what a
        /// pin takes, after a person compared it.
        fingerprint: Option<String>,
    },
}

impl SendError {
    /// A short code that programs may match: `config`, `address`, `refused` (sign-in), `forbidden`
    /// (this sender or region), `certificate`, `tls`, `unreachable`, `timed_out`, `busy`,
    /// `rate_limited`, `rejected` (this message), `protocol`.
    pub fn code(&self) -> &'static str {
        match self {
            SendError::Temporary { code, .. } | SendError::Permanent { code, .. } => code,
        }
    }

    /// Whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, SendError::Temporary { .. })
    }

    /// Whether nobody can be reached by this channel until somebody mends it.
    pub fn is_channel_broken(&self) -> bool {
        matches!(
            self,
            SendError::Permanent {
                is_channel_broken: true,
                ..
            }
        )
    }

    /// How long the provider wants to be left alone, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            SendError::Temporary { retry_after, .. } => *retry_after,
            SendError::Permanent { .. } => None,
        }
    }

    /// Whether the recipient may have got the message all the same.
    pub fn may_have_arrived(&self) -> bool {
        matches!(
            self,
            SendError::Temporary {
                may_have_arrived: true,
                ..
            }
        )
    }

    /// What a person may accept into `pin` after comparing it.
    pub fn fingerprint(&self) -> Option<&str> {
        match self {
            SendError::Permanent { fingerprint, .. } => fingerprint.as_deref(),
            SendError::Temporary { .. } => None,
        }
    }

    pub(crate) fn temporary(code: &'static str, words: impl Into<String>) -> SendError {
        SendError::Temporary {
            code,
            words: words.into(),
            retry_after: None,
            may_have_arrived: false,
        }
    }

    pub(crate) fn broken(code: &'static str, words: impl Into<String>) -> SendError {
        SendError::Permanent {
            code,
            words: words.into(),
            is_channel_broken: true,
            fingerprint: None,
        }
    }

    /// Only this address or this message is refused.
    pub(crate) fn refused(code: &'static str, words: impl Into<String>) -> SendError {
        SendError::Permanent {
            code,
            words: words.into(),
            is_channel_broken: false,
            fingerprint: None,
        }
    }

    pub(crate) fn after(mut self, pause: Option<Duration>) -> SendError {
        if let SendError::Temporary { retry_after, .. } = &mut self {
            *retry_after = pause.map(|pause| pause.min(limits::RETRY_AFTER_MOST));
        }
        self
    }

    pub(crate) fn maybe_arrived(mut self, maybe: bool) -> SendError {
        if let SendError::Temporary {
            may_have_arrived, ..
        } = &mut self
        {
            *may_have_arrived |= maybe;
        }
        self
    }

    /// The same without these secrets, should a server have said them back, plain or in base64,
    /// and as one clean line.
    pub(crate) fn without(mut self, secrets: &[(&'static str, &Secret)]) -> SendError {
        let (SendError::Temporary { words, .. } | SendError::Permanent { words, .. }) = &mut self;
        *words = clean::line(words, usize::MAX);
        for (_, hidden) in secrets.iter().filter(|(_, secret)| !secret.is_empty()) {
            *words = words.replace(hidden.reveal(), secret::SHOWN);
            let is_encoded = |word: &str| {
                let decoded = STANDARD_NO_PAD.decode(word.trim_end_matches('=')).ok();
                let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                decoded.is_some_and(|text| text.contains(hidden.reveal()))
            };
            // As in `AUTH PLAIN ...` or `Basic ...`, together with the user.
            let shown = words.split(' ').map(|word| match is_encoded(word) {
                true => secret::SHOWN,
                false => word,
            });
            *words = shown.collect::<Vec<_>>().join(" ");
        }
        *words = clean::line(words, limits::WORDS_CHARS * 2);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_secret_that_a_server_says_back_is_not_repeated() {
        let secret = Secret::from("hunter2hunter2");
        let encoded = STANDARD.encode("\0ops\0hunter2hunter2");
        let said = format!("no: hunter2hunter2\r\nnor {encoded}");
        let error = SendError::broken("refused", said).without(&[("password", &secret)]);
        assert_eq!(error.to_string(), "no: *** nor ***");
    }
}
