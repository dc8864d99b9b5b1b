//! When entries that do not wait have to go: a CRITICAL, and a burst of payment errors. Pure: every
//! time is an argument, in microseconds since boot.

use wire::Level;
use wire::time::{MINUTE_US, SECOND_US};

use super::fresh::FreshEntry;

/// What WiFi has not taken in this time goes by cell: so much less than 30 s that the drop is on its
/// way by then.
pub const WIFI_PATIENCE_US: i64 = 25 * SECOND_US;
/// So many payment errors ...
const BURST: usize = 10;
/// ... within this time send the batch at once.
const BURST_WITHIN_US: i64 = 5 * MINUTE_US;
/// Components that speak of payment.
const PAYMENT: [&str; 3] = ["payment", "eport-link", "reader"];
/// An application that crashes again and again says the same every half minute: after so many drops
/// with the same words ...
const SAME_AT_ONCE: u32 = 3;
/// ... within this time ...
const SAME_WITHIN_US: i64 = 60 * MINUTE_US;
/// ... they wait this long for the next one.
const SAME_APART_US: i64 = 10 * MINUTE_US;
/// So many different words are known again.
const TEXTS_MAX: usize = 64;

/// Whether this is a payment error as far as a burst is concerned.
pub fn is_payment(level: Level, component: &str) -> bool {
    level >= Level::Error && PAYMENT.contains(&component)
}

/// What the words of grave entries were, so that the same ones do not go on and on at once.
#[derive(Debug, Default)]
pub struct Urgency {
    said: Vec<SaidBefore>,
}

#[derive(Debug)]
struct SaidBefore {
    text_hash: u64,
    times: u32,
    last_us: i64,
}

impl Urgency {
    /// A drop was made that has these grave entries.
    pub fn made(&mut self, grave: impl Iterator<Item = FreshEntry>, now_us: i64) {
        let mut hashes: Vec<u64> = grave.map(|entry| entry.text_hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        for text_hash in hashes {
            let known = self
                .said
                .iter()
                .position(|said| said.text_hash == text_hash);
            let times = match known.map(|index| self.said.remove(index)) {
                Some(said) if now_us - said.last_us <= SAME_WITHIN_US => said.times + 1,
                _ => 1,
            };
            if self.said.len() >= TEXTS_MAX {
                self.said.remove(0);
            }
            self.said.push(SaidBefore {
                text_hash,
                times,
                last_us: now_us,
            });
        }
    }

    /// When a grave entry has to go that WiFi has not taken within `patience_us`.
    pub fn due_us(&self, entry: &FreshEntry, patience_us: i64) -> i64 {
        let due_us = entry.seen_us.saturating_add(patience_us);
        let said = self
            .said
            .iter()
            .find(|said| said.text_hash == entry.text_hash);
        match said {
            Some(said)
                if said.times >= SAME_AT_ONCE && entry.seen_us - said.last_us <= SAME_WITHIN_US =>
            {
                due_us.max(said.last_us.saturating_add(SAME_APART_US))
            }
            _ => due_us,
        }
    }
}

/// When a burst of payment errors has to go, if these entries, in order, have one.
pub fn burst_due_us<'a>(
    entries: impl Iterator<Item = &'a FreshEntry>,
    patience_us: i64,
) -> Option<i64> {
    let seen: Vec<i64> = entries
        .filter(|entry| entry.is_payment)
        .map(|entry| entry.seen_us)
        .collect();
    let is_burst = |window: &&[i64]| window[BURST - 1] - window[0] <= BURST_WITHIN_US;
    let window = seen.windows(BURST).find(is_burst)?;
    Some(window[BURST - 1].saturating_add(patience_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, seen_us: i64, text_hash: u64) -> FreshEntry {
        FreshEntry {
            seq,
            level: Level::Critical,
            seen_us,
            is_payment: true,
            is_summary: false,
            text_hash,
        }
    }

    #[test]
    fn the_tenth_payment_error_within_five_minutes_sends_the_batch() {
        let apart = |apart_us: i64, count: u64| -> Vec<FreshEntry> {
            (0..count)
                .map(|n| entry(n, n as i64 * apart_us, 0))
                .collect()
        };
        let due = |entries: &[FreshEntry]| burst_due_us(entries.iter(), 0);
        assert_eq!(due(&apart(33 * SECOND_US, 10)), Some(297 * SECOND_US));
        assert_eq!(due(&apart(33 * SECOND_US, 9)), None);
        assert_eq!(due(&apart(34 * SECOND_US, 30)), None, "too slow");
        assert!(is_payment(Level::Error, "eport-link") && !is_payment(Level::Warn, "payment"));
        assert!(!is_payment(Level::Critical, "motor"));
    }

    #[test]
    fn a_crash_loop_does_not_use_up_the_months_data() {
        let mut urgency = Urgency::default();
        let mut drops = 0;
        // The same CRITICAL every 30 s for a day, a drop whenever one is due.
        let mut waiting: Option<FreshEntry> = None;
        for n in 0..2880 {
            let now_us = n * 30 * SECOND_US;
            waiting.get_or_insert(entry(n as u64, now_us, 7));
            if let Some(first) = waiting.filter(|first| urgency.due_us(first, 0) <= now_us) {
                assert!(now_us - first.seen_us <= SAME_APART_US);
                urgency.made([first].into_iter(), now_us);
                waiting = None;
                drops += 1;
            }
        }
        assert!((144..=160).contains(&drops), "{drops}");
        let other = entry(9999, 2880 * 30 * SECOND_US, 8);
        assert_eq!(
            urgency.due_us(&other, 0),
            other.seen_us,
            "news goes at once"
        );
        println!("a crash loop of a day: {drops} drops instead of 2880");
    }
}
