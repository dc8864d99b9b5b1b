//! How a channel does, as it is shown. In memory; after a start it is what the newest messages say.

use vendlog_notify::SendError;
use wire::Micros;
use wire::time::MINUTE_US;

/// A channel that is broken is not tried again for so long, unless it is changed: a wrong password that
/// is shown again and again locks accounts.
const BROKEN_PAUSE_US: i64 = 10 * MINUTE_US;

/// How a channel does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// When the provider last took a message.
    pub last_sent_at: Option<Micros>,
    /// Code and words of what is wrong, until a message went.
    pub error: Option<(String, String)>,
    /// Nobody can be reached until somebody mends it: it is not tried before then.
    pub broken_until: Option<Micros>,
}

impl Status {
    /// The provider took a message.
    pub fn sent(&mut self, now: Micros) {
        self.last_sent_at = Some(now);
        self.error = None;
        self.broken_until = None;
    }

    /// A message did not go. One that is refused for its address says nothing about the channel.
    pub fn failed(&mut self, error: &SendError, now: Micros) {
        if error.is_channel_broken() {
            self.broken_until = Some(now.plus_us(BROKEN_PAUSE_US));
        } else if !error.is_temporary() {
            return;
        }
        self.error = Some((error.code().to_owned(), error.to_string()));
    }

    /// Why it is not to be tried now.
    pub fn broken(&self, now: Micros) -> Option<(Micros, &str)> {
        let until = self.broken_until.filter(|until| *until > now)?;
        // A clock that was set back must not keep a channel closed.
        let is_near = until.since_us(now) <= BROKEN_PAUSE_US;
        let (_, words) = self.error.as_ref()?;
        is_near.then_some((until, words.as_str()))
    }
}
