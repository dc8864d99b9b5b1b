//! One of the two ways of entries to the server: collect a batch, deliver it, move the cursor.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use wire::time::SECOND_US;
use wire::{BatchAnswer, MachineId, Micros};

use super::SharedDelivery;
use super::backoff::{Backoff, random_byte};
use super::client::Failure;
use super::cursor::Sending;
use super::link::Link;
use super::pace::MAX_ENTRIES;
use crate::clock::{Repairs, since_boot_us, timer};
use crate::config::{Mode, Wifi};
use crate::spool::{SpoolReader, Stored};

/// A refused key is tried again this often: the server may have been told of it meanwhile.
const HOLD_RETRY_US: i64 = 60 * SECOND_US;
/// While a key is refused, its file is looked at this often: a new key is used at once.
const KEY_LOOK: Duration = Duration::from_secs(2);
/// In continuous mode, the most an entry waits for others to share its request.
const CONTINUOUS_EVERY_US: i64 = SECOND_US / 2;
/// When the next entry is under way in the other lane, look again after this time.
const CLAIMED_WAIT: Duration = Duration::from_millis(250);
/// While entries wait for the clock, it is looked at this often; that is soon after boot only.
const CLOCK_LOOK: Duration = Duration::from_secs(1);
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
    link: Rc<Link>,
    delivery: SharedDelivery,
    repairs: Arc<Repairs>,
    reader: SpoolReader,
    /// The levels it takes, by number.
    levels: [bool; 5],
    mode: Mode,
    /// For so long after boot, or after a route came up, entries that can wait do so for the
    /// clock to be set.
    clock_wait_us: i64,
    backoff: Backoff,
    /// The link broke while an entry was looked for that is refused: it is among the next so many.
    narrowed: Option<usize>,
    /// The key file as it was when it was read last.
    key_stamp: Option<(SystemTime, u64)>,
    clock: fn() -> Micros,
}

/// What a lane works with, beside its reader.
#[derive(Clone)]
pub struct LaneParts {
    /// Who sends.
    pub machine_id: MachineId,
    /// The spool's epoch.
    pub epoch: u64,
    /// The way to the server.
    pub link: Rc<Link>,
    /// How far the server has confirmed.
    pub delivery: SharedDelivery,
    /// What settles the times of entries before they are sent.
    pub repairs: Arc<Repairs>,
    /// How long entries that can wait do so for the clock.
    pub clock_wait: Duration,
    /// The machine's clock.
    pub clock: fn() -> Micros,
}

struct Collected {
    entries: Vec<Stored>,
    /// The last seq that was looked at.
    through: u64,
    /// The next entry is under way in the urgent lane.
    is_blocked: bool,
    /// The next entry waits for the clock.
    is_early: bool,
}

impl Lane {
    /// A lane that goes on where the delivery state says.
    pub fn new(kind: LaneKind, config: &Wifi, parts: LaneParts, reader: SpoolReader) -> Lane {
        let mut levels = config.levels;
        if kind == LaneKind::Urgent {
            levels
                .iter_mut()
                .zip(config.immediate)
                .for_each(|(sent, now)| *sent &= now);
        }
        Lane {
            kind,
            machine_id: parts.machine_id,
            epoch: parts.epoch,
            link: parts.link,
            delivery: parts.delivery,
            repairs: parts.repairs,
            reader,
            levels,
            mode: config.mode,
            clock_wait_us: i64::try_from(parts.clock_wait.as_micros()).unwrap_or(i64::MAX),
            backoff: Backoff::default(),
            narrowed: None,
            key_stamp: None,
            clock: parts.clock,
        }
    }

    /// Delivers for ever; `grown` tells that the spool has more.
    pub async fn run(&mut self, mut grown: watch::Receiver<u64>) {
        loop {
            let began_us = since_boot_us();
            self.drain().await;
            match (self.kind, self.mode) {
                (LaneKind::Bulk, Mode::Interval(seconds)) => {
                    let interval_us = i64::try_from(seconds).unwrap_or(i64::MAX / 2) * SECOND_US;
                    timer::sleep_until_us(began_us.saturating_add(interval_us)).await;
                }
                (LaneKind::Urgent, _) => wait_for_growth(&mut grown).await,
                (LaneKind::Bulk, Mode::Continuous) => {
                    wait_for_growth(&mut grown).await;
                    timer::sleep_until_us(began_us + CONTINUOUS_EVERY_US).await;
                }
            }
        }
    }

    /// Sends until nothing is left, however long it takes.
    async fn drain(&mut self) {
        loop {
            self.link.ready().await;
            self.key_stamp = self.link.client().key_stamp();
            match self.send_next().await {
                Worked::Sent => {}
                Worked::Idle => return,
                Worked::Wait(wait) => {
                    if self.link.pause(wait).await {
                        // The way that failed is not the one that there is now.
                        self.backoff.reset();
                    }
                }
                Worked::Hold => self.wait_for_key().await,
            }
        }
    }

