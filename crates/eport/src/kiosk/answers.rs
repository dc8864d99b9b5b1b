//! What each answer of the reader means at each stage, and what its silence means.

use std::time::Duration;

use super::{Failure, Kiosk, Outcome, SILENT_POLLS, Stage, Wait};
use crate::Response;
use crate::frame::Frame;
use crate::response::Fault;

/// Statuses of a sale: the reader is the application's, and nothing of ours is said to it any more.
const SALE: [u8; 4] = [2, 7, 8, 9];
/// Answers that are said once and that the application waits for.
const FOR_THE_APPLICATION: [u8; 6] = [2, 3, 4, 11, 17, 18];

/// A serial number is believed when heard so often in a row: a lost byte of a row of equal digits is
/// the same wrong number twice rather easily.
const IDENTITY_AGREED: u32 = 3;

impl Kiosk {
    pub(super) fn acked(&mut self, now: Duration) {
        if !matches!(self.wait, Wait::Ack(_)) {
            return;
        }
        match self.stage.clone() {
            Stage::Begin => {
                self.enter(Stage::Ready(0), self.layout.ready_timeout_ms, now);
            }
            Stage::Record(index) => self.record_taken(index, now),
            Stage::Ask => self.enter(Stage::Answer, self.layout.idle_timeout_ms, now),
            Stage::Terminate(failure) => {
                let most = self.layout.idle_timeout_ms;
                let tries = self.tries;
                self.enter(Stage::Terminated(failure), most, now);
                self.tries = tries;
            }
            _ => {}
        }
    }

    fn record_taken(&mut self, index: usize, now: Duration) {
        let next = index + 1;
        if next == self.records_total() {
            let most = self.layout.finish_timeout_ms;
            let stage = Stage::Finish {
                agreed: 0,
                last: 0,
                is_doubtful: false,
            };
            self.enter(stage, most, now);
        } else if self.layout.polls_between_records {
            self.enter(Stage::Ready(next), self.layout.ready_timeout_ms, now);
        } else {
            self.enter(Stage::Record(next), self.layout.ready_timeout_ms, now);
        }
    }

    pub(super) fn nacked(&mut self, now: Duration) {
        match self.wait {
            Wait::Ack(_) if matches!(self.stage, Stage::Terminate(_)) && self.may_repeat(now) => {
                self.wait = Wait::Nothing;
            }
            Wait::Ack(_) if self.tries < self.layout.tries && !self.is_wanted => {
                self.wait = Wait::Nothing;
            }
            Wait::Ack(_) => {
                let failure = Failure::Refused(self.command_code());
                self.give_up_command(failure, now);
            }
            // STATUS was not understood: asked again, after a pause when there is time for one.
            Wait::Answer(_) if self.is_wanted => {
                self.wait = Wait::Nothing;
                if !self.has_time(now) {
                    self.no_answer(now);
                }
            }
            Wait::Answer(_) => self.pause(now),
            _ => {}
        }
    }

    /// No ACK and no NAK.
    pub(super) fn no_ack(&mut self, now: Duration) {
        match self.stage {
            // Whether a 24 was taken is said by STATUS; it is sent again from there.
            Stage::Begin if !self.is_wanted => {
                let tries = self.tries;
                self.enter(Stage::Ready(0), self.layout.ready_timeout_ms, now);
                self.tries = tries;
            }
            // A question changes nothing, and so may be asked again.
            Stage::Ask if self.tries < self.layout.tries && !self.is_wanted => {}
            Stage::Terminate(_) if self.tries < self.layout.tries && !self.is_wanted => {}
            Stage::Record(_) => self.give_up_command(Failure::Unacknowledged, now),
            _ => self.give_up_command(Failure::Silent, now),
        }
    }

    /// The command of this stage came to nothing.
    fn give_up_command(&mut self, failure: Failure, now: Duration) {
        let failure = match self.is_wanted {
            true => Failure::Interrupted,
            false => failure,
        };
        match self.stage.clone() {
            // 8 was said, heard or not. If it was, an answer to it is waiting.
            Stage::Terminate(why) => {
                let most = self.layout.idle_timeout_ms;
                let tries = self.tries;
                self.enter(Stage::Terminated(why), most, now);
                self.tries = tries;
            }
            Stage::Begin | Stage::Record(_) => self.terminate(failure, now),
            _ => self.fail(failure),
        }
    }

