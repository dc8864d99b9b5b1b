//! Records between the receiving thread and the pipeline. Bounded; what finds no room for a while is
//! counted instead of kept.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use super::PATIENCE;
use crate::assemble::Record;
use crate::input::{Gap, InputEvent};
use crate::pipeline::Waker;

/// Records that may wait: some hundred milliseconds of a program that logs at full speed.
const QUEUE_MAX_RECORDS: usize = 8192;
/// Bytes of messages that may wait, with what structured data says.
const QUEUE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Why records are missing that found no room here.
const NO_ROOM: &str = "no_room";

#[derive(Debug)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    room: Condvar,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Inside {
    waiting: VecDeque<InputEvent>,
    bytes: usize,
    /// What was given up since the last record that was kept.
    missed: u64,
    is_closed: bool,
}

impl Queue {
    /// An empty one; `waker` tells the pipeline of what comes.
    pub fn new(waker: Waker) -> Queue {
        Queue {
            inside: Mutex::default(),
            room: Condvar::new(),
            waker,
        }
    }

    /// Adds a record as soon as there is room, or counts it as missed.
    pub fn put(&self, record: Record) {
        let mut inside = self.lock();
        if inside.is_full() && inside.missed == 0 {
            // Once nothing has moved for that long, the next ones are not waited with.
            let waits = |inside: &mut Inside| inside.is_full() && !inside.is_closed;
            let waited = self.room.wait_timeout_while(inside, PATIENCE, waits);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if inside.is_full() {
            inside.missed += 1;
            return;
        }
        inside.tell_missed();
        inside.bytes += size(&record);
        inside
            .waiting
            .push_back(InputEvent::Record(Box::new(record)));
        drop(inside);
        self.waker.wake();
    }

    /// Tells of records that never came here. What is missing at one place is one gap: the kernel
    /// may tell of more with every datagram, and while nobody empties the queue no record comes
    /// between.
    pub fn missed(&self, why: &'static str, count: u64) {
        let mut inside = self.lock();
        let before = match inside.waiting.back() {
            Some(InputEvent::Gap(last)) if last.why == why => last.records,
            _ => None,
        };
        if before.is_some() {
            inside.waiting.pop_back();
        }
        let count = count.saturating_add(before.unwrap_or(0));
        inside.waiting.push_back(gap(why, count));
        drop(inside);
        self.waker.wake();
    }

    /// Takes out up to `most`, in order; whether there are more.
    pub fn take_out(&self, most: usize, events: &mut Vec<InputEvent>) -> bool {
        let mut inside = self.lock();
        let count = inside.waiting.len().min(most);
        for _ in 0..count {
            let Some(event) = inside.waiting.pop_front() else {
                break;
            };
            if let InputEvent::Record(record) = &event {
                inside.bytes -= size(record);
            }
            events.push(event);
        }
        if inside.waiting.is_empty() {
            inside.tell_missed();
            events.extend(inside.waiting.drain(..));
        }
        self.room.notify_all();
        !inside.waiting.is_empty()
    }

    /// Lets the receiving thread wait no more.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.room.notify_all();
    }

    /// Bytes of messages that wait.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes as u64
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Pushing and popping leave it whole wherever a panic may happen.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn is_full(&self) -> bool {
        self.waiting.len() >= QUEUE_MAX_RECORDS || self.bytes >= QUEUE_MAX_BYTES
    }

    fn tell_missed(&mut self) {
        if self.missed > 0 {
            let gap = gap(NO_ROOM, std::mem::take(&mut self.missed));
            self.waiting.push_back(gap);
        }
    }
}

fn size(record: &Record) -> usize {
    record.message.len() + size_of_map(&record.context)
}

/// The bytes of texts and names; structured data has nothing else, and is two levels deep.
fn size_of_map(map: &Map<String, Value>) -> usize {
    let sizes = map.iter().map(|(name, value)| {
        let inside = match value {
            Value::String(text) => text.len(),
            Value::Object(map) => size_of_map(map),
            _ => 0,
        };
        name.len() + inside
    });
    sizes.sum()
}

fn gap(why: &'static str, count: u64) -> InputEvent {
    let cause = match why {
        NO_ROOM => "there was no room for them on the machine",
        _ => "they came faster than they could be received",
    };
    InputEvent::Gap(Gap {
        why,
        words: format!("{count} syslog messages are missing here: {cause}"),
        bytes: None,
        records: Some(count),
        at: None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use wire::Micros;

    use super::*;
    use crate::input::syslog::message::Reader;

    fn record(text: &str) -> Record {
        let mut records = Vec::new();
        Reader::new(None).read(text.as_bytes(), Micros(0), &mut |r| records.push(r));
        records.remove(0)
    }

    #[test]
    fn a_queue_that_nobody_empties_holds_up_once_and_then_counts() {
        let (wakes, _woken) = mpsc::channel();
        let queue = Queue::new(Waker::new(wakes, 0));
        for _ in 0..QUEUE_MAX_RECORDS {
            queue.put(record("<14>one"));
        }
        let began = Instant::now();
        for _ in 0..50 {
            queue.put(record("<14>two"));
        }
        assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE * 2);
        let mut events = Vec::new();
        assert!(queue.take_out(1, &mut events));
        queue.put(record("<14>three"));
        while queue.take_out(1000, &mut events) {}
        assert_eq!(events.len(), QUEUE_MAX_RECORDS + 2);
        let InputEvent::Gap(gap) = &events[QUEUE_MAX_RECORDS] else {
            panic!("the gap stands where the records would have");
        };
        assert_eq!((gap.records, gap.why), (Some(50), NO_ROOM));
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn structured_data_and_overflows_that_nobody_takes_out_are_bounded() {
        let (wakes, _woken) = mpsc::channel();
        let queue = Queue::new(Waker::new(wakes, 0));
        let long = "x".repeat(100_000);
        let datagram = format!("<14>1 - - app - - [id key=\"{long}\"]");
        for _ in 0..100 {
            queue.put(record(&datagram));
        }
        let kept = queue.lock().waiting.len();
        assert!(kept <= QUEUE_MAX_BYTES / 100_000 + 1, "{kept}");
        for _ in 0..100_000 {
            queue.missed("udp_overflow", 2);
        }
        assert_eq!(queue.lock().waiting.len(), kept + 1);
        let mut events = Vec::new();
        while queue.take_out(1000, &mut events) {}
        let InputEvent::Gap(gap) = &events[kept] else {
            panic!("one gap for all that the kernel dropped there");
        };
        assert_eq!(gap.records, Some(200_000));
        assert!(gap.words.starts_with("200000 "), "{}", gap.words);
        assert_eq!(queue.bytes(), 0);
    }
}
