//! Loops of crashes that are and that are not, ages, and what outlives a restart of the agent.

use std::time::{Duration, Instant};

use serde_json::Map;
use wire::time::{HOUR_US, MINUTE_US, SECOND_US};
use wire::{ClockState, Level, LogEntry, Micros};

use super::*;

const WALL: Micros = Micros(1_800_000_000_000_000);
const LOG: &str = "/home/pi/soap/last_tx_log.log";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// An application seen through one log; `now` goes on with it.
struct Seen {
    app: App,
    began: Instant,
    now: Duration,
}

impl Seen {
    fn new() -> Seen {
        let seen = Seen {
            app: App::default(),
            began: Instant::now(),
            now: Duration::ZERO,
        };
        assert_eq!(seen.tick(), None);
        seen
    }

    fn now(&self) -> (Instant, Micros) {
        (
            self.began + self.now,
            WALL.plus_us(self.now.as_micros() as i64),
        )
    }

    fn tick(&self) -> Option<Change> {
        let (now, wall) = self.now();
        self.app.tick(now, wall)
    }

    /// What happens within so many seconds.
    fn wait(&mut self, time: Duration) -> Option<Change> {
        self.now += time;
        self.tick()
    }

    fn logs(&self, level: Level, message: &str, event: Option<&str>, age_us: i64) {
        let mut context = Map::new();
        if let Some(event) = event {
            context.insert("event".into(), event.into());
        }
        let entry = LogEntry {
            seq: None,
            timestamp: self.now().1.plus_us(-age_us),
            level,
            component: "app".into(),
            message: message.into(),
            context,
            clock: ClockState::Synced,
        };
        self.app.entry(0, LOG, &entry);
    }

    /// The log is emptied; what there is to tell then.
    fn starts(&self) -> Option<Change> {
        self.app.starts(0, LOG);
        self.tick()
    }

    fn facts(&self) -> AppHealth {
        self.app.facts(self.now().0)
    }
}

#[test]
fn four_starts_in_ten_minutes_are_a_loop_and_ten_calm_minutes_end_it() {
    let mut seen = Seen::new();
    for _ in 0..3 {
        assert_eq!(seen.starts(), None);
        seen.logs(Level::Info, "Ready", None, 0);
        assert_eq!(seen.wait(seconds(150)), None);
    }
    let began = Change::LoopBegan {
        input: LOG.into(),
        starts: 4,
        last_critical: None,
    };
    assert_eq!(seen.starts(), Some(began));
    seen.wait(seconds(30));
    assert_eq!(seen.starts(), None, "it is told once");
    let facts = seen.facts();
    assert!(facts.crash_loop);
    assert_eq!((facts.starts_1h, facts.last_start_age_s), (5, Some(0)));
    assert_eq!(seen.wait(seconds(599)), None);
    let ended = Change::LoopEnded { starts: 5 };
    assert_eq!(seen.wait(seconds(1)), Some(ended));
    assert!(!seen.facts().crash_loop);
    seen.wait(seconds(3600));
    assert_eq!(seen.facts().starts_1h, 0);
}

#[test]
fn four_starts_in_an_hour_are_a_technician() {
    let mut seen = Seen::new();
    for _ in 0..6 {
        assert_eq!(seen.starts(), None);
        assert_eq!(seen.wait(seconds(240)), None);
    }
    assert_eq!(seen.facts().starts_1h, 6);
}

#[test]
fn three_starts_after_the_same_critical_are_a_loop_after_different_ones_not() {
    let mut seen = Seen::new();
    let error = "Serial connection error: could not open /dev/ttyUSB0\nTraceback";
    for round in 0..3 {
        seen.logs(Level::Critical, error, None, 0);
        let change = seen.starts();
        if round < 2 {
            assert_eq!(change, None);
        } else {
            let words = "app: Serial connection error: could not open /dev/ttyUSB0";
            let began = Change::LoopBegan {
                input: LOG.into(),
                starts: 3,
                last_critical: Some(words.into()),
            };
            assert_eq!(change, Some(began));
        }
        seen.wait(seconds(360));
    }
    let mut seen = Seen::new();
    for round in 0..6 {
        seen.logs(Level::Critical, &format!("error {round}"), None, 0);
        assert_eq!(seen.starts(), None);
        seen.wait(seconds(360));
    }
}

#[test]
fn a_pack_may_mark_a_line_as_a_start() {
    let mut seen = Seen::new();
    for _ in 0..4 {
        seen.logs(Level::Info, "Soap starts", Some("start"), 0);
        seen.wait(seconds(1));
    }
    assert!(seen.facts().crash_loop);
}

#[test]
fn ages_are_of_the_newest_event_however_late_it_is_read() {
    let mut seen = Seen::new();
    let none = seen.facts();
    assert_eq!((none.last_entry_age_s, none.last_sale_age_s), (None, None));
    seen.logs(Level::Info, "complete", Some("sale"), 2 * HOUR_US);
    seen.logs(Level::Info, "complete", Some("sale"), 3 * HOUR_US);
    seen.wait(seconds(60));
    let facts = seen.facts();
    assert_eq!(facts.last_sale_age_s, Some(2 * 3600 + 60));
    // A clock that is ahead, and one that stands at 1970.
    seen.logs(Level::Info, "x", None, -5 * SECOND_US);
    assert_eq!(seen.facts().last_entry_age_s, Some(0));
    seen.logs(Level::Info, "x", None, WALL.0 - MINUTE_US);
    assert_eq!(seen.facts().last_entry_age_s, Some(0));
}

#[test]
fn sales_and_a_loop_outlive_a_restart_with_few_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app");
    let mut seen = Seen::new();
    let (now, wall) = seen.now();
    seen.app.restore(path.clone(), now, wall);
    // What it says, not when it was written: two writes may have the same time.
    let written = || std::fs::read(&path).ok();
    let mut writes = Vec::new();
    for _ in 0..120 {
        seen.logs(Level::Info, "complete", Some("sale"), 0);
        seen.wait(seconds(30));
        writes.extend(written());
    }
    writes.dedup();
    assert_eq!(writes.len(), 4, "an hour of sales, a write each 15 minutes");
    for _ in 0..4 {
        seen.starts();
    }
    seen.app.save();
    // The agent was away for two hours.
    seen.now += seconds(7200);
    let again = Seen {
        app: App::default(),
        began: seen.began,
        now: seen.now,
    };
    let (now, wall) = again.now();
    again.app.restore(path, now, wall);
    let facts = again.facts();
    assert_eq!(facts.last_sale_age_s, Some(7230));
    assert_eq!(facts.last_start_age_s, Some(7200));
    assert!(facts.crash_loop, "until ten minutes have shown otherwise");
    let mut again = again;
    let ended = Change::LoopEnded { starts: 0 };
    assert_eq!(again.wait(seconds(600)), Some(ended));
}
