//! Lets few of many texts through: each once an hour, and some in any ten minutes. Sans-IO.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// The same text is let through again after this time.
const REPEAT_AFTER: Duration = Duration::from_secs(3600);
/// Texts that are remembered, by their hash.
const KNOWN_MAX: usize = 128;
/// In so long a time ...
const WINDOW: Duration = Duration::from_secs(600);
/// ... so many texts are let through: as many as a person would read.
const WINDOW_MAX: u32 = 20;

/// What has been let through.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    known: VecDeque<Known>,
    window: Option<(Instant, u32)>,
    left_out: u64,
}

#[derive(Debug)]
struct Known {
    text: u64,
    since: Instant,
    repeated: u64,
}

/// A text that is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admitted {
    /// How often it was not, since it last was.
    pub repeated: u64,
    /// How many others were not, since the last one.
    pub left_out: u64,
}

impl Sieve {
    /// Whether a text is let through at `now`.
    pub fn admit(&mut self, text: &str, now: Instant) -> Option<Admitted> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let text = hasher.finish();
        let known = self.known.iter_mut().find(|known| known.text == text);
        if let Some(known) = known
            && now.saturating_duration_since(known.since) < REPEAT_AFTER
        {
            known.repeated += 1;
            return None;
        }
        let (since, given) = self.window.unwrap_or((now, 0));
        let (since, given) = match now.saturating_duration_since(since) < WINDOW {
            true => (since, given),
            false => (now, 0),
        };
        if given >= WINDOW_MAX {
            self.left_out += 1;
            return None;
        }
        self.window = Some((since, given + 1));
        let repeated = self.remember(text, now);
        let left_out = std::mem::take(&mut self.left_out);
        Some(Admitted { repeated, left_out })
    }

    /// Counts a text that was left out for another reason.
    pub fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// Answers how often it was repeated until now.
    fn remember(&mut self, text: u64, since: Instant) -> u64 {
        let before = self.known.iter().position(|known| known.text == text);
        let before = before.and_then(|index| self.known.remove(index));
        if self.known.len() >= KNOWN_MAX {
            self.known.pop_front();
        }
        self.known.push_back(Known {
            text,
            since,
            repeated: 0,
        });
        before.map_or(0, |known| known.repeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_comes_once_an_hour_with_its_count() {
        let mut sieve = Sieve::default();
        let start = Instant::now();
        let admitted = |repeated| {
            Some(Admitted {
                repeated,
                left_out: 0,
            })
        };
        assert_eq!(sieve.admit("a", start), admitted(0));
        for minute in 1..60 {
            assert_eq!(
                sieve.admit("a", start + Duration::from_secs(60 * minute)),
                None
            );
        }
        assert_eq!(sieve.admit("a", start + REPEAT_AFTER), admitted(59));
        assert_eq!(sieve.admit("b", start + REPEAT_AFTER), admitted(0));
    }

    #[test]
    fn a_flood_of_different_texts_is_cut_off_and_counted() {
        let mut sieve = Sieve::default();
        let start = Instant::now();
        let given = (0..1000).filter(|n| sieve.admit(&n.to_string(), start).is_some());
        assert_eq!(given.count(), WINDOW_MAX as usize);
        let admitted = sieve.admit("later", start + WINDOW).unwrap();
        assert_eq!(admitted.left_out, 1000 - u64::from(WINDOW_MAX));
        assert!(sieve.known.len() <= KNOWN_MAX);
    }
}
