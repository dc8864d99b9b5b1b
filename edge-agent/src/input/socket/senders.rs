//! The numbers that each sender has used up, so that an entry sent again is not stored again. Kept
//! in the origin of every entry of the socket; holds no text of the log.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many senders are remembered; the one not heard of for longest is forgotten. More than there
/// can be connections, and each process has one.
pub const SENDERS_MAX: usize = 64;
/// The longest name of a sender, in bytes.
const NAME_MAX_BYTES: usize = 64;

/// A sender, by the hash of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SenderId(u64);

impl SenderId {
    /// The sender of this name; `None` when it is none: 1-64 of `A-Z a-z 0-9 _ -`.
    pub fn named(name: &str) -> Option<SenderId> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_named = (1..=NAME_MAX_BYTES).contains(&name.len()) && name.bytes().all(is_good);
        let digest = Sha256::digest(name);
        let hash = u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"));
        is_named.then_some(SenderId(hash))
    }
}

/// What a number means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one.
    New,
    /// It was used up before.
    Known,
    /// Others are missing before it, or the sender is not known; the last one used up.
    Early(Option<u64>),
}

/// The last number of each sender, the one heard of last at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Senders(Vec<(SenderId, u64)>);

impl Senders {
    /// A sender says that everything below `next` is settled; answers the last number used up.
    pub fn hello(&mut self, sender: SenderId, next: u64) -> u64 {
        let settled = next.saturating_sub(1);
        let last = self.last(sender).map_or(settled, |last| last.max(settled));
        self.set(sender, last);
        last
    }

    /// What `n` of `sender` is.
    pub fn verdict(&self, sender: SenderId, n: u64) -> Verdict {
        match self.last(sender) {
            Some(last) if n <= last => Verdict::Known,
            Some(last) if n - 1 == last => Verdict::New,
            last => Verdict::Early(last),
        }
    }

    /// Uses up `n`, if it is the next one.
    pub fn advance(&mut self, sender: SenderId, n: u64) {
        if self.verdict(sender, n) == Verdict::New {
            self.set(sender, n);
        }
    }

    fn last(&self, sender: SenderId) -> Option<u64> {
        let found = self.0.iter().find(|(known, _)| *known == sender);
        found.map(|(_, last)| *last)
    }

    fn set(&mut self, sender: SenderId, last: u64) {
        self.0.retain(|(known, _)| *known != sender);
        if self.0.len() >= SENDERS_MAX {
            self.0.remove(0);
        }
        self.0.push((sender, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(number: usize) -> SenderId {
        SenderId::named(&format!("sender-{number}")).unwrap()
    }

    #[test]
    fn each_number_is_new_once_and_only_in_order() {
        let mut senders = Senders::default();
        let one = sender(1);
        assert_eq!(senders.verdict(one, 1), Verdict::Early(None));
        assert_eq!(senders.hello(one, 1), 0);
        assert_eq!(senders.verdict(one, 1), Verdict::New);
        assert_eq!(senders.verdict(one, 2), Verdict::Early(Some(0)));
        senders.advance(one, 1);
        senders.advance(one, 3);
        assert_eq!(senders.verdict(one, 1), Verdict::Known);
        assert_eq!(senders.verdict(one, 2), Verdict::New);
    }

    #[test]
    fn a_hello_tells_what_is_known_and_forgets_nothing() {
        let mut senders = Senders::default();
        let one = sender(1);
        // The agent's memory was lost, or the sender forgotten: it goes on where the client is.
        assert_eq!(senders.hello(one, 5000), 4999);
        senders.advance(one, 5000);
        assert_eq!(senders.hello(one, 4990), 5000);
        assert_eq!(
            senders.hello(one, 5003),
            5002,
            "it gave up on 5001 and 5002"
        );
    }

    #[test]
    fn the_sender_not_heard_of_for_longest_is_forgotten() {
        let mut senders = Senders::default();
        for number in 0..=SENDERS_MAX {
            senders.hello(sender(number), 10);
            senders.hello(sender(1), 10);
        }
        assert_eq!(senders.verdict(sender(0), 10), Verdict::Early(None));
        assert_eq!(senders.verdict(sender(1), 10), Verdict::New);
        assert_eq!(senders.0.len(), SENDERS_MAX);
        let kept = serde_json::to_string(&senders).unwrap();
        assert_eq!(serde_json::from_str::<Senders>(&kept).unwrap(), senders);
    }

    #[test]
    fn a_name_is_short_and_plain() {
        let long = "x".repeat(NAME_MAX_BYTES + 1);
        for name in ["", "a b", "\u{e9}", &long] {
            assert_eq!(SenderId::named(name), None, "{name}");
        }
    }
}
