//! The one thread that reads: inputs -> assemble -> redact -> classify -> number -> spool.
//! Everything after the spool happens elsewhere; this never waits for a network.

mod group;
mod own;
mod progress;
mod reader;
mod ready;
mod replies;
mod source;
mod wake;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use wire::redact::Redactor;

use crate::clock::Wall;
use crate::config;
use crate::durable;
use crate::eport::Outbox;
use crate::input::socket::Outcome;
use crate::input::watch::{SAFETY_POLL, Watcher};
use crate::own_log::OwnLog;
use crate::spool::Spool;
use group::Group;
pub use group::{SPREAD, SPREAD_CONTINUOUS};
use own::Own;
pub use progress::{InputState, Progress, Room};
pub use ready::AGENT;
pub(crate) use ready::own_record;
use ready::{Judged, Ready, Stage, said_record};
use replies::Replies;
use source::Source;
pub use wake::{Wake, Waker};

/// A full disk is tried again after this time.
const DISK_FULL_RETRY: Duration = Duration::from_secs(5);
/// When the agent ends, it reads on for this long at most; the rest stays in the file.
const LAST_READ: Duration = Duration::from_secs(2);

/// What a pipeline is made of, besides its inputs.
pub struct Setup {
    /// Where entries go.
    pub spool: Spool,
    /// What must not be written.
    pub redactor: Redactor,
    /// What is said of it.
    pub progress: Arc<Progress>,
    /// How far apart the syncs of entries are that can be read again.
    pub spread: Duration,
    /// The sending end of what [`Pipeline::run`] receives.
    pub wakes: Sender<Wake>,
    /// What the agent says itself.
    pub own: OwnLog,
    /// Drops for the card reader, when the vending application takes them from the socket.
    pub outbox: Option<Arc<Outbox>>,
}

/// The reading end of the agent.
pub struct Pipeline {
    sources: Vec<Source>,
    spool: Spool,
    redactor: Redactor,
    progress: Arc<Progress>,
    group: Group,
    ready: VecDeque<Ready>,
    own: Own,
    own_log: OwnLog,
    own_waker: Waker,
    replies: Replies,
    retry_disk: Option<Instant>,
    full_reported: bool,
}

impl Pipeline {
    /// Goes on where the spool says that each input stopped.
    ///
    /// # Errors
    /// A configured pack cannot be read.
    pub fn new(inputs: &[config::Input], setup: Setup) -> anyhow::Result<Pipeline> {
        let mut sources = Vec::new();
        for (index, input) in inputs.iter().enumerate() {
            let waker = Waker::new(setup.wakes.clone(), index);
            sources.push(Source::new(input, &setup, waker)?);
        }
        // The number behind the inputs is its own.
        let own_waker = Waker::new(setup.wakes.clone(), sources.len());
        setup.own.set_waker(own_waker.clone());
        Ok(Pipeline {
            sources,
            spool: setup.spool,
            redactor: setup.redactor,
            progress: setup.progress,
            group: Group::new(setup.spread),
            ready: VecDeque::new(),
            own: Own::default(),
            own_log: setup.own,
            own_waker,
            replies: Replies::default(),
            retry_disk: None,
            full_reported: false,
        })
    }

