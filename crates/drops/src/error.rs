//! Why a source cannot be looked at, in words that say what to do, and how long to leave it alone.

use std::time::Duration;

/// After a refused sign-in: a server that counts tries locks an account after three to ten of
/// them, most often within 10 to 30 minutes.
const PAUSE_REFUSED: Duration = Duration::from_secs(30 * 60);
/// A refused sign-in is tried at least so often, for a password may be mended over there.
const PAUSE_REFUSED_MOST: Duration = Duration::from_secs(6 * 3600);
/// Longest pause after anything else.
const PAUSE_MOST: Duration = Duration::from_secs(15 * 60);

/// Why a source cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The configuration cannot work.
    #[error("{0}")]
    Config(String),
    /// User, password, token or key were refused. Trying again will not help and may lock the
    /// account.
    #[error("{0}")]
    Refused(String),
    /// No connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// A step did not end in time.
    #[error(
        "{host} did not answer within {seconds} s ({step}); check that it is up and not overloaded"
    )]
    TimedOut {
        /// The server.
        host: String,
        /// What was waited for.
        step: String,
        /// How long.
        seconds: u64,
    },
    /// TLS failed for another reason than the certificate.
    #[error("{0}")]
    Tls(String),
    /// The server's certificate is not trusted.
    #[error(
        "{host} shows a certificate that is not trusted ({reason}); if its key {fingerprint} is the \
         right one, set it as this source's pin, or give the authority's certificate"
    )]
    Certificate {
        /// The server.
        host: String,
        /// `sha256/<base64>` of its public key: what a pin takes.
        fingerprint: String,
        /// Why it is not trusted.
        reason: String,
    },
    /// The SSH server's key is not the accepted one, or none was accepted yet.
    #[error("{}", host_key_words(host, fingerprint, expected.as_deref()))]
    HostKey {
        /// The server.
        host: String,
        /// `SHA256:<base64>`, as `ssh-keygen -lf` prints it.
        fingerprint: String,
        /// The accepted one, if any.
        expected: Option<String>,
    },
    /// The folder does not exist or may not be read.
    #[error("{0}")]
    NoFolder(String),
    /// The server said something that cannot be understood or refused an ordinary request.
    #[error("{0}")]
    Protocol(String),
    /// The inbox said stop; the source itself is well.
    #[error("stopped: {0}")]
    Stopped(String),
}

fn host_key_words(host: &str, fingerprint: &str, expected: Option<&str>) -> String {
    match expected {
        None => format!(
            "{host} is not known yet; if its key {fingerprint} is the right one, set it as this \
             source's host_key"
        ),
        Some(expected) => format!(
            "{host} shows another key ({fingerprint}) than the accepted one ({expected}); somebody \
             may be in between. If the server was renewed, set host_key to the new one"
        ),
    }
}

impl SourceError {
    /// The same with what a server or the configuration put into its words changed.
    pub(crate) fn with_words(self, change: impl Fn(&str) -> String) -> SourceError {
        match self {
            SourceError::Config(words) => SourceError::Config(change(&words)),
            SourceError::Refused(words) => SourceError::Refused(change(&words)),
            SourceError::Unreachable(words) => SourceError::Unreachable(change(&words)),
            SourceError::Tls(words) => SourceError::Tls(change(&words)),
            SourceError::NoFolder(words) => SourceError::NoFolder(change(&words)),
            SourceError::Protocol(words) => SourceError::Protocol(change(&words)),
            // Of these the words are ours.
            SourceError::TimedOut { .. }
            | SourceError::Certificate { .. }
            | SourceError::HostKey { .. }
            | SourceError::Stopped(_) => self,
        }
    }

    /// A short code that programs may match.
    pub fn code(&self) -> &'static str {
        match self {
            SourceError::Config(_) => "config",
            SourceError::Refused(_) => "refused",
            SourceError::Unreachable(_) => "unreachable",
            SourceError::TimedOut { .. } => "timed_out",
            SourceError::Tls(_) | SourceError::Certificate { .. } => "tls",
            SourceError::HostKey { .. } => "host_key",
            SourceError::NoFolder(_) => "no_folder",
            SourceError::Protocol(_) => "protocol",
            SourceError::Stopped(_) => "stopped",
        }
    }

    /// What a person may accept after comparing it: into `pin` for a certificate (`sha256/…`), into
    /// `host_key` for an SSH server (`SHA256:…`).
    pub fn fingerprint(&self) -> Option<&str> {
        match self {
            SourceError::Certificate { fingerprint, .. }
            | SourceError::HostKey { fingerprint, .. } => Some(fingerprint),
            _ => None,
        }
    }

    /// How long to leave the source alone after this, the `failures`-th failure in a row (1 and
    /// up), when it is polled every `interval`. A person's "poll now" need not wait.
    pub fn pause(&self, failures: u32, interval: Duration) -> Duration {
        let doubled = |first: Duration, most: Duration| {
            let factor = 1u32 << failures.saturating_sub(1).min(16);
            first.saturating_mul(factor).min(most)
        };
        match self {
            SourceError::Refused(_) => doubled(PAUSE_REFUSED, PAUSE_REFUSED_MOST),
            // Our own trouble; the source may be asked as soon as it is over.
            SourceError::Stopped(_) => interval,
            _ => doubled(interval, PAUSE_MOST).max(interval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_password_is_not_tried_again_soon() {
        let minute = Duration::from_secs(60);
        let refused = SourceError::Refused(String::new());
        assert_eq!(refused.pause(1, minute), 30 * minute);
        assert_eq!(refused.pause(9, minute), 360 * minute);
        let gone = SourceError::Unreachable(String::new());
        assert_eq!(gone.pause(1, minute), minute);
        assert_eq!(gone.pause(3, minute), 4 * minute);
        assert_eq!(gone.pause(u32::MAX, minute), 15 * minute);
        assert_eq!(
            gone.pause(5, 60 * minute),
            60 * minute,
            "never sooner than usual"
        );
    }
}
