//! One dialogue with the reader, led to its end: a file uploaded, or the signal, the time or the serial
//! number asked for. Sans-IO: the caller writes what [`Kiosk::step`] says, feeds what it reads, and
//! gives the time. **The upload has been tested on a simulator only.**
//!
//! It begins only when the reader is idle (0 or 6), it never takes the reader from a sale, and when
//! the application wants the reader ([`Kiosk::interrupt`]) it ends the transfer (8) at once: after at
//! most one record on the wire and two short exchanges.

mod answers;
mod goal;
mod outcome;

use std::time::Duration;

pub use goal::{Goal, NotAFile, UploadFile};
pub use outcome::{Failure, Outcome};

use crate::decoder::{Decoder, Event};
use crate::frame::{Dialect, Frame, wire_time};
use crate::layout::UploadLayout;
use crate::{Command, Response};

/// When the application wants the reader, an ACK on its way is waited for so long: the reader answers
/// within 10 ms, and what comes later could be taken for an answer to the application.
const LAST_ACK: Duration = Duration::from_millis(35);
/// The same for the answer to the STATUS behind an 8: the reader says 13 once, and that is no
/// business of the application.
const LAST_ANSWER: Duration = Duration::from_millis(50);
/// The application has the reader so long after it has wanted it, at the latest.
const GIVEN_BACK: Duration = Duration::from_millis(285);
/// An 8 that was not heard is said again up to so long after the application has wanted the reader.
const LAST_TRY: Duration = Duration::from_millis(180);
/// STATUS may stay without an answer so often in a row.
const SILENT_POLLS: u32 = 3;

/// What the caller does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Write this to the line, at once and whole, then step again.
    Write(Vec<u8>),
    /// Read until this time at the latest; feed what comes, and step again.
    Wait(Duration),
    /// It is over. Nothing more is to be read or written.
    Done(Outcome),
}

/// What has been said last and is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Nothing: something is to be said now.
    Nothing,
    /// The time of the next STATUS.
    Pause(Duration),
    /// ACK or NAK, until then.
    Ack(Duration),
    /// The answer to STATUS, until then.
    Answer(Duration),
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Is the reader idle? So many equal answers were heard, the last of them this.
    Idle { agreed: u32, last: u8 },
    /// 24 is to be taken.
    Begin,
    /// 12 is awaited before the record at this index.
    Ready(usize),
    /// The record at this index is to be taken.
    Record(usize),
    /// The reader is to say that it has the file. So many equal answers said so, the last of them
    /// this. A failure is said once: when an answer was not understood, it may have been that.
    Finish {
        agreed: u32,
        last: u8,
        is_doubtful: bool,
    },
    /// 9, 10 or 12 is to be taken.
    Ask,
    /// Its answer is awaited.
    Answer,
    /// 8 is to be taken; why.
    Terminate(Failure),
    /// What the reader says after an 8; why it was sent.
    Terminated(Failure),
}

/// A dialogue with the reader.
#[derive(Debug)]
pub struct Kiosk {
    layout: UploadLayout,
    goal: Goal,
    stage: Stage,
    wait: Wait,
    decoder: Decoder,
    /// The last byte written has left the wire by then.
    line_free: Duration,
    /// The stage must be over by then; set when it begins.
    deadline: Duration,
    /// How often the command of this stage was sent.
    tries: u32,
    silent_polls: u32,
    /// The application wants the reader, since then once it was noticed.
    is_wanted: bool,
    wanted_at: Option<Duration>,
    has_offered: bool,
    /// The serial number that was heard, and how often in a row.
    heard: Option<(Response, u32)>,
    /// A status of a sale that was heard in the middle of a transfer.
    suspected: Option<u8>,
    /// An answer that belongs to the application.
    foreign: Option<Frame>,
    outcome: Option<Outcome>,
}

impl Kiosk {
    /// A dialogue that is to reach `goal`; `now` is the time since any fixed moment, as in every
    /// other call.
    pub fn new(goal: Goal, layout: UploadLayout, now: Duration) -> Kiosk {
        let idle = Duration::from_millis(layout.idle_timeout_ms);
        Kiosk {
            layout,
            goal,
            stage: Stage::Idle { agreed: 0, last: 0 },
            wait: Wait::Nothing,
            decoder: Decoder::new(Dialect::responses()),
            line_free: now,
            deadline: now + idle,
            tries: 0,
            silent_polls: 0,
            is_wanted: false,
            wanted_at: None,
            has_offered: false,
            heard: None,
            suspected: None,
            foreign: None,
            outcome: None,
        }
    }

    /// The application wants the reader: end as soon as possible.
    pub fn interrupt(&mut self) {
        self.is_wanted = true;
    }

    /// Whether the reader has been told of a file and neither has it nor was told otherwise.
    pub fn is_transferring(&self) -> bool {
        match self.stage {
            Stage::Begin => self.tries > 0,
            Stage::Ready(_) | Stage::Record(_) | Stage::Finish { .. } => true,
            _ => false,
        }
    }

    /// Whether the reader was told of the file (24), and so may have it.
    pub fn has_offered(&self) -> bool {
        self.has_offered
    }

    /// An answer that was heard and belongs to the application, such as the end of a sale.
    pub fn take_foreign(&mut self) -> Option<Frame> {
        self.foreign.take()
    }

