//! The sign of life: what the machine and the agent can say of themselves, every few minutes.

mod formats;
mod machine;

pub use machine::disk_free_bytes;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use wire::{Heartbeat, HeartbeatAnswer, InputHealth, MachineId, Micros};

use crate::care::{Care, Next};
use crate::clock::{Repairs, ServerTime, since_boot_us, timer};
use crate::eport::SharedHealth;
use crate::pipeline::{InputState, Progress, Room};
use crate::spool::{Shared, SpoolReader};
use crate::wifi::{Link, Sending, SharedDelivery};

/// A heartbeat that did not arrive is tried again after this time, or its own interval when that
/// is shorter.
const RETRY: Duration = Duration::from_secs(30);
/// When the server says for the first time that this clock is wrong, it is asked again this soon.
const SECOND_ANSWER: Duration = Duration::from_secs(5);

/// Sends heartbeats.
pub struct Heartbeats {
    /// Who speaks.
    pub machine_id: MachineId,
    /// Between two.
    pub interval: Duration,
    /// For the free space of its disk.
    pub state_dir: PathBuf,
    /// The spool that is spoken of.
    pub spool: Arc<Shared>,
    /// For the age of the oldest entry not delivered.
    pub reader: SpoolReader,
    /// How far the server has confirmed.
    pub delivery: SharedDelivery,
    /// What the pipeline says of itself.
    pub progress: Arc<Progress>,
    /// The way to the server.
    pub link: Rc<Link>,
    /// What the server asks for in its answers.
    pub care: Care,
    /// What is known of the clock.
    pub repairs: Arc<Repairs>,
    /// How the cellular path is, when it is on.
    pub cell: Option<SharedHealth>,
    /// The server's clock minus the machine's, as the last answer told it.
    pub clock_offset_us: Option<i64>,
    /// The machine's clock.
    pub clock: fn() -> Micros,
}

impl Heartbeats {
    /// Sends one at once and then one each interval, until the agent's parts are to be started
    /// with another configuration.
    pub async fn run(&mut self) {
        let mut is_extra = false;
        loop {
            self.link.ready().await;
            let began_us = since_boot_us();
            let mut heartbeat = self.build();
            self.care.report(&mut heartbeat);
            let sent = self.link.heartbeat(&heartbeat).await;
            let reach = self.link.reach();
            self.delivery.borrow_mut().reached(reach.state, reach.since);
            match sent {
                Ok((answer, sent_us, answered_us)) => {
                    self.delivery.borrow_mut().heartbeat_arrived();
                    self.hear(&answer, sent_us, answered_us);
                    let next = self.care.answered(&heartbeat, answer);
                    // One more at a time, whatever a server answers.
                    is_extra = next == Next::Again && !is_extra;
                    let wait = match next {
                        Next::Restart => return,
                        Next::Again if is_extra => Duration::ZERO,
                        _ if self.repairs.watch().wants_second_answer() => {
                            self.interval.min(SECOND_ANSWER)
                        }
                        _ => self.interval,
                    };
                    let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2);
                    timer::sleep_until_us(began_us.saturating_add(wait_us)).await;
                }
                Err(failure) => {
                    let now = (self.clock)();
                    self.delivery
                        .borrow_mut()
                        .failed(Sending::Heartbeat, failure.why(), now);
                    self.link.pause(self.interval.min(RETRY)).await;
                }
            }
        }
    }

    /// Takes what the server's answer says of the time.
    fn hear(&mut self, answer: &HeartbeatAnswer, sent_us: i64, answered_us: i64) {
        if let Ok(at) = Micros::parse_rfc3339(&answer.server_time) {
            let said = ServerTime {
                at,
                sent_us,
                answered_us,
            };
            self.clock_offset_us = Some(self.repairs.watch().server_said(said));
        }
    }

    /// What there is to say now.
    pub fn build(&mut self) -> Heartbeat {
        let now = (self.clock)();
        let synced = self.spool.synced();
        let (bulk, sent, put_aside) = {
            let delivery = self.delivery.borrow();
            let state = delivery.state();
            (state.bulk, state.sent.len() as u64, state.put_aside)
        };
        self.reader.seek(bulk);
        let oldest = self.reader.next_entry().ok().flatten();
        let (memory_available_bytes, memory_total_bytes) = machine::memory_bytes();
        let (disk_free_bytes, disk_total_bytes) = machine::disk_bytes(&self.state_dir).unzip();
        let reach = self.link.reach();
        Heartbeat {
            sent_at: Some(now.to_rfc3339()),
            agent_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            uptime_s: machine::uptime_s(),
            clock: Some(self.repairs.watch().wall().state),
            clock_offset_ms: self.clock_offset_us.map(|offset| offset / 1_000),
            reachability: Some(reach.state),
            reachability_since: Some(reach.since.to_rfc3339()),
            epoch: Some(self.spool.epoch()),
            last_seq: Some(synced.last_seq),
            spool_entries: Some(synced.last_seq.saturating_sub(bulk).saturating_sub(sent)),
            spool_bytes: Some(synced.bytes),
            spool_oldest_age_s: oldest
                .map(|stored| now.since_us(stored.at).max(0) as u64 / 1_000_000),
            input_lag_bytes: Some(self.progress.input_lag_bytes.load(Ordering::Relaxed)),
            cpu_temperature_c: machine::cpu_temperature_c(),
            disk_free_bytes,
            disk_total_bytes,
            memory_available_bytes,
            memory_total_bytes,
            load_1m: machine::load_1m(),
            throttled: machine::throttled(),
            wifi_signal_dbm: machine::wifi_signal_dbm(),
            entries_put_aside: Some(put_aside),
            inputs: self.inputs(),
            gaps: Some(self.progress.gaps.load(Ordering::Relaxed)),
            app: Some(self.progress.app.facts(std::time::Instant::now())),
            cell: self.cell.as_ref().map(|cell| cell.borrow().clone()),
            ..Heartbeat::new(self.machine_id.clone())
        }
    }

    fn inputs(&self) -> Vec<InputHealth> {
        let word = |is_failing: bool| match (is_failing, self.progress.room()) {
            (true, _) => "failing",
            (false, Room::Open) => "reading",
            (false, Room::SpoolFull | Room::DiskFull) => "paused",
        };
        let health = |input: InputState| InputHealth {
            state: word(input.trouble.is_some()).to_owned(),
            name: input.name,
            lag_bytes: Some(input.lag_bytes),
            error: input.trouble,
        };
        self.progress.inputs().into_iter().map(health).collect()
    }
}
