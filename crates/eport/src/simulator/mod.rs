//! A reader that is simulated: bytes in, bytes out with the times at which they are due. No port, no
//! clock, chance from a seed. It follows what public programs say and, for uploads, the same guesses
//! as [`crate::layout`]; it proves nothing about a real reader.

mod line;
mod rng;
mod sale;
mod setup;
mod transfer;

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

pub use setup::{Faults, Rest, Sales, Setup};
pub use transfer::Uploaded;

use crate::clock::TimeAndDate;
use crate::command::Command;
use crate::decoder::{self, Decoder};
use crate::fields::Secret;
use crate::frame::{ACK, Dialect, Frame, NAK};
use crate::response::{Fault, Response};
use line::Line;
use rng::Rng;
use transfer::Transfer;

/// What happened, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SimEvent {
    /// A command was taken.
    Command {
        /// Its code.
        code: u8,
    },
    /// Bytes made no sense, or a NAK was due by chance.
    Nak,
    /// A customer has presented a card.
    SaleBegan,
    /// The bank has answered.
    Authorized {
        /// Its answer.
        is_approved: bool,
    },
    /// The application has reported what was sold.
    SaleEnded,
    /// A file is coming.
    UploadBegan {
        /// Its name.
        name: String,
        /// Its bytes.
        size_bytes: u32,
    },
    /// A file is whole and would be on its way to the server.
    UploadDone {
        /// Its name.
        name: String,
        /// Its bytes.
        size_bytes: u32,
    },
    /// A file came to nothing.
    UploadFailed {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
}

/// What the reader is doing, apart from a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Getting a cell connection, until then.
    Initializing(Duration),
    /// 0.
    Ok,
    /// 6.
    Disabled,
    /// 7, for this amount.
    ExpectingSwipe { amount_cents: u32 },
    /// 8, until then.
    Authorizing { amount_cents: u32, until: Duration },
    /// 9.
    ExpectingResult,
}

/// A simulated reader.
#[derive(Debug)]
pub struct Reader {
    setup: Setup,
    rng: Rng,
    line: Line,
    decoder: Decoder,
    state: State,
    /// What the next STATUS says once, before the state.
    pending: Option<Response>,
    transfer: Option<Transfer>,
    /// The next customer comes then.
    customer_at: Option<Duration>,
    /// Sales that the application has reported.
    sales: u64,
    finished: VecDeque<Uploaded>,
    events: VecDeque<SimEvent>,
}

/// Events that nobody takes are dropped, the oldest first.
const EVENTS_MOST: usize = 10_000;
/// The same for finished uploads.
const FINISHED_MOST: usize = 1_000;

