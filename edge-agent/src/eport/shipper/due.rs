//! What the shipper knows that decides when the next drop is due. When that is, is `schedule`'s.

use wire::time::SECOND_US;

use super::Shipper;
use crate::eport::fresh::{Fresh, FreshEntry};
use crate::eport::memory::Remembered;
use crate::eport::moment::Moment;
use crate::eport::schedule::{self, Made, View, Why};
use crate::eport::urgency::burst_due_us;

impl Shipper {
    /// What is due next: when and why; until when WiFi counts as delivering, and whether it does.
    pub(super) fn due(&mut self, now: Moment) -> (Option<(i64, Why)>, Option<i64>, bool) {
        let now_us = now.since_boot_us;
        let interval_us =
            i64::try_from(self.parts.config.send_interval_s).unwrap_or(3600) * SECOND_US;
        let (is_standby, until_us) = match &self.parts.wifi {
            Some(wifi) => {
                let rows = self.in_pending.iter().chain([&self.fresh]);
                let entries = rows.flat_map(Fresh::entries);
                schedule::standby(&wifi.view(entries), interval_us, now_us)
            }
            None => (false, i64::MAX),
        };
        let view = View {
            now_us,
            started_us: self.started_us,
            interval_us,
            made_us: self.made(now),
            is_standby,
            grave_due_us: self.grave_due_us(now_us),
            burst_due_us: self.burst_due_us(now_us),
            has_summary: self.state.summary.is_some_and(|seq| !self.is_pending(seq)),
            thrift: self.thrift(now),
        };
        let due = schedule::next(&view).map(|(due_us, why)| match why {
            // What can wait does so for the clock, soon after boot.
            Why::Interval | Why::Daily if !now.is_known => {
                (due_us.max(self.parts.clock_wait_us), why)
            }
            _ => (due_us, why),
        });
        (due, is_standby.then_some(until_us), is_standby)
    }

    pub(super) fn made(&self, now: Moment) -> Made {
        match &self.state.made {
            None => Made::Never,
            Some(made) => match now.since_us(made) {
                Some(age_us) => Made::At(now.since_boot_us - age_us),
                None => Made::Unknown,
            },
        }
    }

    pub(super) fn is_pending(&self, seq: u64) -> bool {
        let pending = self.state.pending.as_ref();
        pending.is_some_and(|pending| pending.included.iter().any(|(other, _)| *other == seq))
    }

    /// When the first entry has to go that does not wait, and that no drop has.
    pub(super) fn grave_due_us(&self, now_us: i64) -> Option<i64> {
        let wifi = self.parts.wifi.as_ref();
        let grave = self
            .uncovered()
            .filter(|entry| self.is_immediate(entry.level));
        let fresh = grave
            .filter(|entry| wifi.is_none_or(|wifi| !wifi.has(entry.seq, entry.level)))
            .map(|entry| {
                let patience_us = wifi.map_or(0, |wifi| wifi.patience_us(entry.level, now_us));
                self.urgency.due_us(entry, patience_us)
            })
            .min();
        let is_open =
            |entry: &&Remembered| wifi.is_none_or(|wifi| !wifi.has(entry.seq, entry.level));
        let is_owed =
            self.state.pending.is_none() && self.memory.owed().any(|entry| is_open(&entry));
        fresh.into_iter().chain(is_owed.then_some(now_us)).min()
    }

    pub(super) fn burst_due_us(&self, now_us: i64) -> Option<i64> {
        let wifi = self.parts.wifi.as_ref();
        let open = self
            .uncovered()
            .filter(|entry| wifi.is_none_or(|wifi| !wifi.has(entry.seq, entry.level)));
        let patience_us = wifi.map_or(0, |wifi| wifi.patience_us(wire::Level::Error, now_us));
        burst_due_us(open, patience_us)
    }

    /// Entries that are in no drop that was made.
    pub(super) fn uncovered(&self) -> impl Iterator<Item = &FreshEntry> {
        self.fresh.entries()
    }
}
