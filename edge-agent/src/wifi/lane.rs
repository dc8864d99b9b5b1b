//! One of the two ways of entries to the server: collect a batch, deliver it, move the cursor.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use wire::{BatchAnswer, MachineId, Micros};

use super::SharedDelivery;
use super::backoff::{Backoff, random_byte};
use super::client::{Client, Failure};
use super::cursor::Sending;
use crate::config::{Mode, Wifi};
use crate::spool::{SpoolReader, Stored};

/// The most entries of one request.
const BATCH_ENTRIES: usize = 500;
/// The most bytes of one request before compression; one entry always fits.
const BATCH_BYTES: usize = 1024 * 1024;
/// A refused key is tried again this often: the server may have been told of it meanwhile.
const HOLD_RETRY: Duration = Duration::from_secs(60);
/// While a key is refused, its file is looked at this often: a new key is used at once.
const KEY_LOOK: Duration = Duration::from_secs(2);
/// In continuous mode, the most an entry waits for others to share its request.
const CONTINUOUS_EVERY: Duration = Duration::from_millis(500);
/// When the next entry is under way in the other lane, look again after this time.
const CLAIMED_WAIT: Duration = Duration::from_millis(250);
/// A spool that cannot be read is tried again after this time.
const SPOOL_RETRY: Duration = Duration::from_secs(10);

/// Which entries a lane takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneKind {
    /// The immediate levels, at once.
    Urgent,
    /// Whatever the urgent lane has not delivered.
    Bulk,
}

/// What a lane did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// A batch was delivered; there may be more.
    Sent,
    /// There is nothing to send.
    Idle,
    /// It did not work; try again after this time.
    Wait(Duration),
    /// The key is not accepted; somebody must act.
    Hold,
}

/// A lane. Several may share a [`SharedDelivery`] on one thread.
pub struct Lane {
    kind: LaneKind,
    machine_id: MachineId,
    epoch: u64,
    client: Client,
    delivery: SharedDelivery,
    reader: SpoolReader,
    /// The levels it takes, by number.
    levels: [bool; 5],
    mode: Mode,
    backoff: Backoff,
    clock: fn() -> Micros,
}

struct Collected {
    entries: Vec<Stored>,
    /// The last seq that was looked at.
    through: u64,
    /// The next entry is under way in the urgent lane.
    is_blocked: bool,
}

impl Lane {
    /// A lane that goes on where the delivery state says.
    pub fn new(
        kind: LaneKind,
        config: &Wifi,
        (machine_id, epoch): (MachineId, u64),
        client: Client,
        delivery: SharedDelivery,
        reader: SpoolReader,
        clock: fn() -> Micros,
    ) -> Lane {
        let mut levels = config.levels;
        if kind == LaneKind::Urgent {
            levels
                .iter_mut()
                .zip(config.immediate)
                .for_each(|(sent, now)| *sent &= now);
        }
        let (mode, backoff) = (config.mode, Backoff::default());
        Lane {
            kind,
            machine_id,
            epoch,
            client,
            delivery,
            reader,
            levels,
            mode,
            backoff,
            clock,
        }
    }

    /// Delivers for ever; `grown` tells that the spool has more.
    pub async fn run(&mut self, mut grown: watch::Receiver<u64>) {
        loop {
            let began = Instant::now();
            self.drain().await;
            match (self.kind, self.mode) {
                (LaneKind::Bulk, Mode::Interval(seconds)) => {
                    sleep_until(began + Duration::from_secs(seconds)).await;
                }
                (LaneKind::Urgent, _) => wait_for_growth(&mut grown).await,
                (LaneKind::Bulk, Mode::Continuous) => {
                    wait_for_growth(&mut grown).await;
                    sleep_until(began + CONTINUOUS_EVERY).await;
                }
            }
        }
    }

    /// Sends until nothing is left, however long it takes.
    async fn drain(&mut self) {
        loop {
            match self.send_next().await {
                Worked::Sent => {}
                Worked::Idle => return,
                Worked::Wait(wait) => sleep(wait).await,
                Worked::Hold => self.wait_for_key().await,
            }
        }
    }

    /// Waits until the key file changes, or it is time to try the old one again.
    async fn wait_for_key(&self) {
        let (until, refused) = (Instant::now() + HOLD_RETRY, self.client.key_stamp());
        while Instant::now() < until && self.client.key_stamp() == refused {
            sleep(KEY_LOOK).await;
        }
    }

    /// Sends what is there without waiting for anything to become better: the last act of an agent
    /// that ends.
    pub async fn send_rest(&mut self) {
        while self.send_next().await == Worked::Sent {}
    }

    /// Collects one batch and tries to deliver it.
    pub async fn send_next(&mut self) -> Worked {
        let collected = match self.collect() {
            Ok(collected) => collected,
            Err(error) => return self.spool_failed(&error),
        };
        if collected.entries.is_empty() {
            let mut delivery = self.delivery.borrow_mut();
            match self.kind {
                LaneKind::Bulk if collected.through > delivery.state().bulk => {
                    delivery.bulk_passed(collected.through);
                }
                LaneKind::Bulk => {}
                LaneKind::Urgent => delivery.urgent_passed(collected.through),
            }
            return if collected.is_blocked {
                Worked::Wait(CLAIMED_WAIT)
            } else {
                Worked::Idle
            };
        }
        let seqs: Vec<u64> = collected.entries.iter().map(|stored| stored.seq).collect();
        if self.kind == LaneKind::Urgent {
            self.delivery.borrow_mut().claimed = BTreeSet::from_iter(seqs.iter().copied());
        }
        let delivered = self.deliver(collected.entries).await;
        if self.kind == LaneKind::Urgent {
            self.delivery.borrow_mut().claimed.clear();
        }
        let confirmed = match delivered {
            Ok(()) => self.confirm(&seqs, collected.through),
            Err(failure) => return self.failed(failure),
        };
        self.backoff.reset();
        match confirmed {
            Ok(()) => Worked::Sent,
            Err(error) => self.spool_failed(&error),
        }
    }