impl Reader {
    /// A reader that is switched on at the time 0.
    pub fn new(setup: Setup) -> Reader {
        let mut rng = Rng::new(setup.seed);
        Reader {
            state: State::Initializing(setup.boot),
            line: Line::new(setup.faults.clone(), Rng::new(rng.next_u64())),
            decoder: Decoder::new(Dialect::commands(setup.layout.has_crc)),
            customer_at: setup.sales.every.map(|every| setup.boot + every),
            setup,
            rng,
            pending: None,
            transfer: None,
            sales: 0,
            finished: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Bytes have been written to the reader.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.line.receive(bytes, now);
    }

    /// Lives on until `now`; the bytes that have left the reader by then.
    pub fn run(&mut self, now: Duration) -> Vec<u8> {
        while let Some((at, byte)) = self.line.next_received(now) {
            self.live(at);
            match byte {
                Some(byte) => self.heard(byte, at),
                None => {
                    if self.decoder.silence().is_some() {
                        self.nak(at);
                    }
                }
            }
        }
        self.live(now);
        self.line.sent(now)
    }

    /// When something is due though nothing is received.
    pub fn next_due(&self) -> Option<Duration> {
        let state = match self.state {
            State::Initializing(until) | State::Authorizing { until, .. } => Some(until),
            _ => None,
        };
        let transfer = self.transfer.as_ref().and_then(Transfer::next_due);
        let times = [self.line.next_due(), state, transfer, self.customer_at];
        times.into_iter().flatten().min()
    }

    /// The oldest upload that nobody has taken yet.
    pub fn take_upload(&mut self) -> Option<Uploaded> {
        self.finished.pop_front()
    }

    /// The oldest event that nobody has taken yet.
    pub fn take_event(&mut self) -> Option<SimEvent> {
        self.events.pop_front()
    }

    /// A customer presents a card now; whether the reader takes it.
    pub fn swipe(&mut self, now: Duration) -> bool {
        self.live(now);
        self.swiped(now)
    }

    /// The status that the next STATUS would say, unless something is to be said once.
    pub fn status(&self) -> u8 {
        self.state_response().code()
    }

    /// Sales that the application has reported.
    pub fn sales(&self) -> u64 {
        self.sales
    }

    /// What happens by itself.
    fn live(&mut self, now: Duration) {
        if let State::Initializing(until) = self.state
            && now >= until
        {
            self.state = self.rest();
        }
        self.go_on_with_transfer(now);
        self.go_on_with_sale(now);
    }

    fn heard(&mut self, byte: u8, now: Duration) {
        match self.decoder.push(byte) {
            Some(decoder::Event::Frame(frame)) => match Command::from_frame(&frame) {
                Ok(command) => self.take(&command, &frame, now),
                Err(_) => self.nak(now),
            },
            Some(decoder::Event::Garbled(_)) => self.nak(now),
            // The kiosk acknowledges nothing.
            Some(decoder::Event::Ack | decoder::Event::Nak) | None => {}
        }
    }

    fn take(&mut self, command: &Command, frame: &Frame, now: Duration) {
        if *command == Command::Status {
            self.event(SimEvent::Command { code: 1 });
            let response = self.pending.take();
            let response = response.unwrap_or_else(|| self.state_response());
            self.answer(&response, now);
            return;
        }
        if self.rng.chance(self.setup.faults.nak) {
            return self.nak(now);
        }
        self.event(SimEvent::Command { code: frame.code });
        self.line.send(&[ACK], now + self.setup.ack_delay);
        self.obey(command, frame, now);
    }

    fn obey(&mut self, command: &Command, frame: &Frame, now: Duration) {
        match command {
            Command::Reboot => {
                self.end_transfer("rebooted");
                self.pending = None;
                self.state = State::Initializing(now + self.setup.boot);
            }
            Command::Reset => {
                self.end_transfer("reset");
                self.pending = None;
                self.state = State::Disabled;
            }
            Command::Enable if self.is_at_rest() => {
                self.state = State::ExpectingSwipe {
                    amount_cents: self.setup.sales.charge_cents,
                };
            }
            Command::Disable if self.is_at_rest() => self.state = State::Disabled,
            Command::AuthRequest { amount_cents } if self.is_at_rest() => {
                self.state = State::ExpectingSwipe {
                    amount_cents: *amount_cents,
                };
            }
            Command::TransactionResult(_) => self.sold(frame.code),
            Command::TerminateFileTransfer if self.transfer.is_some() => {
                self.end_transfer("ended by the kiosk");
                self.pending = Some(Response::CancelFileTransfer);
            }
            Command::FileReady(_) => self.file_ready(frame, now),
            Command::FileRecord(_) => self.file_record(frame, now),
            Command::AcquireSignalQuality => {
                let (rssi, ber) = self.setup.signal;
                self.pending = Some(Response::SignalQuality { rssi, ber });
            }
            Command::AcquireTimeAndDate => self.pending = Some(self.time(now)),
            Command::AcquireConfig => {
                self.pending = Some(Response::EportConfig {
                    serial_number: self.setup.serial_number.clone(),
                    software_revision: self.setup.software_revision.clone(),
                });
            }
            Command::AcquireTransactionId => {
                let id = self.rng.digits(10);
                self.pending = Some(Response::TransactionId(Secret::new(id)));
            }
            Command::Enable
            | Command::Disable
            | Command::AuthRequest { .. }
            | Command::TerminateFileTransfer
            | Command::BeginFileDownload => self.out_of_sequence(frame.code),
            _ => {}
        }
    }

    fn time(&mut self, now: Duration) -> Response {
        if self.rng.chance(self.setup.faults.cell) {
            return Response::Fault(Fault::TimeRequest);
        }
        let seconds = self.setup.unix_seconds_at_0 + now.as_secs() as i64;
        let order = self.setup.layout.date_order;
        Response::TimeAndDate(TimeAndDate::at(seconds, self.setup.offset_hours, order))
    }

    /// The application may begin something: no sale and no transfer is going on.
    fn is_at_rest(&self) -> bool {
        let is_at_rest = matches!(
            self.state,
            State::Ok | State::Disabled | State::ExpectingSwipe { .. }
        );
        is_at_rest && self.transfer.is_none()
    }

    fn rest(&self) -> State {
        match self.setup.rest {
            Rest::Ok => State::Ok,
            Rest::Disabled => State::Disabled,
        }
    }

    fn state_response(&self) -> Response {
        if let Some(transfer) = &self.transfer {
            return transfer.response();
        }
        match self.state {
            State::Initializing(_) => Response::Initializing,
            State::Ok => Response::Ok,
            State::Disabled => Response::Disabled,
            State::ExpectingSwipe { .. } => Response::ExpectingSwipe,
            State::Authorizing { .. } => Response::Authorizing,
            State::ExpectingResult => Response::ExpectingResult,
        }
    }

    fn answer(&mut self, response: &Response, now: Duration) {
        let bytes = response.to_frame().encode(Dialect::responses());
        self.line.send(&bytes, now + self.setup.answer_delay);
    }

    fn out_of_sequence(&mut self, command: u8) {
        self.pending = Some(Response::InvalidCommand {
            command: command.to_string(),
            message: "Out of sequence".to_owned(),
        });
    }

    fn nak(&mut self, now: Duration) {
        self.event(SimEvent::Nak);
        self.line.send(&[NAK], now + self.setup.ack_delay);
    }

    fn event(&mut self, event: SimEvent) {
        if self.events.len() == EVENTS_MOST {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
