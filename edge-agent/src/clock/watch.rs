//! Follows the wall clock through this boot, from the agent's start on: when it stepped, when it
//! was set right, and what the server says of it. Shared by the threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wire::time::SECOND_US;
use wire::{ClockState, Micros};

use super::source::Source;
use super::timeline::{Right, SAME_BASE_US, TIMELINES_MAX, Timeline, Wall};

/// An answer that was longer under way says too little of the server's clock.
const ROUND_TRIP_MAX_US: i64 = 10 * SECOND_US;
/// Two answers must agree to so much before the server's word is taken.
const AGREE_US: i64 = 2 * SECOND_US;
/// A clock that is wrong by less, as the server sees it, is left alone: no time source says which
/// of the two is right, and a minute does not mislead anybody.
pub const SERVER_TOLERANCE_US: i64 = 60 * SECOND_US;
/// A clock this near to the time that is known to be right has been set. The server's word is taken
/// only against one that is much further off.
const SET_WITHIN_US: i64 = SERVER_TOLERANCE_US / 2;

/// The clock of this boot.
#[derive(Debug)]
pub struct Watch {
    boot: u64,
    source: Source,
    /// Whether the server's word may be taken where no time source is heard.
    trusts_server: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// A time source has set the clock in this boot; it stays so.
    is_set: bool,
    timelines: [Option<Timeline>; TIMELINES_MAX],
    right: Option<Right>,
    /// The base that the server's last answer tells.
    server_base_us: Option<i64>,
    /// One more answer would tell whether its word can be taken.
    wants_second: bool,
}

/// What an answer of the server tells of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerTime {
    /// The server's clock when it answered.
    pub at: Micros,
    /// When the request was sent, since boot.
    pub sent_us: i64,
    /// When the answer was there, since boot.
    pub answered_us: i64,
}

impl Watch {
    /// A watch over this boot's clock. `right_base_us` is what an earlier run of the agent in this
    /// boot found to be the right one; that was the server's word when the clock still shows another.
    pub fn new(source: Source, trusts_server: bool, right_base_us: Option<i64>) -> Watch {
        let since_boot_us = super::since_boot_us();
        let right = right_base_us.map(|base_us| Right {
            base_us,
            since_us: since_boot_us,
        });
        let shown_us = super::now().0 - since_boot_us;
        let is_shown = |right: Right| (shown_us - right.base_us).abs() <= SET_WITHIN_US;
        let inner = Inner {
            is_set: right.is_some_and(is_shown),
            right,
            ..Inner::default()
        };
        Watch {
            boot: super::boot(),
            source,
            trusts_server,
            inner: Mutex::new(inner),
        }
    }

    /// The clock as it is now. While it is not set the time source is asked; then never again.
    pub fn wall(&self) -> Wall {
        let mut inner = self.lock();
        // Asked before the clocks are read: what they then show is after the setting.
        let is_set = inner.is_set || self.source.is_set();
        let (since_boot_us, at) = (super::since_boot_us(), super::now());
        inner.see(at, since_boot_us, is_set);
        Wall {
            at,
            state: match inner.is_set {
                true => ClockState::Synced,
                false => ClockState::Unsynced,
            },
            boot: self.boot,
            since_boot_us,
            timelines: inner.timelines,
            right: inner.right,
        }
    }

    /// This boot.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// Whether the server said for the first time that this clock is wrong, so that a second answer
    /// is wanted soon. It is so once: a machine whose clock stays as it is must not ask for ever.
    pub fn wants_second_answer(&self) -> bool {
        let inner = self.lock();
        inner.wants_second && inner.right.is_none()
    }

    /// Takes the server's time from an authenticated answer; answers the server's clock minus
    /// this one in microseconds. Where no time source sets the clock, two answers that agree tell
    /// what it should show.
    pub fn server_said(&self, said: ServerTime) -> i64 {
        let wall = self.wall();
        let middle = said.sent_us + (said.answered_us - said.sent_us) / 2;
        let base_us = said.at.0 - middle;
        let offset = base_us - (wall.at.0 - wall.since_boot_us);
        let mut inner = self.lock();
        let is_prompt = said.answered_us - said.sent_us <= ROUND_TRIP_MAX_US;
        if self.trusts_server && is_prompt && inner.right.is_none() {
            let agrees = |before: i64| (before - base_us).abs() <= AGREE_US;
            let before = inner.server_base_us.replace(base_us);
            inner.wants_second = before.is_none() && offset.abs() > SERVER_TOLERANCE_US;
            if before.is_some_and(agrees) && offset.abs() > SERVER_TOLERANCE_US {
                tracing::warn!(
                    offset_s = offset / SECOND_US,
                    "no time source sets this machine's clock; times are repaired by the server's"
                );
                inner.right = Some(Right {
                    base_us,
                    since_us: wall.since_boot_us,
                });
            }
        }
        offset
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Plain numbers, written one after the other: a panic elsewhere cannot have torn them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Notes what the clocks show.
    fn see(&mut self, at: Micros, since_boot_us: i64, is_set: bool) {
        if self.is_set {
            return;
        }
        let base_us = at.0 - since_boot_us;
        if let Some(current) = self.timelines.iter_mut().rev().flatten().next() {
            // A step lies somewhere between the last look and this one.
            current.until_us = since_boot_us;
        }
        if is_set {
            self.is_set = true;
            self.right = Some(Right {
                base_us,
                since_us: since_boot_us,
            });
            return;
        }
        let current = self.timelines.iter().rev().flatten().next();
        if current.is_some_and(|current| (current.base_us - base_us).abs() <= SAME_BASE_US) {
            return;
        }
        let begun = Timeline {
            base_us,
            from_us: current.map_or(0, |current| current.until_us),
            until_us: since_boot_us,
        };
        if self.timelines[TIMELINES_MAX - 1].is_some() {
            self.timelines.rotate_left(1);
            self.timelines[TIMELINES_MAX - 1] = None;
        }
        if let Some(free) = self.timelines.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(begun);
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
