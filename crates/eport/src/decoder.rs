//! Finds frames in the bytes of a line: a byte in, at most one event out, bounded, and never fooled by
//! a CR or RS that is part of a CRC. It knows nothing of time; who does calls [`Decoder::silence`].
//!
//! A CRC is two raw bytes, so the CR that ends a frame may be the first, the second or the third CR
//! in it. Which one is settled by the CRC itself: of the three readings of the bytes around a frame's
//! first CR at most one has a right CRC when the frame is whole. (If the CRC reading at an earlier
//! place were right as well, the CRC at the later one would have to hold a zero byte where its CR is.)

use crate::crc::crc16;
use crate::frame::{ACK, CR, Dialect, Frame, NAK, code};

/// The longest frame that is taken: a record of 900 bytes, the most a file may have, and room.
pub const FRAME_MAX_BYTES: usize = 1_024;
/// The CRC before the CR that ends a frame.
const CRC_BYTES: usize = 2;
/// After a frame's first CR this many bytes may still belong to it.
const TAIL_BYTES: usize = 2;

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A command was taken.
    Ack,
    /// A command was not taken.
    Nak,
    /// A whole frame with a known code, and with a right CRC where there must be one.
    Frame(Frame),
    /// So many bytes made no sense and are gone.
    Garbled(usize),
}

/// Reads one direction of a line.
#[derive(Debug, Clone)]
pub struct Decoder {
    dialect: Dialect,
    /// What has come of a frame, or of what is being skipped.
    bytes: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before, or inside of a frame, no CR yet.
    Frame,
    /// After a frame's first CR, which did not end it; its place.
    Tail(usize),
    /// Garbled bytes up to a CR; so many.
    Skipping(usize),
    /// The same after that CR: it may have been part of a CRC, so a CR close behind it is skipped
    /// as well. Bytes so far, and how many more may come.
    SkippingTail(usize, usize),
}

impl Decoder {
    /// Reads frames of this direction.
    pub fn new(dialect: Dialect) -> Decoder {
        Decoder {
            dialect,
            bytes: Vec::new(),
            state: State::Frame,
        }
    }

    /// Takes the next byte of the line.
    pub fn push(&mut self, byte: u8) -> Option<Event> {
        match self.state {
            State::Frame if self.bytes.is_empty() => self.begin(byte),
            State::Frame => self.go_on(byte),
            State::Tail(first_cr) => self.tail(first_cr, byte),
            State::Skipping(count) => {
                self.state = match byte {
                    CR => State::SkippingTail(count + 1, TAIL_BYTES),
                    _ => State::Skipping(count.saturating_add(1)),
                };
                None
            }
            State::SkippingTail(count, more) if byte == CR || more == 1 => {
                self.state = State::Frame;
                Some(Event::Garbled(count + 1))
            }
            State::SkippingTail(count, more) => {
                self.state = State::SkippingTail(count + 1, more - 1);
                None
            }
        }
    }

    /// Nothing more comes for now: what has begun is over. Without it the start of the next frame
    /// could be taken for the end of a broken one.
    pub fn silence(&mut self) -> Option<Event> {
        let count = match self.state {
            State::Frame | State::Tail(_) => self.bytes.len(),
            State::Skipping(count) | State::SkippingTail(count, _) => count,
        };
        self.clear();
        (count > 0).then_some(Event::Garbled(count))
    }

    /// Forgets what has begun: a new command asks for a new answer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.state = State::Frame;
    }

    /// Whether something has begun that is not over.
    pub fn is_inside(&self) -> bool {
        !self.bytes.is_empty() || self.state != State::Frame
    }

    fn begin(&mut self, byte: u8) -> Option<Event> {
        match byte {
            ACK => Some(Event::Ack),
            NAK => Some(Event::Nak),
            b'0'..=b'9' => {
                self.bytes.push(byte);
                None
            }
            // Line ends between frames: a doubled CR, or a program that sends CR LF.
            CR | b'\n' => None,
            _ => {
                self.state = State::Skipping(1);
                None
            }
        }
    }

    fn go_on(&mut self, byte: u8) -> Option<Event> {
        self.bytes.push(byte);
        if byte != CR {
            if self.bytes.len() > FRAME_MAX_BYTES {
                self.state = State::Skipping(self.bytes.len());
                self.bytes.clear();
            }
            return None;
        }
        let end = self.bytes.len() - 1;
        match self.ended_at(end) {
            Some(frame) => Some(self.found(frame)),
            None => {
                self.state = State::Tail(end);
                None
            }
        }
    }

    fn tail(&mut self, first_cr: usize, byte: u8) -> Option<Event> {
        self.bytes.push(byte);
        let end = self.bytes.len() - 1;
        // A CR in the tail ends a frame only as the end of a CRC that holds the first one.
        if byte == CR
            && self.needs_crc()
            && let Some(frame) = self.ended_at(end)
        {
            return Some(self.found(frame));
        }
        if end < first_cr + TAIL_BYTES {
            return None;
        }
        let count = self.bytes.len();
        self.clear();
        Some(Event::Garbled(count))
    }

    fn found(&mut self, frame: Frame) -> Event {
        self.clear();
        Event::Frame(frame)
    }

    /// Whether the code that it begins with must carry a CRC.
    fn needs_crc(&self) -> bool {
        let digits = self.bytes.iter().take_while(|byte| byte.is_ascii_digit());
        let digits: Vec<u8> = digits.take(3).copied().collect();
        code(&digits).is_some_and(|code| self.dialect.has_crc(code))
    }

    /// The frame, if the CR at `end` is the end of one.
    fn ended_at(&self, end: usize) -> Option<Frame> {
        if !self.needs_crc() {
            let frame = Frame::parse(&self.bytes[..end])?;
            return self.dialect.knows(frame.code).then_some(frame);
        }
        let body = &self.bytes[..end.checked_sub(CRC_BYTES)?];
        let crc = &self.bytes[body.len()..end];
        if crc != crc16(body).to_be_bytes() {
            return None;
        }
        // Every frame with a CRC has fields; a CRC right behind the code may hold digits.
        Frame::parse(body).filter(|frame| !frame.fields.is_empty())
    }
}
