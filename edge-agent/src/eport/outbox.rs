//! Between the shipper, which makes drops, and whoever brings them to the reader: the driver of the
//! serial line, or the vending application over the socket. One drop at a time; it is durable
//! before it lies here, and stays the same, byte for byte, until somebody says that it was sent.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use wire::time::SECOND_US;

/// A drop that was handed out and never spoken of is offered again after this time: 900 bytes take
/// a second on the wire, a sale in between some minutes.
pub const SILENT_US: i64 = 5 * 60 * SECOND_US;
/// After a failure the drop is offered again after the first of these, and so on; the reader finds
/// its network again by itself, or it does not.
const RETRY_US: [i64; 5] = [
    10 * SECOND_US,
    30 * SECOND_US,
    60 * SECOND_US,
    300 * SECOND_US,
    600 * SECOND_US,
];
/// A grave drop does not wait longer than this after a failure.
const URGENT_RETRY_US: i64 = 60 * SECOND_US;
/// The longest reason that is kept, in characters; it comes from another program.
const REASON_MAX_CHARS: usize = 200;

/// What another program or the reader said, as it may be kept, logged and sent: short, and without
/// card numbers.
pub(super) fn clean(text: &str) -> String {
    let short: String = text.chars().take(REASON_MAX_CHARS).collect();
    let whole = if short.len() < text.len() {
        // Of a number that was cut the rest would not be known as one.
        short.trim_end_matches(|last: char| !last.is_alphabetic())
    } else {
        &short
    };
    wire::redact::cards(whole).into_owned()
}

/// A drop for the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Names it towards the agent: its number.
    pub id: u64,
    /// The file's name, such as `VM001-1797900000123456-17.txt`.
    pub name: String,
    /// The file: printable ASCII and LF, at most 900 bytes.
    pub data: String,
    /// A grave entry is in it: it does not wait for a quiet hour, though for a sale.
    pub is_urgent: bool,
}

/// What the reader said of itself meanwhile; whatever is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReaderFacts {
    /// Signal strength as the reader says it.
    pub signal_rssi: Option<i32>,
    /// Bit error rate as the reader says it.
    pub signal_ber: Option<i32>,
    /// The reader's serial number.
    pub serial: Option<String>,
    /// The reader's clock minus the machine's, in seconds.
    pub time_offset_s: Option<i64>,
    /// The reader's state, in a word or two.
    pub state: Option<String>,
    /// Why nothing can be sent at the moment, whatever there is to send; an empty text takes back
    /// what was said before.
    pub error: Option<String>,
}

impl ReaderFacts {
    /// Takes what is newer in `newer`.
    fn update(&mut self, newer: ReaderFacts) {
        let cut = |text: Option<String>| text.map(|text| clean(&text));
        self.signal_rssi = newer.signal_rssi.or(self.signal_rssi);
        self.signal_ber = newer.signal_ber.or(self.signal_ber);
        self.serial = cut(newer.serial).or(self.serial.take());
        self.time_offset_s = newer.time_offset_s.or(self.time_offset_s);
        self.state = cut(newer.state).or(self.state.take());
        self.error = cut(newer.error).or(self.error.take());
    }
}

/// What became of the drop, for the shipper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The reader took it.
    Sent(u64),
    /// It did not, and why.
    Failed(u64, String),
}

/// What the shipper hears.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// What became of the drop, if somebody said so.
    pub report: Option<Report>,
    /// Everything that is known of the reader so far.
    pub facts: ReaderFacts,
}

/// The one drop that waits for the reader. Shared between threads.
#[derive(Debug, Default)]
pub struct Outbox {
    inside: Mutex<Inside>,
    /// Wakes threads that wait for a drop.
    filled: Condvar,
    /// Wakes the shipper.
    said: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    offer: Option<Offer>,
    /// It may have reached the reader, now or before a restart.
    is_out: bool,
    /// The same, before it was handed out last.
    was_out: bool,
    /// It is not offered before this moment since boot.
    not_before_us: i64,
    /// How often it failed in a row.
    failures: usize,
    report: Option<Report>,
    facts: ReaderFacts,
    has_news: bool,
    is_closed: bool,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// The drop that is to be brought to the reader now; `now_us` is the time since boot. From here
    /// on it counts as handed out: it is offered again only after [`Outbox::failed`], or when
    /// nothing was said of it for [`SILENT_US`].
    pub fn next(&self, now_us: i64) -> Option<Offer> {
        let mut inside = self.lock();
        if inside.is_closed || inside.report.is_some() || now_us < inside.not_before_us {
            return None;
        }
        let offer = inside.offer.clone()?;
        inside.was_out = inside.is_out;
        inside.is_out = true;
        inside.not_before_us = now_us.saturating_add(SILENT_US);
        Some(offer)
    }

    /// Whether [`Outbox::next`] would give a drop now, and whether that is urgent; it counts not as
    /// handed out by this.
    pub fn peek(&self, now_us: i64) -> Option<bool> {
        let inside = self.lock();
        let is_free =
            !inside.is_closed && inside.report.is_none() && now_us >= inside.not_before_us;
        inside
            .offer
            .as_ref()
            .filter(|_| is_free)
            .map(|offer| offer.is_urgent)
    }

    /// The reader has taken this drop. `false`: no such drop waits, it was told before.
    pub fn sent(&self, id: u64, facts: ReaderFacts) -> bool {
        let mut inside = self.lock();
        let is_it = inside.is_known(id);
        if is_it {
            inside.report = Some(Report::Sent(id));
            inside.failures = 0;
        }
        self.heard(inside, facts);
        is_it
    }