    /// No answer to STATUS.
    pub(super) fn no_answer(&mut self, now: Duration) {
        self.silent_polls += 1;
        if let Stage::Finish { is_doubtful, .. } = &mut self.stage {
            *is_doubtful = true;
        }
        match self.stage.clone() {
            Stage::Terminated(why) if self.is_wanted => self.fail(why),
            Stage::Terminated(why) if self.silent_polls >= SILENT_POLLS => self.fail(why),
            _ if self.is_wanted && self.is_transferring() => {
                self.terminate(Failure::Interrupted, now);
            }
            _ if self.is_wanted => self.fail(Failure::Interrupted),
            _ if self.silent_polls < SILENT_POLLS => self.pause(now),
            _ if self.is_transferring() => self.terminate(Failure::Silent, now),
            _ => self.fail(Failure::Silent),
        }
    }

    /// The stage took longer than it may.
    pub(super) fn too_late(&mut self, now: Duration) {
        let failure = match self.stage {
            Stage::Idle { .. } => Failure::TooSlow("become idle"),
            Stage::Finish { .. } => Failure::TooSlow("finish the transfer"),
            Stage::Ask | Stage::Answer => Failure::TooSlow("answer a question"),
            _ => Failure::TooSlow("get ready for a record"),
        };
        if self.is_transferring() {
            self.terminate(failure, now);
        } else {
            self.fail(failure);
        }
    }

    /// A frame was heard.
    pub(super) fn heard(&mut self, frame: &Frame, now: Duration) {
        match self.wait {
            Wait::Answer(_) => self.silent_polls = 0,
            // What makes a command pointless may be said in the place of an ACK, and a question may
            // be answered at once.
            Wait::Ack(_) if self.stage == Stage::Ask => {}
            Wait::Ack(_) if matches!(frame.code, 10 | 13 | 30..=33) => {}
            _ => return,
        }
        if FOR_THE_APPLICATION.contains(&frame.code) {
            self.foreign = Some(frame.clone());
        }
        match self.stage.clone() {
            Stage::Terminated(why) => self.after_terminate(why, frame.code, now),
            // 8 was refused because there is nothing to end.
            Stage::Terminate(why) => self.fail(why),
            _ if self.is_wanted && !self.is_transferring() => self.fail(Failure::Interrupted),
            Stage::Idle { agreed, last } => self.heard_idle(frame.code, agreed, last, now),
            Stage::Ask | Stage::Answer => self.heard_answer(frame, now),
            Stage::Finish { .. } => self.heard_finish(frame.code, now),
            Stage::Begin | Stage::Ready(_) | Stage::Record(_) => self.heard_ready(frame.code, now),
        }
    }

    /// The 13 that an 8 leads to is heard here and not by the application. The reader may answer the
    /// STATUS before it by something else.
    fn after_terminate(&mut self, why: Failure, code: u8, now: Duration) {
        if code == 12 && self.may_repeat(now) {
            let tries = self.tries;
            self.terminate(why, now);
            self.tries = tries;
        } else {
            self.fail(why);
        }
    }

    fn heard_idle(&mut self, code: u8, agreed: u32, last: u8, now: Duration) {
        if self.layout.begins_in.contains(&code) && [0, 6].contains(&code) {
            let agreed = if code == last { agreed + 1 } else { 1 };
            if agreed >= self.layout.confirmations {
                let stage = match self.goal {
                    super::Goal::Upload(_) => Stage::Begin,
                    _ => Stage::Ask,
                };
                self.enter(stage, self.layout.ready_timeout_ms, now);
            } else {
                self.stage = Stage::Idle { agreed, last: code };
                // The same question again, at once: nothing is waited for.
                self.wait = Wait::Nothing;
            }
        } else if matches!(code, 1 | 10 | 13 | 14 | 15 | 16 | 30..=33) {
            // Busy, or the end of something before: asked again.
            self.stage = Stage::Idle { agreed: 0, last: 0 };
            self.pause(now);
        } else {
            self.fail(Failure::NotIdle(code));
        }
    }

