//! Watches one application through its entries. Pure: what was seen and when go in, facts and
//! changes come out.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use wire::{AppHealth, Level, LogEntry, Micros};

/// The context of an entry that says that something was sold, or that the application starts.
const EVENT: &str = "event";
const SALE: &str = "sale";
const START: &str = "start";

/// systemd starts a crashed application again after some seconds: four starts within this time are
/// no technician's doing.
const LOOP_WINDOW: Duration = Duration::from_secs(10 * 60);
const LOOP_STARTS: usize = 4;
/// Starts that each follow the very same CRITICAL may be fewer and further apart.
const SAME_END_STARTS: u32 = 3;
/// An application that has run for this long has come out of its loop.
const CALM: Duration = Duration::from_secs(10 * 60);
/// What `starts_1h` counts.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Starts that are remembered of each input; a loop of one a second for a minute.
const STARTS_MAX: usize = 60;
/// Of the message that comes before each crash.
const QUOTE_MAX_CHARS: usize = 200;
/// An entry older than this has a wrong clock, and says nothing of when it was.
const AGE_MAX_US: i64 = 400 * wire::time::DAY_US;

/// When something happened: seen at a moment of this run, when it was `age_us` old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    at: Instant,
    age_us: i64,
}

impl Seen {
    pub fn before(at: Instant, age_us: i64) -> Seen {
        Seen { at, age_us }
    }

    pub fn age_us(self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.at).as_micros();
        self.age_us
            .saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }

    fn age_s(self, now: Instant) -> u64 {
        u64::try_from(self.age_us(now) / wire::time::SECOND_US).unwrap_or(0)
    }
}

/// Something that is to be told when it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The application starts again and again.
    LoopBegan {
        /// The input that shows it.
        input: String,
        /// Starts in the last hour.
        starts: u32,
        /// The CRITICAL before the last start, component and first line.
        last_critical: Option<String>,
    },
    /// It has been running for a while.
    LoopEnded {
        /// Starts since the loop began, with those that began it.
        starts: u32,
    },
}

/// What is known of an application.
#[derive(Debug, Default)]
pub struct AppWatch {
    pub(super) last_entry: Option<Seen>,
    pub(super) last_sale: Option<Seen>,
    pub(super) last_start: Option<Seen>,
    inputs: Vec<Input>,
    in_loop: Option<Loop>,
    change: Option<Change>,
}

/// One of its logs.
#[derive(Debug, Default)]
struct Input {
    starts: VecDeque<Instant>,
    /// The CRITICAL since the last start: its hash and its words.
    ends: Option<(u64, String)>,
    /// The one before the last start, and how many starts in a row followed the same.
    ended: Option<(u64, String)>,
    same_ends: u32,
}

#[derive(Debug)]
struct Loop {
    starts: u32,
    last: Instant,
}

impl AppWatch {
    /// The time goes on; what there is to tell.
    pub fn tick(&mut self, now: Instant) -> Option<Change> {
        if let Some(ended) = self
            .in_loop
            .take_if(|in_loop| now.saturating_duration_since(in_loop.last) >= CALM)
        {
            self.change = Some(Change::LoopEnded {
                starts: ended.starts,
            });
        }
        self.change.take()
    }

    /// An input begins anew, as its application does when it starts.
    pub fn starts(&mut self, index: usize, name: &str, now: Instant) {
        self.last_start = Some(Seen::before(now, 0));
        let input = self.input(index);
        input.start(now);
        let starts = input.starts_within(HOUR, now);
        let is_loop = input.is_loop(now);
        let last_critical = input.ended.as_ref().map(|(_, words)| words.clone());
        match &mut self.in_loop {
            Some(in_loop) => {
                in_loop.starts = in_loop.starts.saturating_add(1);
                in_loop.last = now;
            }
            None if is_loop => {
                self.in_loop = Some(Loop { starts, last: now });
                self.change = Some(Change::LoopBegan {
                    input: name.to_owned(),
                    starts,
                    last_critical,
                });
            }
            None => {}
        }
    }

    /// An entry of the application; whether it is worth saving.
    pub fn entry(
        &mut self,
        index: usize,
        name: &str,
        entry: &LogEntry,
        (now, wall): (Instant, Micros),
    ) -> bool {
        let age_us = wall.since_us(entry.timestamp);
        let seen = Seen::before(
            now,
            if age_us > AGE_MAX_US {
                0
            } else {
                age_us.max(0)
            },
        );
        // A backlog brings the past after the present.
        newer(&mut self.last_entry, seen, now);
        if entry.level == Level::Critical {
            self.input(index).ends = Some(end(entry));
        }
        match entry.context.get(EVENT).and_then(|event| event.as_str()) {
            Some(SALE) => {
                newer(&mut self.last_sale, seen, now);
                true
            }
            Some(START) => {
                self.starts(index, name, now);
                true
            }
            _ => false,
        }
    }

    /// What there is to say.
    pub fn facts(&self, now: Instant) -> AppHealth {
        let starts = self.inputs.iter();
        let starts = starts.map(|input| input.starts_within(HOUR, now)).max();
        let age = |seen: Option<Seen>| seen.map(|seen| seen.age_s(now));
        AppHealth {
            starts_1h: starts.unwrap_or(0),
            crash_loop: self.is_crash_loop(),
            last_entry_age_s: age(self.last_entry),
            last_sale_age_s: age(self.last_sale),
            last_start_age_s: age(self.last_start),
        }
    }

    pub(super) fn is_crash_loop(&self) -> bool {
        self.in_loop.is_some()
    }

    pub(super) fn resume_crash_loop(&mut self, now: Instant) {
        self.in_loop = Some(Loop {
            starts: 0,
            last: now,
        });
    }

    fn input(&mut self, index: usize) -> &mut Input {
        if self.inputs.len() <= index {
            self.inputs.resize_with(index + 1, Input::default);
        }
        &mut self.inputs[index]
    }
}

impl Input {
    fn start(&mut self, now: Instant) {
        self.starts.push_back(now);
        if self.starts.len() > STARTS_MAX {
            self.starts.pop_front();
        }
        let ended = self.ends.take();
        self.same_ends = match (&ended, &self.ended) {
            (Some((now, _)), Some((before, _))) if now == before => self.same_ends + 1,
            (Some(_), _) => 1,
            (None, _) => 0,
        };
        self.ended = ended;
    }

    fn is_loop(&self, now: Instant) -> bool {
        let last = self.starts_within(HOUR, now);
        self.starts_within(LOOP_WINDOW, now) as usize >= LOOP_STARTS
            || (self.same_ends >= SAME_END_STARTS && last >= SAME_END_STARTS)
    }

    fn starts_within(&self, window: Duration, now: Instant) -> u32 {
        let is_within = |at: &&Instant| now.saturating_duration_since(**at) < window;
        self.starts.iter().filter(is_within).count() as u32
    }
}

fn newer(last: &mut Option<Seen>, seen: Seen, now: Instant) {
    if last.is_none_or(|last| seen.age_us(now) <= last.age_us(now)) {
        *last = Some(seen);
    }
}

/// What a CRITICAL says, to be recognised and to be told.
fn end(entry: &LogEntry) -> (u64, String) {
    let line = entry.message.lines().next().unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    (&entry.component, line).hash(&mut hasher);
    let words = format!("{}: {line}", entry.component);
    (
        hasher.finish(),
        words.chars().take(QUOTE_MAX_CHARS).collect(),
    )
}
