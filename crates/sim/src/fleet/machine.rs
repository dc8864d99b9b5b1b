//! One machine of the fleet: its past, then its present, with heartbeats and endless retries.

use std::time::Duration;

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use wire::redact::HashKey;
use wire::{Batch, ClockState, Heartbeat, LogEntry, Micros};

use super::{Fate, Member, Options, entries, now};
use crate::app::{Application, Setup};
use crate::rng::Rng;

/// A poll every half minute and every tenth pulse: a fleet of hundreds fits through one small PC.
const POLL_MS: i64 = 30_000;
const PULSES_PER_LINE: u32 = 10;
/// A healthy machine warns seldom enough to be green.
const TIMEOUTS_PER_HOUR: f64 = 0.4;
/// Entries in one batch; well inside the server's 10,000.
const BATCH_ENTRIES: usize = 2_000;
/// How often new entries are looked for.
const PACE: Duration = Duration::from_secs(2);
/// Retries wait this long at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MOST: Duration = Duration::from_secs(30);

pub(super) struct Machine {
    member: Member,
    fate: Fate,
    url: String,
    client: reqwest::Client,
    app: Application,
    rng: Rng,
    key: HashKey,
    epoch: u64,
    next_seq: u64,
    started: Micros,
    heartbeat_every: Duration,
    silent_after: Duration,
    history_only: bool,
}

impl Machine {
    pub(super) fn new(
        index: usize,
        member: &Member,
        options: &Options,
        client: reqwest::Client,
        started: Micros,
    ) -> Machine {
        let fate = Fate::of(index);
        let seed = options
            .seed
            .wrapping_mul(1_000_003)
            .wrapping_add(index as u64);
        let history_us = i64::try_from(options.history.as_micros()).unwrap_or(i64::MAX);
        let mut rng = Rng::new(seed);
        let setup = Setup {
            faults: fate.faults(),
            stamp_us: 1_000,
            poll_ms: POLL_MS,
            pulses_per_line: PULSES_PER_LINE,
            sales_per_hour: rng.between(4, 10) as f64,
            timeouts_per_hour: TIMEOUTS_PER_HOUR,
            ..Setup::real(seed, started.plus_us(-history_us))
        };
        Machine {
            key: HashKey::new(Sha256::digest(member.machine_id.as_str()).into()),
            member: member.clone(),
            fate,
            url: options.url.clone(),
            client,
            app: Application::new(setup),
            rng,
            epoch: started.0.unsigned_abs() / 1_000_000,
            next_seq: 1,
            started,
            heartbeat_every: options.heartbeat,
            silent_after: options.silent_after,
            history_only: options.history_only,
        }
    }

    /// Sends until the fate ends it, or for ever.
    ///
    /// # Errors
    /// The server refused the machine's key or a whole batch for good.
    pub(super) async fn run(mut self) -> Result<()> {
        let began = Instant::now();
        let mut next_beat = began;
        loop {
            if self.fate == Fate::FallsSilent && began.elapsed() >= self.silent_after {
                return Ok(());
            }
            if Instant::now() >= next_beat {
                let beat = serde_json::to_vec(&self.heartbeat())?;
                self.deliver("/api/heartbeat", beat).await?;
                next_beat = Instant::now() + self.heartbeat_every;
            }
            let logs = self.due(now());
            let full = logs.len() == BATCH_ENTRIES;
            if !logs.is_empty() {
                let machine_id = self.member.machine_id.clone();
                let batch = Batch {
                    machine_id,
                    epoch: Some(self.epoch),
                    logs,
                };
                self.deliver("/api/logs", serde_json::to_vec(&batch)?)
                    .await?;
            }
            if !full {
                if self.history_only {
                    return Ok(());
                }
                tokio::time::sleep(PACE).await;
            }
        }
    }

    /// What the application has logged up to `now` and nobody has sent, at most one batch.
    fn due(&mut self, now: Micros) -> Vec<LogEntry> {
        let mut logs = Vec::new();
        while logs.len() < BATCH_ENTRIES && self.app.next_at() <= now {
            let step = self.app.next_step();
            if let Some(entry) = entries::entry(&step, self.next_seq, &self.key) {
                self.next_seq += 1;
                logs.push(entry);
            }
        }
        logs
    }

    fn heartbeat(&mut self) -> Heartbeat {
        const GIB: u64 = 1 << 30;
        let since_start_s = now().since_us(self.started).unsigned_abs() / 1_000_000;
        Heartbeat {
            sent_at: Some(now().to_rfc3339()),
            agent_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            uptime_s: Some(3 * 86_400 + since_start_s),
            clock: Some(ClockState::Synced),
            epoch: Some(self.epoch),
            last_seq: Some(self.next_seq - 1),
            spool_entries: Some(0),
            spool_bytes: Some(64 << 10),
            spool_oldest_age_s: Some(0),
            input_lag_bytes: Some(0),
            cpu_temperature_c: Some(self.rng.between(420, 610) as f64 / 10.0),
            disk_free_bytes: Some(21 * GIB + self.rng.between(0, 1 << 28).unsigned_abs()),
            memory_available_bytes: Some(5 * GIB + self.rng.between(0, 1 << 28).unsigned_abs()),
            entries_put_aside: Some(0),
            ..Heartbeat::new(self.member.machine_id.clone())
        }
    }

    /// Posts until the server has taken it: what may pass is tried again for ever.
    async fn deliver(&mut self, path: &str, body: Vec<u8>) -> Result<()> {
        let mut wait = RETRY_FIRST;
        loop {
            let request = self
                .client
                .post(format!("{}{path}", self.url))
                .bearer_auth(&self.member.api_key)
                .header("content-type", "application/json")
                .body(body.clone());
            match request.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => {
                    let status = answer.status();
                    let passing = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
                    if !passing {
                        let text = answer.text().await.unwrap_or_default();
                        let id = &self.member.machine_id;
                        bail!("{id}: the server refused {path} with {status}: {text}");
                    }
                }
                Err(error) => {
                    if wait == RETRY_FIRST {
                        eprintln!("{}: {error:#}; trying again", self.member.machine_id);
                    }
                }
            }
            let jitter = Duration::from_millis(self.rng.between(0, 400).unsigned_abs());
            tokio::time::sleep(wait + jitter).await;
            wait = (wait * 2).min(RETRY_MOST);
        }
    }
}