    fn heard_ready(&mut self, code: u8, now: Duration) {
        let index = match self.stage {
            Stage::Ready(index) | Stage::Record(index) => index,
            _ => 0,
        };
        match code {
            12 if matches!(self.stage, Stage::Ready(_)) => {
                self.enter(Stage::Record(index), self.layout.ready_timeout_ms, now);
            }
            // The 24 without an ACK was not taken: once more, while it may be tried.
            0 | 6 if index == 0 && (1..self.layout.tries).contains(&self.tries) => {
                let tries = self.tries;
                self.enter(Stage::Begin, self.layout.ready_timeout_ms, now);
                self.tries = tries;
            }
            0 | 6 if index == 0 && self.tries > 0 => self.fail(Failure::Silent),
            code => self.heard_in_transfer(code, now),
        }
    }

    fn heard_finish(&mut self, code: u8, now: Duration) {
        let is_done = self.layout.done_in.contains(&code);
        let Stage::Finish {
            agreed,
            last,
            is_doubtful,
        } = &mut self.stage
        else {
            return;
        };
        *agreed = match is_done {
            true if *last == code => *agreed + 1,
            true => 1,
            false => 0,
        };
        *last = code;
        if !is_done {
            self.heard_in_transfer(code, now);
        } else if *agreed < self.layout.confirmations {
            self.wait = Wait::Nothing;
        } else if *is_doubtful {
            self.fail(Failure::Unconfirmed);
        } else {
            self.end(Outcome::Uploaded);
        }
    }

    /// What ends a transfer, whatever its stage; anything else is waited out.
    fn heard_in_transfer(&mut self, code: u8, now: Duration) {
        match code {
            13 => self.fail(Failure::Cancelled),
            10 => self.terminate(Failure::OutOfSequence, now),
            // The reader has turned to a sale: nothing more is said to it. But one flipped bit makes a
            // 7 of another answer, and a transfer must not be left open for that: asked once more.
            code if SALE.contains(&code) => {
                if code == 2 || self.suspected.replace(code) == Some(code) {
                    self.fail(Failure::NotIdle(code));
                } else {
                    self.wait = Wait::Nothing;
                }
            }
            code => match Fault::of(code) {
                Some(fault) => self.fail(Failure::Cell(fault)),
                None => {
                    self.suspected = None;
                    self.pause(now);
                }
            },
        }
    }

    fn heard_answer(&mut self, frame: &Frame, now: Duration) {
        if Some(frame.code) != self.goal.answer_code() {
            return match frame.code {
                10 => self.fail(Failure::OutOfSequence),
                code if SALE.contains(&code) => self.fail(Failure::NotIdle(code)),
                code => match Fault::of(code) {
                    Some(fault) => self.fail(Failure::Cell(fault)),
                    None => self.pause(now),
                },
            };
        }
        match Response::from_frame(frame) {
            Ok(Response::SignalQuality { rssi, ber }) => self.end(Outcome::Signal { rssi, ber }),
            Ok(Response::TimeAndDate(time)) => self.end(Outcome::Clock(time)),
            // Without a CRC it is believed when it was heard often enough the same.
            Ok(response) if !self.has_agreed(&response) => {
                let deadline = self.deadline;
                self.enter(Stage::Ask, self.layout.idle_timeout_ms, now);
                self.deadline = deadline;
            }
            Ok(Response::EportConfig {
                serial_number,
                software_revision,
            }) => self.end(Outcome::Identity {
                serial_number,
                software_revision,
            }),
            Ok(_) | Err(_) => self.fail(Failure::Nonsense),
        }
    }

    /// Whether this is what was heard before, [`IDENTITY_AGREED`] times in a row.
    fn has_agreed(&mut self, response: &Response) -> bool {
        let times = match self.heard.take() {
            Some((before, times)) if before == *response => times + 1,
            _ => 1,
        };
        self.heard = Some((response.clone(), times));
        times >= IDENTITY_AGREED
    }

    /// STATUS again, a little later.
    fn pause(&mut self, now: Duration) {
        self.wait = Wait::Pause(now + self.layout.poll_interval());
    }

    /// The code of the command that waits for its ACK.
    fn command_code(&self) -> u8 {
        match self.stage {
            Stage::Begin => 24,
            Stage::Record(_) => 25,
            Stage::Terminate(_) => 8,
            _ => self.goal.question().code(),
        }
    }
}
