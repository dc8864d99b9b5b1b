//! The line between kiosk and reader: 9600 baud in both directions, and what garbles it.

use std::collections::VecDeque;
use std::time::Duration;

use super::rng::Rng;
use super::setup::Faults;
use crate::frame::wire_time;

/// A pause in the middle of a frame after which the reader takes it to be over.
const SILENCE: Duration = Duration::from_millis(60);
/// The longest pause of a split, shorter than [`SILENCE`]: USB hands bytes over in pieces.
const SPLIT_MOST_MS: u64 = 30;
/// Bytes that wait on the line in one direction; more are lost, as in a full receive buffer.
const WAITING_MOST: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Line {
    faults: Faults,
    rng: Rng,
    /// On their way to the reader, and when each has arrived.
    received: VecDeque<(Duration, u8)>,
    receive_free: Duration,
    /// When the last byte has arrived, while a frame may be going on.
    last_received: Option<Duration>,
    /// On their way to the kiosk.
    sending: VecDeque<(Duration, u8)>,
    send_free: Duration,
}

impl Line {
    pub(super) fn new(faults: Faults, rng: Rng) -> Line {
        Line {
            faults,
            rng,
            received: VecDeque::new(),
            receive_free: Duration::ZERO,
            last_received: None,
            sending: VecDeque::new(),
            send_free: Duration::ZERO,
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now: Duration) {
        for (pause, byte) in self.garbled(bytes) {
            self.receive_free = self.receive_free.max(now) + pause + wire_time(1);
            if self.received.len() < WAITING_MOST {
                self.received.push_back((self.receive_free, byte));
            }
        }
    }

    /// The next byte that has arrived by `now`; a pause long enough to end a frame is `None`.
    pub(super) fn next_received(&mut self, now: Duration) -> Option<(Duration, Option<u8>)> {
        let next = self.received.front().map_or(now, |(at, _)| *at).min(now);
        if let Some(silent) = self.last_received.map(|last| last + SILENCE)
            && next >= silent
        {
            self.last_received = None;
            return Some((silent, None));
        }
        let (at, byte) = *self.received.front().filter(|(at, _)| *at <= now)?;
        self.received.pop_front();
        self.last_received = Some(at);
        Some((at, Some(byte)))
    }

    pub(super) fn send(&mut self, bytes: &[u8], at: Duration) {
        for (pause, byte) in self.garbled(bytes) {
            self.send_free = self.send_free.max(at) + pause + wire_time(1);
            if self.sending.len() < WAITING_MOST {
                self.sending.push_back((self.send_free, byte));
            }
        }
    }

    /// What has reached the kiosk by `now`.
    pub(super) fn sent(&mut self, now: Duration) -> Vec<u8> {
        let count = self.sending.iter().take_while(|(at, _)| *at <= now).count();
        self.sending.drain(..count).map(|(_, byte)| byte).collect()
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        let received = self.received.front().map(|(at, _)| *at);
        let silence = self.last_received.map(|last| last + SILENCE);
        let sending = self.sending.front().map(|(at, _)| *at);
        [received, silence, sending].into_iter().flatten().min()
    }

    /// What becomes of bytes on the way, each with the pause before it.
    fn garbled(&mut self, bytes: &[u8]) -> Vec<(Duration, u8)> {
        let mut out: Vec<(Duration, u8)> = Vec::with_capacity(bytes.len());
        let mut late = None;
        for &byte in bytes {
            let mut byte = byte;
            if self.rng.chance(self.faults.lost) {
                continue;
            }
            if self.rng.chance(self.faults.flipped) {
                byte ^= 1 << self.rng.up_to(7);
            }
            let mut pause = Duration::ZERO;
            if self.rng.chance(self.faults.split) {
                pause = Duration::from_millis(self.rng.up_to(SPLIT_MOST_MS));
            }
            if late.is_none() && self.rng.chance(self.faults.reordered) {
                late = Some((pause, byte));
                continue;
            }
            out.push((pause, byte));
            if self.rng.chance(self.faults.doubled) {
                out.push((Duration::ZERO, byte));
            }
            out.extend(late.take());
        }
        out.extend(late);
        out
    }
}
