//! A simulated vending application: what it would log, when, and what a right reader must make of
//! each record. Endless and pure; `writer` puts it into a file.

mod faults;
mod scenes;
pub mod text;
pub mod writer;

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value};
use wire::{Level, Micros};

pub use faults::Fault;

use crate::rng::Rng;

/// Seconds of silence of the reader after which it is a fault, as the `soap` pack has it.
const SILENCE_LIMIT_US: i64 = 30 * 1_000_000;

/// How the simulated machine is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// When the application starts.
    pub start: Micros,
    /// What goes wrong now and then; without any the machine only sells and declines.
    pub faults: Vec<Fault>,
    /// Stamps in the log are cut to this many microseconds: 1,000 or 1,000,000.
    pub stamp_us: i64,
    /// Mean time between two polls of the reader in milliseconds; the real one polls every 2,500.
    pub poll_ms: i64,
    /// Of how many flow-meter pulses one is logged; the real one logs each.
    pub pulses_per_line: u32,
    /// Customers an hour.
    pub sales_per_hour: f64,
    /// Warnings of the reader an hour ("Lost Kiosk Comm").
    pub timeouts_per_hour: f64,
}

impl Setup {
    /// The application as it really runs: a poll every 2.5 s, every pulse logged, whole seconds.
    pub fn real(seed: u64, start: Micros) -> Setup {
        Setup {
            seed,
            start,
            faults: Vec::new(),
            stamp_us: 1_000_000,
            poll_ms: 2_500,
            pulses_per_line: 1,
            sales_per_hour: 12.0,
            timeouts_per_hour: 3.0,
        }
    }
}

/// One thing that the application does to its log.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When.
    pub at: Micros,
    /// What.
    pub output: Output,
}

/// What is done to the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A record of Python's logging.
    Record(Record),
    /// A line of `print()`.
    Print(String),
    /// The process ended and starts anew; it opens its log with mode `w`.
    Restart,
}

/// A record as it is logged, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The Python logger's name.
    pub logger: &'static str,
    /// The level as the application logs it, in Python's words.
    pub level: &'static str,
    /// The message; a traceback has several lines.
    pub message: String,
    /// What a right reader makes of it.
    pub meant: Meant,
}

/// What a right reader makes of a record: the `soap` pack's answer, stated independently of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Meant {
    /// The true level.
    pub level: Level,
    /// The part of the machine.
    pub component: &'static str,
    /// Events and faults with a fixed meaning.
    pub context: Map<String, Value>,
}

/// The simulated application: an endless source of [`Step`]s in order of time.
#[derive(Debug, Clone)]
pub struct Application {
    setup: Setup,
    rng: Rng,
    now: Micros,
    ready: VecDeque<Step>,
    demanded: VecDeque<Fault>,
    silence: Option<Silence>,
}

/// An unbroken run of unanswered polls.
#[derive(Debug, Clone, Copy)]
struct Silence {
    since: Micros,
    reported: bool,
}

impl Application {
    /// An application that starts at `setup.start`.
    pub fn new(setup: Setup) -> Application {
        let mut app = Application {
            rng: Rng::new(setup.seed),
            now: setup.start,
            ready: VecDeque::new(),
            demanded: VecDeque::new(),
            silence: None,
            setup,
        };
        app.start_up();
        app
    }

    /// Makes this fault the next thing that happens.
    pub fn demand(&mut self, fault: Fault) {
        self.demanded.push_back(fault);
    }

    /// When the next step is due, without taking it.
    pub fn next_at(&mut self) -> Micros {
        self.plan();
        self.ready.front().map_or(self.now, |step| step.at)
    }

    /// The next step.
    pub fn next_step(&mut self) -> Step {
        self.plan();
        self.ready.pop_front().expect("a scene always has a step")
    }

    fn plan(&mut self) {
        while self.ready.is_empty() {
            match self.demanded.pop_front() {
                Some(fault) => self.happen(fault),
                None => self.next_scene(),
            }
        }
    }

    fn wait_ms(&mut self, least: i64, most: i64) {
        self.now = self.now.plus_us(self.rng.between(least, most) * 1_000);
    }

    fn push(&mut self, output: Output) {
        self.ready.push_back(Step {
            at: self.now,
            output,
        });
    }

    /// Logs as the main module does, with the pack's view of it.
    fn log(
        &mut self,
        level: &'static str,
        message: impl Into<String>,
        component: &'static str,
        meant: Level,
    ) {
        self.log_event(level, message, component, meant, Map::new());
    }

    fn log_event(
        &mut self,
        level: &'static str,
        message: impl Into<String>,
        component: &'static str,
        meant: Level,
        context: Map<String, Value>,
    ) {
        let message = message.into();
        if message.starts_with("[STATUS-") && !message.starts_with("[STATUS-?]") {
            self.silence = None;
        }
        let meant = Meant {
            level: meant,
            component,
            context,
        };
        self.push(Output::Record(Record {
            logger: "__main__",
            level,
            message,
            meant,
        }));
    }

    /// The time as the log shows it.
    fn stamped(&self) -> Micros {
        Micros(self.now.0.div_euclid(self.setup.stamp_us) * self.setup.stamp_us)
    }
}

#[cfg(test)]
mod tests;
