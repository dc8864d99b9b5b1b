//! The cellular path's duty on the main thread: follow the spool, hear what became of the last drop,
//! make the next one when it is due. What is due when is `schedule`, what goes in is `choice`.

mod due;
mod health;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use tokio::sync::watch;
use wire::MachineId;
use wire::time::{HOUR_US, MINUTE_US, SECOND_US};

use super::budget::Thrift;
use super::dictionaries::Dictionaries;
use super::fresh::Fresh;
use super::memory::Memory;
use super::moment::Moment;
use super::outbox::{Offer, Outbox, ReaderFacts, Report};
use super::schedule::Why;
use super::sight::WifiSight;
use super::state::{EportState, Pending};
use super::urgency::Urgency;
use super::{SharedHealth, day};
use crate::clock::{self, Repairs, timer};
use crate::config::Eport;
use crate::own_log::OwnLog;
use crate::pipeline::{Progress, Wake};
use crate::spool::{Shared, SpoolReader};
use crate::wifi::Reach;

/// Without anything else to do the shipper looks around this often: a day may be over, a clock set.
const LOOK_US: i64 = 15 * MINUTE_US;
/// A state directory or a spool that fails is tried again after this time.
const RETRY_US: i64 = MINUTE_US;
/// Counts of the day that are newer than the state file are written after this time.
const SAVE_EVERY_US: i64 = HOUR_US;
/// A summary that was told and does not come back from the spool (it may be full) is told again.
const TELL_AGAIN_US: i64 = 30 * MINUTE_US;
/// So many entries are read before others on this thread have their turn.
const READ_AT_ONCE: usize = 256;

/// What a shipper is made of.
pub struct ShipperParts {
    /// Whose drops.
    pub machine_id: MachineId,
    /// `[eport]`.
    pub config: Eport,
    /// Where its state is kept.
    pub path: PathBuf,
    /// What was kept.
    pub state: EportState,
    /// What drops are packed with.
    pub dictionaries: Rc<Dictionaries>,
    /// Where drops wait for the reader.
    pub outbox: Arc<Outbox>,
    /// What WiFi has delivered, when it is on.
    pub wifi: Option<WifiSight>,
    /// How long entries that can wait do so for the clock to be set after boot, in microseconds.
    pub clock_wait_us: i64,
    /// What settles the times of entries before they are offered.
    pub repairs: Arc<Repairs>,
    /// The spool.
    pub shared: Arc<Shared>,
    /// Who may trim it.
    pub progress: Arc<Progress>,
    /// Wakes the pipeline.
    pub wakes: Sender<Wake>,
    /// Makes entries of what there is to tell.
    pub own: OwnLog,
    /// What heartbeats say.
    pub health: SharedHealth,
}

/// The cellular path.
pub struct Shipper {
    pub(super) parts: ShipperParts,
    pub(super) follow: SpoolReader,
    pub(super) fetch: SpoolReader,
    pub(super) state: EportState,
    /// Entries beyond the drop that was made last.
    pub(super) fresh: Fresh,
    /// Entries that the drop covers that waits; `None` when that was made before a restart.
    in_pending: Option<Fresh>,
    pub(super) memory: Memory,
    urgency: Urgency,
    facts: ReaderFacts,
    /// What the reader's driver said that keeps everything from leaving.
    noted: Option<String>,
    started_us: i64,
    /// The drop that waits is not durable yet, and nobody may have it.
    is_unsaved: bool,
    /// When the state file was written last.
    saved_us: i64,
    told_us: Option<i64>,
    is_restored: bool,
}

impl Shipper {
    /// Goes on where the state says; a drop that may have left is offered again as it is.
    pub fn new(mut parts: ShipperParts, [mut follow, fetch]: [SpoolReader; 2]) -> Shipper {
        let state = std::mem::take(&mut parts.state);
        follow.seek(state.told_through(parts.shared.epoch()));
        let now_us = clock::since_boot_us();
        if let Some(pending) = &state.pending {
            parts.outbox.put(offer(pending), true);
        }
        let shipper = Shipper {
            follow,
            fetch,
            fresh: Fresh::default(),
            in_pending: None,
            memory: Memory::restore(&state.remembered),
            urgency: Urgency::default(),
            facts: ReaderFacts::default(),
            noted: None,
            started_us: now_us,
            is_unsaved: false,
            saved_us: now_us,
            told_us: None,
            is_restored: false,
            state,
            parts,
        };
        shipper.tell_delivered();
        shipper
    }

    /// Ships for ever.
    pub async fn run(&mut self) {
        let mut grown = self.parts.shared.subscribe();
        let mut reach = self.parts.wifi.as_ref().map(WifiSight::subscribe);
        let outbox = self.parts.outbox.clone();
        loop {
            let until_us = match self.one_step().await {
                Ok(until_us) => until_us,
                Err(error) => {
                    let why = format!("the state directory fails: {error}");
                    self.note_failure(&why);
                    clock::since_boot_us() + RETRY_US
                }
            };
            tokio::select! {
                () = changed(&mut grown) => {}
                () = reach_changed(&mut reach) => {}
                () = outbox.said() => {}
                () = timer::sleep_until_us(until_us) => {}
            }
        }
    }