    /// Works until [`Wake::Stop`]; then reads what is there, syncs, and writes the checkpoint.
    ///
    /// # Errors
    /// The spool cannot be written or synced; the agent must end, and the next start reads the
    /// inputs again from the last durable entry.
    pub fn run(
        mut self,
        wakes: &Receiver<Wake>,
        watcher: &mut Watcher,
        clock: impl Fn() -> Wall,
    ) -> io::Result<()> {
        let mut next_poll = Instant::now() + SAFETY_POLL;
        loop {
            let now = Instant::now();
            self.progress.reading.begin(now);
            let wait = self
                .step(now, clock())?
                .min(next_poll.saturating_duration_since(now));
            self.progress.reading.rest();
            // Many events of one burst are one reason to look.
            let first = match wakes.recv_timeout(wait) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Wake::Stop),
            };
            let mut is_changed = false;
            for wake in first.into_iter().chain(wakes.try_iter()) {
                match wake {
                    Wake::Changed => is_changed = true,
                    Wake::Input(index) => {
                        if let Some(source) = self.sources.get_mut(index) {
                            source.look_at(Instant::now());
                        }
                    }
                    Wake::Delivered => {}
                    Wake::Stop => return self.finish(&clock),
                }
            }
            if Instant::now() >= next_poll {
                watcher.refresh();
                is_changed = true;
                next_poll = Instant::now() + SAFETY_POLL;
            }
            if is_changed {
                self.look_around();
            }
        }
    }

    /// Has every input looked at in the next step.
    pub fn look_around(&mut self) {
        let now = Instant::now();
        self.sources
            .iter_mut()
            .for_each(|source| source.look_at(now));
    }

    /// Does what can be done now; answers how long nothing needs doing unless something changes.
    ///
    /// # Errors
    /// As [`Pipeline::run`].
    pub fn step(&mut self, now: Instant, wall: Wall) -> io::Result<Duration> {
        self.trim()?;
        if let Some(change) = self.progress.app.tick(now, wall.at) {
            self.own.say_change(&change, wall, &self.redactor);
        }
        for range in self.spool.take_damage() {
            self.own.say_damage(range, wall, &self.redactor);
            self.progress.gaps.fetch_add(1, Ordering::Relaxed);
        }
        self.own_waker.looked_at();
        for said in self.own_log.take_out() {
            self.own.say(&said_record(said), wall, &self.redactor);
        }
        for record in self.own_log.take_told() {
            self.own.say(&record, wall, &self.redactor);
        }
        self.append_ready(now)?;
        if self.ready.is_empty() {
            for index in 0..self.sources.len() {
                self.sources[index].read(index, now, wall, &self.redactor, &mut self.ready);
            }
            self.append_ready(now)?;
        }
        self.sync_if_due(now)?;
        self.progress.set_room(self.room());
        let states = self.sources.iter().map(Source::state);
        self.progress.set_inputs(states);
        Ok(self.next_wait(now))
    }

    fn room(&self) -> Room {
        match self.retry_disk {
            Some(_) => Room::DiskFull,
            None if self.spool.is_full() => Room::SpoolFull,
            None => Room::Open,
        }
    }

    fn next_wait(&self, now: Instant) -> Duration {
        let inputs = self
            .sources
            .iter()
            .flat_map(|source| [source.due(), source.flush_due()]);
        // While entries wait for room, reading on is not possible.
        let inputs = inputs.filter(|_| self.ready.is_empty());
        // Nor is syncing, while the disk is full.
        let sync = self.sync_due().filter(|_| self.retry_disk.is_none());
        let next = inputs.chain([sync, self.retry_disk]).flatten().min();
        next.map_or(SAFETY_POLL, |next| next.saturating_duration_since(now))
    }

    fn append_ready(&mut self, now: Instant) -> io::Result<()> {
        if self.retry_disk.is_some_and(|retry| now < retry) {
            return Ok(());
        }
        self.retry_disk = None;
        self.append_own(now)?;
        match self.retry_disk {
            None => self.append_while_room(now),
            Some(_) => Ok(()),
        }
    }

    /// What the agent says itself goes first: it is little.
    fn append_own(&mut self, now: Instant) -> io::Result<()> {
        while let Some((entry, basis)) = self.own.front_mut().filter(|_| !self.spool.is_full()) {
            let (name, origin) = Own::origin();
            match self.spool.append(entry, name, &origin, *basis) {
                Ok(_) => {}
                Err(error) if durable::is_no_room(&error) => {
                    self.disk_is_full(now);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            self.group.joined(entry.level, &origin.at, now);
            self.own.pop();
        }
        Ok(())
    }

    fn append_while_room(&mut self, now: Instant) -> io::Result<()> {
        while let Some(ready) = self.ready.front_mut() {
            if self.spool.is_full() {
                if !std::mem::replace(&mut self.full_reported, true) {
                    tracing::warn!(
                        bytes = self.spool.bytes(),
                        "the spool is full; reading pauses until entries are delivered"
                    );
                }
                return Ok(());
            }
            let source = &mut self.sources[ready.source];
            if matches!(ready.stage, Stage::Starts) {
                self.progress.app.starts(ready.source, source.name());
            }
            ready
                .stage
                .settle(source, &self.redactor, &mut self.replies, now);
            let Stage::Entry(made, ticket) = &mut ready.stage else {
                self.ready.pop_front();
                continue;
            };
            let Judged {
                entry,
                origin,
                basis,
            } = &mut **made;
            match self.spool.append(entry, source.name(), origin, *basis) {
                Ok(seq) => {
                    source.appended(seq);
                    if let Some(ticket) = ticket.take() {
                        self.replies.wait(ticket, Outcome::Stored(seq), now);
                    }
                }
                Err(error) if durable::is_no_room(&error) => {
                    self.disk_is_full(now);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            self.group.joined(entry.level, &origin.at, now);
            self.progress.appended(ready.source, source.name(), entry);
            self.ready.pop_front();
        }
        Ok(())
    }

    fn disk_is_full(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.full_reported, true) {
            tracing::warn!("the disk is full; reading pauses, tried again every 5 s");
        }
        self.retry_disk = Some(now + DISK_FULL_RETRY);
    }

    /// When what was appended is synced; `None` when there is nothing to do.
    fn sync_due(&self) -> Option<Instant> {
        let entries = self.group.due();
        let replies = self.replies.due(match entries {
            Some(_) => self.group.spread(),
            // What they confirm is durable already.
            None => Duration::ZERO,
        });
        entries.into_iter().chain(replies).min()
    }

    fn sync_if_due(&mut self, now: Instant) -> io::Result<()> {
        match self.sync_due() {
            Some(due) if now >= due && self.retry_disk.is_none() => self.sync(now),
            _ => Ok(()),
        }
    }

    /// Nothing is confirmed to anybody but here, behind the sync. Without room, what was gathered
    /// waits in memory, and reading pauses.
    fn sync(&mut self, now: Instant) -> io::Result<()> {
        match self.spool.sync() {
            Ok(()) => {
                self.group.synced(now);
                self.full_reported = false;
                self.replies.give();
                Ok(())
            }
            Err(error) if durable::is_no_room(&error) => {
                self.disk_is_full(now);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn trim(&mut self) -> io::Result<()> {
        let wifi = self.progress.wifi_delivered.load(Ordering::Relaxed);
        let cell = self.progress.cell_delivered.load(Ordering::Relaxed);
        let sent = wifi.min(cell);
        let local = self.progress.local_written.load(Ordering::Relaxed);
        let local_failing = self.progress.local_failing.load(Ordering::Relaxed);
        // A local file that cannot be written must not stop the machine from being heard; without
        // WiFi and cell it is the only one that hears.
        let has_no_room = self.spool.is_full() || self.retry_disk.is_some();
        let is_heard = sent != u64::MAX;
        let local = if local_failing && has_no_room && is_heard {
            u64::MAX
        } else {
            local
        };
        self.spool.trim(sent.min(local))
    }

    fn finish(mut self, clock: &impl Fn() -> Wall) -> io::Result<()> {
        let start = Instant::now();
        self.sources.iter_mut().for_each(Source::stop_reading);
        self.look_around();
        while start.elapsed() < LAST_READ && self.sources.iter().any(Source::is_due) {
            self.step(Instant::now(), clock())?;
            if !self.ready.is_empty() {
                break;
            }
        }
        for (index, source) in self.sources.iter_mut().enumerate() {
            source.give_out_whole(index, clock(), &self.redactor, &mut self.ready);
        }
        self.append_ready(Instant::now())?;
        self.sync(Instant::now())?;
        self.progress.app.save();
        let saved = self.spool.save_checkpoint();
        self.spool.shared().close();
        match saved {
            // The records themselves say how far the inputs were read.
            Err(error) if durable::is_no_room(&error) => Ok(()),
            saved => saved,
        }
    }
}