    /// The reader did not take it, or not all of it; it is offered again, the same, after a time that
    /// grows. `false`: no such drop waits.
    pub fn failed(&self, id: u64, reason: &str, facts: ReaderFacts, now_us: i64) -> bool {
        let mut inside = self.lock();
        let is_it = inside.was_not_taken(id, reason, now_us);
        inside.was_out |= is_it;
        self.heard(inside, facts);
        is_it
    }

    /// Nothing of this drop has reached the reader this time, and nothing will: unless an earlier
    /// attempt may have brought it there, it may be made anew with what has come meanwhile. Otherwise
    /// as [`Outbox::failed`].
    pub fn given_back(&self, id: u64, reason: &str, facts: ReaderFacts, now_us: i64) -> bool {
        let mut inside = self.lock();
        let is_it = inside.was_not_taken(id, reason, now_us);
        if is_it {
            inside.is_out = inside.was_out;
        }
        self.heard(inside, facts);
        is_it
    }

    /// What the reader says of itself, with no drop under way.
    pub fn tell(&self, facts: ReaderFacts) {
        self.heard(self.lock(), facts);
    }

    /// For threads: waits until there may be something to bring, the outbox is closed, or the time is
    /// over. A drop that waits after a failure does not end it; ask again in time.
    pub fn wait(&self, timeout: Duration) {
        let inside = self.lock();
        if !inside.is_closed && (inside.offer.is_none() || inside.report.is_some()) {
            drop(self.filled.wait_timeout(inside, timeout));
        }
    }

    /// The agent ends: no drop is given out any more, and whoever waits is woken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
    }

    /// Whether [`Outbox::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// For the shipper: puts a drop here, which is durable already. `is_out`: it may have reached the
    /// reader before a restart.
    pub fn put(&self, offer: Offer, is_out: bool) {
        let mut inside = self.lock();
        let is_same = inside
            .offer
            .as_ref()
            .is_some_and(|known| known.id == offer.id);
        if !is_same {
            (inside.not_before_us, inside.failures) = (0, 0);
        }
        inside.offer = Some(offer);
        (inside.is_out, inside.was_out) = (is_out, is_out);
        drop(inside);
        self.filled.notify_all();
    }

    /// For the shipper: takes the drop back to make it anew. `false`: it may have reached the reader,
    /// and must stay as it is.
    pub fn take_back(&self) -> bool {
        let mut inside = self.lock();
        if inside.is_out || inside.report.is_some() {
            return false;
        }
        inside.offer = None;
        true
    }

    /// Whether the drop that waits may have reached the reader.
    pub fn is_out(&self) -> bool {
        let inside = self.lock();
        inside.offer.is_some() && (inside.is_out || inside.report.is_some())
    }

    /// For the shipper: the drop that waits has become urgent.
    pub fn hurry(&self, now_us: i64) {
        let mut inside = self.lock();
        let Some(offer) = inside.offer.as_mut().filter(|offer| !offer.is_urgent) else {
            return;
        };
        offer.is_urgent = true;
        if inside.failures > 0 {
            let latest_us = now_us.saturating_add(URGENT_RETRY_US);
            inside.not_before_us = inside.not_before_us.min(latest_us);
        }
        drop(inside);
        self.filled.notify_all();
    }

    /// For the shipper: what was said since it last asked; `None`: nothing.
    pub fn hear(&self) -> Option<Said> {
        let mut inside = self.lock();
        if !std::mem::take(&mut inside.has_news) {
            return None;
        }
        let report = inside.report.take();
        if matches!(report, Some(Report::Sent(_))) {
            inside.offer = None;
            (inside.is_out, inside.was_out) = (false, false);
            inside.not_before_us = 0;
        }
        let facts = inside.facts.clone();
        // Who waits in `wait` did so for the report to be heard; from here on it asks in time.
        let is_waiting = report.is_some() && inside.offer.is_some();
        drop(inside);
        if is_waiting {
            self.filled.notify_all();
        }
        Some(Said { report, facts })
    }

    /// For the shipper: waits until something was said.
    pub async fn said(&self) {
        self.said.notified().await;
    }

    fn heard(&self, mut inside: MutexGuard<'_, Inside>, facts: ReaderFacts) {
        inside.facts.update(facts);
        inside.has_news = true;
        drop(inside);
        self.said.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Every change leaves it whole wherever a panic may happen.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Whether this is the drop that waits, and nobody has said that it was sent.
    fn is_known(&self, id: u64) -> bool {
        let is_told = matches!(self.report, Some(Report::Sent(_)));
        !is_told && self.offer.as_ref().is_some_and(|offer| offer.id == id)
    }

    /// Notes why it was not taken; whether it is the drop that waits.
    fn was_not_taken(&mut self, id: u64, reason: &str, now_us: i64) -> bool {
        let is_it = self.is_known(id);
        if is_it {
            self.report
                .get_or_insert_with(|| Report::Failed(id, clean(reason)));
            self.wait_after_failure(now_us);
        }
        is_it
    }

    fn wait_after_failure(&mut self, now_us: i64) {
        let wait_us = RETRY_US[self.failures.min(RETRY_US.len() - 1)];
        let is_urgent = self.offer.as_ref().is_some_and(|offer| offer.is_urgent);
        let wait_us = if is_urgent {
            wait_us.min(URGENT_RETRY_US)
        } else {
            wait_us
        };
        self.failures += 1;
        self.not_before_us = now_us.saturating_add(wait_us);
    }
}

#[cfg(test)]
mod tests;