    /// The agent ends: what was said last is kept.
    pub fn finish(&mut self) {
        let now = self.now();
        self.parts.outbox.close();
        let saved = match self.hear(now) {
            Ok(true) => Ok(()),
            Ok(false) => self.save(now),
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            tracing::warn!(%error, "the state of the cellular path cannot be saved");
        }
    }

    /// Does what is due now; answers when the next look is due at the latest, since boot.
    ///
    /// # Errors
    /// The spool cannot be read, or the state not be written; nothing has left the agent then.
    pub async fn one_step(&mut self) -> io::Result<i64> {
        let now = self.now();
        self.state.month.turn(now.at, now.is_dated());
        self.hear(now)?;
        if !self.is_restored {
            self.restore_texts().await?;
            self.is_restored = true;
        }
        self.read_on(now).await?;
        if let Some(wifi) = &mut self.parts.wifi {
            wifi.look(now.since_boot_us);
        }
        let day_us = self.tell_day(now);
        let (due, standby_us, is_standby) = self.due(now);
        let mut until_us = now.since_boot_us + LOOK_US.min(day_us);
        if let Some(standby_us) = standby_us {
            until_us = until_us.min(standby_us);
        }
        match due {
            Some((due_us, why)) if due_us <= now.since_boot_us => {
                // When the reader may have one, word of that wakes this.
                self.make_or_hurry(why, now).await?;
            }
            Some((due_us, _)) => until_us = until_us.min(due_us),
            None => {}
        }
        if self.is_unsaved {
            self.publish(now)?;
        } else if now.since_boot_us - self.saved_us >= SAVE_EVERY_US {
            self.save(now)?;
        }
        self.tell_health(now, is_standby);
        Ok(until_us)
    }

    /// Now, with the right time as far as it is known.
    pub(super) fn now(&self) -> Moment {
        let watch = self.parts.repairs.watch();
        let wall = watch.wall();
        let since_boot_us = clock::since_boot_us();
        let right = wall.right_base_us();
        Moment {
            boot: watch.boot(),
            since_boot_us,
            at: right.map_or(wall.at, |base_us| wire::Micros(base_us + since_boot_us)),
            is_known: right.is_some() || wall.state == wire::ClockState::Synced,
        }
    }

    /// Takes what was said of the drop that waits; answers whether the state was saved.
    fn hear(&mut self, now: Moment) -> io::Result<bool> {
        let Some(said) = self.parts.outbox.hear() else {
            return Ok(false);
        };
        self.facts = said.facts;
        let reader = &mut self.state.reader;
        reader.signal_rssi = self.facts.signal_rssi.or(reader.signal_rssi);
        reader.signal_ber = self.facts.signal_ber.or(reader.signal_ber);
        reader.serial = self.facts.serial.clone().or(reader.serial.take());
        self.note_reader(now);
        match said.report {
            Some(Report::Sent(_)) => {
                self.was_sent(now);
                self.save(now)?;
                self.tell_delivered();
                Ok(true)
            }
            Some(Report::Failed(number, why)) => {
                self.note_failure(&format!("drop {number} was not taken by the reader: {why}"));
                Ok(false)
            }
            None => Ok(false),
        }
    }

    fn was_sent(&mut self, now: Moment) {
        let Some(pending) = self.state.pending.take() else {
            return;
        };
        tracing::info!(
            number = pending.number,
            bytes = pending.data.len(),
            entries = pending.included.len(),
            "the reader took a drop"
        );
        self.in_pending = None;
        self.state.month.sent(pending.data.len());
        self.state.last_sent = Some((now.at.to_rfc3339(), pending.number));
        self.state.last_error = None;
        if pending.epoch != self.state.epoch {
            return;
        }
        self.state.covered = self.state.covered.max(pending.last);
        let level = |level: u8| wire::Level::from_u8(level).unwrap_or(wire::Level::Warn);
        for (seq, number) in &pending.included {
            if self.state.summary == Some(*seq) {
                self.state.summary = None;
            } else {
                self.memory.sent(*seq, level(*number));
            }
        }
        for (seq, number) in &pending.left {
            if self.state.summary != Some(*seq) {
                self.memory.left_out(*seq, level(*number));
            }
        }
        self.memory.tidy(&[]);
    }

    pub(super) fn thrift(&self, now: Moment) -> Thrift {
        let config = &self.parts.config;
        let interval_us = i64::try_from(config.send_interval_s).unwrap_or(3600) * SECOND_US;
        let bytes = (config.monthly_budget_bytes, config.max_drop_bytes);
        self.state.month.thrift(bytes, interval_us, now.at)
    }

    pub(super) fn is_immediate(&self, level: wire::Level) -> bool {
        self.parts.config.immediate[usize::from(level.as_u8())]
    }

