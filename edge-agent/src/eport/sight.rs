//! What the cellular path sees of WiFi: which entries it has delivered, and whether it goes on doing
//! so.

use std::rc::Rc;

use tokio::sync::watch;
use wire::time::SECOND_US;
use wire::{Level, Reachability};

use super::fresh::FreshEntry;
use super::schedule::WifiView;
use super::urgency::WIFI_PATIENCE_US;
use crate::config::{Mode, Wifi};
use crate::wifi::{Link, Reach, SharedDelivery};

/// WiFi beside the cellular path.
pub struct WifiSight {
    link: Rc<Link>,
    delivery: SharedDelivery,
    levels: [bool; 5],
    batches_apart_us: i64,
    /// When the server was last known to be reachable, since boot.
    ok_us: i64,
    was_reachable: bool,
}

impl WifiSight {
    /// Of the shipper that is configured so. From `now_us` on it is given its time.
    pub fn new(config: &Wifi, link: Rc<Link>, delivery: SharedDelivery, now_us: i64) -> WifiSight {
        WifiSight {
            link,
            delivery,
            levels: config.levels,
            batches_apart_us: match config.mode {
                Mode::Interval(seconds) => {
                    i64::try_from(seconds).unwrap_or(i64::MAX / SECOND_US / 2) * SECOND_US
                }
                Mode::Continuous => 0,
            },
            ok_us: now_us,
            was_reachable: false,
        }
    }

    /// For who wants to know when the way to the server changes.
    pub fn subscribe(&self) -> watch::Receiver<Reach> {
        self.link.subscribe()
    }

    /// Looks at the way to the server.
    pub fn look(&mut self, now_us: i64) {
        let reach = self.link.reach();
        let is_reachable = reach.state == Reachability::Reachable;
        if is_reachable {
            self.ok_us = now_us;
        } else if self.was_reachable {
            self.ok_us = reach.since_boot_us;
        }
        self.was_reachable = is_reachable;
    }

    /// Whether the server has this entry, or has refused it for good.
    pub fn has(&self, seq: u64, level: Level) -> bool {
        let delivery = self.delivery.borrow();
        let state = delivery.state();
        self.takes(level) && (seq <= state.bulk || state.is_done(seq))
    }

    /// How long an entry of this level is left to WiFi.
    pub fn patience_us(&self, level: Level, now_us: i64) -> i64 {
        let reach = self.link.reach();
        let is_away = match reach.state {
            Reachability::NoRoute | Reachability::Refused => true,
            Reachability::NoAnswer => now_us - reach.since_boot_us >= WIFI_PATIENCE_US,
            Reachability::Reachable => false,
        };
        match is_away || !self.takes(level) {
            true => 0,
            false => WIFI_PATIENCE_US,
        }
    }

    /// What the schedule needs; `entries` are those that no drop has delivered, in order.
    pub fn view<'a>(&self, mut entries: impl Iterator<Item = &'a FreshEntry>) -> WifiView {
        let waits =
            |entry: &&FreshEntry| self.takes(entry.level) && !self.has(entry.seq, entry.level);
        WifiView {
            ok_us: self.ok_us,
            waiting_since_us: entries.find(waits).map(|entry| entry.seen_us),
            batches_apart_us: self.batches_apart_us,
        }
    }

    fn takes(&self, level: Level) -> bool {
        self.levels[usize::from(level.as_u8())]
    }
}