    /// What to do now.
    pub fn step(&mut self, now: Duration) -> Step {
        if self.is_wanted {
            self.wanted_at.get_or_insert(now);
            self.give_up_for_the_application(now);
        }
        // Each turn either answers or moves on; a turn that moves on is followed by one that answers.
        loop {
            if let Some(outcome) = &self.outcome {
                return Step::Done(outcome.clone());
            }
            match self.wait {
                Wait::Pause(until) | Wait::Ack(until) | Wait::Answer(until) if now < until => {
                    return Step::Wait(until);
                }
                Wait::Ack(_) => {
                    self.wait = Wait::Nothing;
                    self.no_ack(now);
                }
                Wait::Answer(_) => {
                    self.wait = Wait::Nothing;
                    self.no_answer(now);
                }
                Wait::Nothing | Wait::Pause(_) => return self.say(now),
            }
        }
    }

    /// Takes what was read from the line.
    pub fn feed(&mut self, bytes: &[u8], now: Duration) {
        for &byte in bytes {
            if self.outcome.is_some() {
                return;
            }
            match self.decoder.push(byte) {
                None => {}
                Some(Event::Ack) => self.acked(now),
                Some(Event::Nak) => self.nacked(now),
                Some(Event::Frame(frame)) => self.heard(&frame, now),
                // The rest of it may still be coming: the wait runs out by itself.
                Some(Event::Garbled(_)) => {}
            }
        }
    }

    /// Ends a transfer, or ends at once when there is none.
    fn give_up_for_the_application(&mut self, now: Duration) {
        let is_transferring = self.is_transferring();
        match (&self.stage, &mut self.wait) {
            _ if self.outcome.is_some() => {}
            (Stage::Begin | Stage::Record(_) | Stage::Terminate(_), Wait::Ack(until)) => {
                *until = (*until).min(self.line_free + LAST_ACK);
            }
            // The last thing that is asked gets all the time there is: an answer that comes later would
            // stand in the application's own dialogue.
            (stage, Wait::Answer(until))
                if matches!(stage, Stage::Terminated(_)) || !is_transferring =>
            {
                *until = (*until).min(self.wanted_at.unwrap_or(now) + GIVEN_BACK);
            }
            // What was asked is answered within a short time; said over it, the next command's ACK
            // would stand in the middle of that answer.
            (_, Wait::Ack(until) | Wait::Answer(until)) => {
                *until = (*until).min(self.line_free + LAST_ANSWER);
            }
            (Stage::Terminated(_), Wait::Pause(_)) => self.wait = Wait::Nothing,
            (Stage::Terminate(_) | Stage::Terminated(_), _) => {}
            _ if is_transferring => self.terminate(Failure::Interrupted, now),
            _ => self.end(Outcome::Failed(Failure::Interrupted)),
        }
    }

    /// Says what the stage asks for.
    fn say(&mut self, now: Duration) -> Step {
        if now >= self.deadline && !matches!(self.stage, Stage::Terminate(_) | Stage::Terminated(_))
        {
            self.too_late(now);
            return self.step(now);
        }
        let (frame, is_status) = match &self.stage {
            Stage::Begin => (self.ready_frame(), false),
            Stage::Record(index) => (self.record_frame(*index), false),
            Stage::Ask => (self.goal.question().to_frame(), false),
            Stage::Terminate(_) => (Command::TerminateFileTransfer.to_frame(), false),
            _ => (Command::Status.to_frame(), true),
        };
        self.has_offered |= self.stage == Stage::Begin;
        let bytes = frame.encode(Dialect::commands(self.layout.has_crc));
        // A new command asks for a new answer: what came late of an old one must not be taken for it.
        self.decoder.clear();
        self.line_free = self.line_free.max(now) + wire_time(bytes.len());
        self.wait = if is_status {
            Wait::Answer(self.line_free + self.layout.answer_timeout())
        } else {
            self.tries += 1;
            Wait::Ack(self.line_free + self.layout.ack_timeout())
        };
        Step::Write(bytes)
    }

    fn ready_frame(&self) -> Frame {
        let (name, data) = self.goal.file();
        self.layout
            .ready_frame(&self.layout.file_ready(name, data.len()))
    }

    fn record_frame(&self, index: usize) -> Frame {
        let (_, data) = self.goal.file();
        let record = data.chunks(self.layout.record_bytes.max(1)).nth(index);
        self.layout.record_frame(index, record.unwrap_or_default())
    }

    fn records_total(&self) -> usize {
        let (_, data) = self.goal.file();
        data.len().div_ceil(self.layout.record_bytes.max(1))
    }

    /// Goes on to a stage that may last so long.
    fn enter(&mut self, stage: Stage, most_ms: u64, now: Duration) {
        self.stage = stage;
        self.tries = 0;
        self.silent_polls = 0;
        self.deadline = now.max(self.line_free) + Duration::from_millis(most_ms);
        self.wait = Wait::Nothing;
    }

    /// Tells the reader that the transfer is over, then fails with this.
    fn terminate(&mut self, failure: Failure, now: Duration) {
        self.enter(Stage::Terminate(failure), self.layout.idle_timeout_ms, now);
    }

    /// Whether an 8 that was not heard may be said again.
    fn may_repeat(&self, now: Duration) -> bool {
        self.tries < self.layout.tries && self.has_time(now)
    }

    /// Whether the application can wait for another exchange.
    fn has_time(&self, now: Duration) -> bool {
        self.wanted_at.is_none_or(|at| now < at + LAST_TRY)
    }

    fn end(&mut self, outcome: Outcome) {
        self.wait = Wait::Nothing;
        self.outcome = Some(outcome);
    }

    fn fail(&mut self, failure: Failure) {
        self.end(Outcome::Failed(failure));
    }
}
