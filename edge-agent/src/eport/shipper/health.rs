//! What the cellular path says of itself: in heartbeats, in the status, and in words.

use wire::CellHealth;
use wire::time::{MINUTE_US, SECOND_US};

use super::Shipper;
use crate::eport::DropError;
use crate::eport::budget::Thrift;
use crate::eport::moment::Moment;

/// A drop that nobody has taken for so long is worth telling of.
const NOBODY_US: i64 = 30 * MINUTE_US;

impl Shipper {
    /// What keeps everything from leaving is kept for `status`, until it is taken back.
    pub(super) fn note_reader(&mut self, now: Moment) {
        match self.facts.error.clone() {
            Some(error) if error.is_empty() => {
                let noted = self.noted.take();
                let is_over = |seen: &mut DropError| noted.as_ref() == Some(&seen.text);
                if self.state.last_error.take_if(is_over).is_some()
                    && let Err(error) = self.save(now)
                {
                    tracing::debug!(%error, "the state of the cellular path cannot be saved");
                }
            }
            Some(error) if self.noted.as_ref() != Some(&error) => {
                self.note_failure(&error);
                self.noted = Some(error);
            }
            _ => {}
        }
    }

    pub(super) fn note_failure(&mut self, why: &str) {
        let now = self.now();
        if self.state.failed(why, now.at) {
            tracing::warn!(why, "drops do not leave through the card reader; trying on");
            if let Err(error) = self.save(now) {
                tracing::debug!(%error, "the state of the cellular path cannot be saved");
            }
        }
    }

    /// What there is to say in heartbeats.
    pub(super) fn tell_health(&mut self, now: Moment, is_standby: bool) {
        let health = self.health(now, is_standby);
        *self.parts.health.borrow_mut() = health;
    }

    pub(super) fn health(&self, now: Moment, is_standby: bool) -> CellHealth {
        let wifi = self.parts.wifi.as_ref();
        let waiting = self
            .in_pending
            .iter()
            .chain([&self.fresh])
            .map(|row| {
                let open = row
                    .entries()
                    .filter(|entry| wifi.is_none_or(|wifi| !wifi.has(entry.seq, entry.level)));
                open.count() as u64 + row.not_kept().total()
            })
            .sum();
        let thrift = self.thrift(now);
        let error = self.trouble(now);
        let state = match (&error, thrift, is_standby) {
            (Some(_), _, _) => "failing",
            (None, Thrift::Grave | Thrift::Stretched(_) | Thrift::Spent, _) => "holding",
            (None, _, true) => "standby",
            (None, _, false) => "active",
        };
        let interval_s = match thrift {
            Thrift::Stretched(us) => u64::try_from(us / SECOND_US).unwrap_or_default(),
            _ => self.parts.config.send_interval_s,
        };
        let reader = &self.state.reader;
        CellHealth {
            state: state.to_owned(),
            waiting,
            last_drop_at: self.state.last_sent.as_ref().map(|(at, _)| at.clone()),
            last_number: self.state.last_sent.as_ref().map(|(_, number)| *number),
            used_bytes: self.state.month.used_bytes,
            budget_bytes: Some(self.parts.config.monthly_budget_bytes),
            forecast_bytes: self.state.month.forecast_bytes(now.at),
            signal_rssi: reader.signal_rssi,
            signal_ber: reader.signal_ber,
            reader_serial: reader.serial.clone(),
            send_interval_s: u32::try_from(interval_s).ok(),
            error: error.or_else(|| thrift.words()),
        }
    }

    /// Why nothing leaves at the moment.
    pub(super) fn trouble(&self, now: Moment) -> Option<String> {
        let told = self.facts.error.clone().filter(|error| !error.is_empty());
        if told.is_some() {
            return told;
        }
        if let Some(seen) = &self.state.last_error {
            return Some(seen.text.clone());
        }
        let made = self.state.made.filter(|_| self.state.pending.is_some())?;
        let waits_us = now.since_us(&made).filter(|us| *us >= NOBODY_US)?;
        Some(format!(
            "a drop has waited for the reader for {} minutes; nobody has brought it there",
            waits_us / MINUTE_US
        ))
    }
}