    /// Waits until the key file is another than the refused one, or it is time to try that again.
    async fn wait_for_key(&self) {
        let until_us = since_boot_us() + HOLD_RETRY_US;
        while since_boot_us() < until_us && self.link.client().key_stamp() == self.key_stamp {
            timer::sleep(KEY_LOOK).await;
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
            return match (collected.is_blocked, collected.is_early) {
                (true, _) => Worked::Wait(CLAIMED_WAIT),
                (_, true) => Worked::Wait(CLOCK_LOOK),
                (false, false) => Worked::Idle,
            };
        }
        let seqs: Vec<u64> = collected.entries.iter().map(|stored| stored.seq).collect();
        if self.kind == LaneKind::Urgent {
            self.delivery.borrow_mut().claimed = BTreeSet::from_iter(seqs.iter().copied());
        }
        let mut entries = collected.entries;
        self.repairs.settle(&mut entries);
        let delivered = self.deliver(entries).await;
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
        let reach = self.link.reach();
        let mut delivery = self.delivery.borrow_mut();
        delivery.reached(reach.state, reach.since);
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
            is_early: false,
        };
        let waits_for_clock = self.kind == LaneKind::Bulk && self.is_soon();
        let bytes_max = self.link.batch_bytes();
        let mut bytes = 0;
        let entries_max = self.narrowed.unwrap_or(MAX_ENTRIES);
        while collected.entries.len() < entries_max {
            let Some(stored) = self.reader.next_entry()? else {
                break;
            };
            if self.kind == LaneKind::Bulk && delivery.claimed.contains(&stored.seq) {
                // Its answer decides.
                collected.is_blocked = true;
                break;
            }
            let wanted = self.levels[usize::from(stored.level.as_u8())];
            if wanted && !state.is_done(stored.seq) {
                if waits_for_clock && self.repairs.may_wait(&stored) {
                    collected.is_early = true;
                    break;
                }
                bytes += stored.json.len() + 1;
                if bytes > bytes_max && !collected.entries.is_empty() {
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

    /// Whether the clock may still be set soon: the machine has just booted, or got its network.
    fn is_soon(&self) -> bool {
        let now_us = since_boot_us();
        let is_within = |since_us: i64| now_us < since_us.saturating_add(self.clock_wait_us);
        is_within(0) || self.link.came_up_us().is_some_and(is_within)
    }

    /// Delivers a batch. One that is refused as a whole is halved until the entry that is at fault
    /// stands alone and can be put aside. Refusals in words that are not our server's count only
    /// when other entries are taken: a proxy that refuses everything must not empty the spool.
    async fn deliver(&mut self, entries: Vec<Stored>) -> Result<(), Failure> {
        let mut parts = vec![entries];
        let (mut is_taken, mut doubted) = (false, Vec::new());
        while let Some(mut part) = parts.pop() {
            match self.link.logs(&self.body(&part)).await {
                Ok(answer) => {
                    is_taken = true;
                    self.put_rejected_aside(&part, &answer)?;
                    if let (true, Some(next)) = (doubted.is_empty(), parts.last()) {
                        // What is done stays done when the link breaks before the rest is.
                        self.narrowed = Some(next.len());
                        self.confirm_part(&part)?;
                    }
                }
                Err(Failure::Refused {
                    code,
                    why,
                    by_server,
                    ..
                }) if part.len() == 1 => {
                    if by_server {
                        self.put_aside(&part[0], &code, &why)?;
                    } else {
                        doubted.push((part.remove(0), code, why));
                    }
                }
                Err(Failure::Refused { .. }) => {
                    let second = part.split_off(part.len() / 2);
                    self.narrowed = Some(part.len()).filter(|_| doubted.is_empty());
                    parts.extend([second, part]);
                }
                Err(other) => return Err(other),
            }
        }
        self.narrowed = None;
        if let (false, Some((_, _, why))) = (is_taken, doubted.first()) {
            let why = format!("every entry is refused, and not by the server itself: {why}");
            return Err(Failure::retry(why));
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
        written.map_err(|error| {
            Failure::retry(format!("a refused entry cannot be put aside: {error}"))
        })
    }

    /// The first parts of a batch are delivered, the others not yet.
    fn confirm_part(&mut self, part: &[Stored]) -> Result<(), Failure> {
        let seqs: Vec<u64> = part.iter().map(|stored| stored.seq).collect();
        let through = seqs.last().copied().unwrap_or(0);
        let now = (self.clock)();
        let mut delivery = self.delivery.borrow_mut();
        let saved = match self.kind {
            LaneKind::Bulk => delivery.bulk_confirmed(through, now),
            LaneKind::Urgent => delivery.urgent_confirmed(&seqs, now),
        };
        saved.map_err(|error| Failure::retry(format!("the state directory fails: {error}")))
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
        let worked = match &failure {
            Failure::Hold { .. } => Worked::Hold,
            Failure::Retry { after, .. } => Worked::Wait(self.backoff.next(*after, random_byte())),
            Failure::Refused { .. } => Worked::Wait(self.backoff.next(None, random_byte())),
        };
        let reach = self.link.reach();
        let mut delivery = self.delivery.borrow_mut();
        delivery.reached(reach.state, reach.since);
        delivery.failed(Sending::Logs, failure.why(), (self.clock)());
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