    /// Makes the drop that is due, or, when the reader may have one, has that hurried: then there is
    /// nothing else to do until something is said of it.
    async fn make_or_hurry(&mut self, why: Why, now: Moment) -> io::Result<()> {
        let is_grave = matches!(why, Why::Grave | Why::Burst);
        let is_of_before = self.state.pending.is_some() && self.in_pending.is_none();
        if is_of_before || self.parts.outbox.is_out() {
            if is_grave {
                self.parts.outbox.hurry(now.since_boot_us);
            }
            return Ok(());
        }
        let mut row = self.in_pending.clone().unwrap_or_default();
        row.append(self.fresh.clone());
        let before = self.state.pending.as_ref();
        let number = before.map_or(self.state.number + 1, |pending| pending.number);
        let was_urgent = before.is_some_and(|pending| pending.is_urgent);
        let is_urgent = is_grave || was_urgent;
        // What is said already is not said anew by being packed anew.
        let said = before.map_or(&[][..], |pending| &pending.included);
        let said: BTreeSet<u64> = said.iter().map(|(seq, _)| *seq).collect();
        let mut made = self.choose_and_pack(&row, (number, is_urgent), now).await?;
        if !self.parts.outbox.take_back() {
            // Somebody has asked for it meanwhile: it stays what it is.
            return Ok(());
        }
        let in_it: BTreeSet<u64> = made.included.iter().map(|(seq, _)| *seq).collect();
        let grave: Vec<_> = row
            .entries()
            .filter(|entry| self.is_immediate(entry.level) && in_it.contains(&entry.seq))
            .copied()
            .collect();
        // It may have come between the look at what is due and this.
        made.is_urgent |= !grave.is_empty();
        let news = grave.into_iter().filter(|entry| !said.contains(&entry.seq));
        self.urgency.made(news, now.since_boot_us);
        self.state.number = self.state.number.max(number);
        self.state.made = Some(now);
        self.state.pending = Some(made);
        self.in_pending = Some(row);
        self.fresh = Fresh::default();
        self.is_unsaved = true;
        self.publish(now)
    }

    /// Makes the drop that waits durable, and only then has it taken.
    fn publish(&mut self, now: Moment) -> io::Result<()> {
        self.save(now)?;
        self.is_unsaved = false;
        if let Some(pending) = &self.state.pending {
            self.parts.outbox.put(offer(pending), false);
        }
        Ok(())
    }

    pub(super) fn save(&mut self, now: Moment) -> io::Result<()> {
        self.state.remembered = self.memory.list();
        self.state.save(&self.parts.path)?;
        self.saved_us = now.since_boot_us;
        Ok(())
    }

    /// Tells the pipeline what the spool need not hold for this path any more. With WiFi on, that
    /// decides alone: what it has delivered needs no other way.
    fn tell_delivered(&self) {
        if self.parts.wifi.is_some() {
            return;
        }
        let owed = self.memory.owed().next();
        let owed = owed.map_or(u64::MAX, |entry| entry.seq.saturating_sub(1));
        let delivered = self.state.covered.min(owed);
        self.parts
            .progress
            .cell_delivered
            .store(delivered, Ordering::Relaxed);
        // The pipeline has gone when the agent ends: nothing is to be trimmed then.
        let _ = self.parts.wakes.send(Wake::Delivered);
    }

    /// Reads what has come since.
    async fn read_on(&mut self, now: Moment) -> io::Result<()> {
        let mut count = 0;
        while let Some(stored) = self.follow.next_entry()? {
            self.see(&stored, now);
            count += 1;
            if count % READ_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Has the day's summary written when the day is over; answers how long it still lasts.
    fn tell_day(&mut self, now: Moment) -> i64 {
        let left_us = self.state.day.left_us(now, self.parts.machine_id.as_str());
        let was_told = |told_us: i64| now.since_boot_us - told_us < TELL_AGAIN_US;
        if left_us > 0 || self.told_us.is_some_and(was_told) {
            return left_us.max(SECOND_US);
        }
        if self.state.day.began.is_none() && self.state.day.counted_through == 0 {
            // Nothing was counted yet: the first day begins.
            self.state.day.began = Some(now);
            return SECOND_US;
        }
        let around = day::Around {
            uptime_s: u64::try_from(now.since_boot_us / SECOND_US).ok(),
            signal_rssi: self.state.reader.signal_rssi,
            signal_ber: self.state.reader.signal_ber,
            used_bytes: self.state.month.used_bytes,
            drops: self.state.month.drops,
        };
        self.parts.own.tell(self.state.day.record(now, around));
        self.told_us = Some(now.since_boot_us);
        TELL_AGAIN_US
    }
}

fn offer(pending: &Pending) -> Offer {
    Offer {
        id: pending.number,
        name: pending.name.clone(),
        data: pending.data.clone(),
        is_urgent: pending.is_urgent,
    }
}

async fn changed(grown: &mut watch::Receiver<u64>) {
    if grown.changed().await.is_err() {
        // The spool is closed: nothing will come any more, and the agent is about to end.
        std::future::pending::<()>().await;
    }
}

async fn reach_changed(reach: &mut Option<watch::Receiver<Reach>>) {
    let is_open = match reach {
        Some(reach) => reach.changed().await.is_ok(),
        None => false,
    };
    if !is_open {
        std::future::pending::<()>().await;
    }
}
