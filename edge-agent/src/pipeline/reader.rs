//! The kinds of inputs behind one face: step it, and take what it found.

use std::io;
use std::time::Instant;

use super::Setup;
use super::wake::Waker;
use crate::assemble::{Assembler, AssemblyState};
use crate::clock;
use crate::config::input::{InputKind, Reading};
use crate::config::{self};
use crate::input::socket::SocketInput;
use crate::input::syslog::SyslogInput;
use crate::input::{At, FileInput, InputEvent, JournalInput, Next};

/// What an input reads from.
pub(super) enum Reader {
    File(Box<FileInput>),
    Socket(SocketInput),
    Syslog(SyslogInput),
    Journal(JournalInput),
}

impl Reader {
    /// Goes on behind `at`. `waker` is for inputs with a thread of their own.
    pub fn new(
        config: &config::Input,
        at: Option<&At>,
        assembly: &AssemblyState,
        waker: &Waker,
        setup: &Setup,
    ) -> anyhow::Result<Reader> {
        let place = at.and_then(At::place).copied();
        match &config.kind {
            InputKind::File(file) => {
                let input = FileInput::new(&file.path, place, assembly.is_inside_line());
                Ok(Reader::File(Box::new(input)))
            }
            InputKind::Socket(socket) => Ok(Reader::Socket(SocketInput::new(
                socket.file.clone(),
                waker.clone(),
                (setup.progress.clone(), setup.outbox.clone()),
                setup.spool.shared().clone(),
                clock::now,
            ))),
            InputKind::Syslog(syslog) => Ok(Reader::Syslog(SyslogInput::new(
                syslog.clone(),
                waker.clone(),
                clock::now,
            ))),
            InputKind::Journal(journal) => {
                let waker = waker.clone();
                let input = JournalInput::new(journal, at, move || waker.wake())?;
                Ok(Reader::Journal(input))
            }
        }
    }

    /// Reads on: appends what was found to `events`.
    ///
    /// # Errors
    /// The input cannot be read; it is tried again later. What was given out stays given out.
    pub fn step(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        match self {
            Reader::File(file) => file.step(now, events),
            Reader::Socket(socket) => socket.step(events),
            Reader::Syslog(syslog) => syslog.step(events),
            Reader::Journal(journal) => journal.step(now, events),
        }
    }

    /// Bytes that were not read yet, as far as that is known.
    pub fn lag_bytes(&self) -> u64 {
        match self {
            Reader::File(file) => file.lag_bytes(),
            Reader::Socket(socket) => socket.lag_bytes(),
            Reader::Syslog(syslog) => syslog.lag_bytes(),
            // What the journal holds behind the cursor is known to nobody.
            Reader::Journal(_) => 0,
        }
    }

    /// Takes nothing that was not there before.
    pub fn stop_reading(&mut self) {
        match self {
            Reader::File(_) | Reader::Journal(_) => {}
            Reader::Socket(socket) => socket.stop_reading(),
            Reader::Syslog(syslog) => syslog.stop_reading(),
        }
    }
}

/// The assembler of an input whose lines need one.
pub(super) fn assembler(config: &config::Input, state: AssemblyState) -> Option<Assembler> {
    let Reading { format, zone } = match &config.kind {
        InputKind::File(file) => &file.reading,
        InputKind::Journal(journal) => journal.reading.as_ref()?,
        InputKind::Socket(_) | InputKind::Syslog(_) => return None,
    };
    Some(Assembler::new(format.clone(), zone.clone(), state))
}