    fn confirm(&mut self, seqs: &[u64], through: u64) -> io::Result<()> {
        let now = (self.clock)();
        let mut delivery = self.delivery.borrow_mut();
        match self.kind {
            LaneKind::Bulk => delivery.bulk_confirmed(through, now),
            LaneKind::Urgent => {
                delivery.urgent_passed(through);
                delivery.urgent_confirmed(seqs, now)
            }
        }
    }

    fn collect(&mut self) -> io::Result<Collected> {
        let delivery = self.delivery.borrow();
        let state = delivery.state();
        let from = match self.kind {
            LaneKind::Bulk => state.bulk,
            LaneKind::Urgent => state.urgent.max(state.bulk),
        };
        if self.reader.position() != from {
            self.reader.seek(from);
        }
        let mut collected = Collected {
            entries: Vec::new(),
            through: from,
            is_blocked: false,
        };
        let mut bytes = 0;
        while collected.entries.len() < BATCH_ENTRIES {
            let Some(stored) = self.reader.next_entry()? else {
                break;
            };
            if self.kind == LaneKind::Bulk && delivery.claimed.contains(&stored.seq) {
                // Its answer decides.
                collected.is_blocked = true;
                break;
            }
            let wanted = self.levels[usize::from(stored.level.as_u8())];
            if wanted && !state.sent.contains(&stored.seq) {
                bytes += stored.json.len() + 1;
                if bytes > BATCH_BYTES && !collected.entries.is_empty() {
                    break;
                }
                collected.through = stored.seq;
                collected.entries.push(stored);
            } else {
                collected.through = stored.seq;
            }
        }
        Ok(collected)
    }

    /// Delivers a batch. One that is refused as a whole is halved until the entry that is at fault
    /// stands alone and can be put aside. Refusals in words that are not our server's count only
    /// when other entries are taken: a proxy that refuses everything must not empty the spool.
    async fn deliver(&mut self, entries: Vec<Stored>) -> Result<(), Failure> {
        let mut parts = vec![entries];
        let (mut is_taken, mut doubted) = (false, Vec::new());
        while let Some(mut part) = parts.pop() {
            match self.client.logs(&self.body(&part)).await {
                Ok(answer) => {
                    is_taken = true;
                    self.put_rejected_aside(&part, &answer)?;
                }
                Err(Failure::Refused {
                    code,
                    why,
                    by_server,
                }) if part.len() == 1 => {
                    if by_server {
                        self.put_aside(&part[0], &code, &why)?;
                    } else {
                        doubted.push((part.remove(0), code, why));
                    }
                }
                Err(Failure::Refused { .. }) => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(other) => return Err(other),
            }
        }
        if let (false, Some((_, _, why))) = (is_taken, doubted.first()) {
            return Err(Failure::Retry {
                why: format!("every entry is refused, and not by the server itself: {why}"),
                after: None,
            });
        }
        for (stored, code, why) in doubted {
            self.put_aside(&stored, &code, &why)?;
        }
        Ok(())
    }

    fn put_rejected_aside(&self, part: &[Stored], answer: &BatchAnswer) -> Result<(), Failure> {
        for rejected in &answer.rejected {
            if let Some(stored) = part.get(rejected.index) {
                self.put_aside(stored, &rejected.code, &rejected.message)?;
            }
        }
        Ok(())
    }

    fn put_aside(&self, stored: &Stored, code: &str, why: &str) -> Result<(), Failure> {
        let written = self
            .delivery
            .borrow_mut()
            .put_aside(stored, code, why, (self.clock)());
        written.map_err(|error| Failure::Retry {
            why: format!("a refused entry cannot be put aside: {error}"),
            after: None,
        })
    }

    fn body(&self, entries: &[Stored]) -> Vec<u8> {
        let head = format!(
            "{{\"machine_id\":\"{}\",\"epoch\":{},\"logs\":[",
            self.machine_id, self.epoch
        );
        let mut body = head.into_bytes();
        for (index, stored) in entries.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(stored.json.as_bytes());
        }
        body.extend_from_slice(b"]}");
        body
    }

    fn failed(&mut self, failure: Failure) -> Worked {
        let (why, worked) = match failure {
            Failure::Hold { why } => (why, Worked::Hold),
            Failure::Retry { why, after } => {
                (why, Worked::Wait(self.backoff.next(after, random_byte())))
            }
            Failure::Refused { why, .. } => {
                (why, Worked::Wait(self.backoff.next(None, random_byte())))
            }
        };
        self.delivery
            .borrow_mut()
            .failed(Sending::Logs, &why, (self.clock)());
        worked
    }

    fn spool_failed(&self, error: &io::Error) -> Worked {
        let why = format!("the state directory fails: {error}");
        self.delivery
            .borrow_mut()
            .failed(Sending::Logs, &why, (self.clock)());
        Worked::Wait(SPOOL_RETRY)
    }
}

async fn wait_for_growth(grown: &mut watch::Receiver<u64>) {
    if grown.changed().await.is_err() {
        // The spool is closed: nothing will come any more, and the agent is about to end.
        std::future::pending::<()>().await;
    }
}
