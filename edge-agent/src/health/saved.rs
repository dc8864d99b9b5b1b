//! What is kept of the application over a restart of the agent: as times of the wall clock, because
//! the machine may have been off meanwhile.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use wire::Micros;

use super::AppWatch;
use super::app::Seen;

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Saved {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sale: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Micros>,
    /// It was told that a crash loop had begun, and not yet that it had ended.
    #[serde(default)]
    crash_loop: bool,
}

impl Saved {
    pub fn of(watch: &AppWatch, now: Instant, wall: Micros) -> Saved {
        let at = |seen: Option<Seen>| seen.map(|seen| wall.plus_us(-seen.age_us(now)));
        Saved {
            entry: at(watch.last_entry),
            sale: at(watch.last_sale),
            start: at(watch.last_start),
            crash_loop: watch.is_crash_loop(),
        }
    }

    pub fn restore(&self, watch: &mut AppWatch, now: Instant, wall: Micros) {
        // A time that is not over yet was taken by a clock that was wrong, then or now.
        let seen = |at: Option<Micros>| {
            let age_us = wall.since_us(at?);
            (age_us >= 0).then_some(Seen::before(now, age_us))
        };
        watch.last_entry = seen(self.entry);
        watch.last_sale = seen(self.sale);
        watch.last_start = seen(self.start);
        if self.crash_loop {
            watch.resume_crash_loop(now);
        }
    }
}
