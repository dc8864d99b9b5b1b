//! One input on its way to the spool: its file, its assembly, its pack, each with their state.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use wire::redact::Redactor;
use wire::{ClockState, LogEntry};

use crate::assemble::{Assembler, Record};
use crate::clock::Wall;
use crate::config;
use crate::input::watch::SAFETY_POLL;
use crate::input::{FileInput, InputEvent, Next, Origin};
use crate::pack::{self, Pack, PackError, PackState};
use crate::prepare::prepare;
use crate::spool::Spool;

/// One input with its own assembly and pack state.
pub(super) struct Source {
    name: String,
    input: FileInput,
    assembler: Assembler,
    pack: Option<Arc<Pack>>,
    pack_state: PackState,
    /// When the input is to be stepped again; `None`: when it changes.
    due: Option<Instant>,
    last_data: Instant,
    trouble: Option<String>,
}

/// An entry that only needs its number.
pub(super) struct Ready {
    pub entry: LogEntry,
    pub source: usize,
    pub origin: Origin,
}

impl Source {
    /// Goes on where `spool` says that the input stopped.
    pub fn new(config: &config::Input, spool: &Spool) -> Result<Source, PackError> {
        let name = config.path.display().to_string();
        let origin = spool.origin(&name).cloned();
        let place = origin.as_ref().map(|origin| origin.place);
        let (assembly, pack_state) =
            origin.map_or_else(Default::default, |origin| (origin.assembly, origin.pack));
        let now = Instant::now();
        Ok(Source {
            input: FileInput::new(&config.path, place, assembly.is_inside_line()),
            assembler: Assembler::new(config.format.clone(), config.zone.clone(), assembly),
            name,
            pack: config.pack.as_deref().and_then(pack::named).transpose()?,
            pack_state,
            due: Some(now),
            last_data: now,
            trouble: None,
        })
    }

    /// The name under which the spool knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it is to be read again; `None`: when it changes.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// When what waits for more is given out without it.
    pub fn flush_due(&self) -> Option<Instant> {
        self.assembler.quiet().map(|quiet| self.last_data + quiet)
    }

    /// Bytes that were not read yet.
    pub fn lag_bytes(&self) -> u64 {
        self.input.lag_bytes()
    }

    /// It may have changed.
    pub fn look_at(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// Whether there is more to read at once.
    pub fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Reads on, if it is time to, and gives out what has waited long enough for more.
    pub fn read(
        &mut self,
        index: usize,
        now: Instant,
        wall: Wall,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        if self.due.is_some_and(|due| due <= now) {
            let events = self.step(now);
            let mut records = Vec::new();
            for event in events {
                match event {
                    InputEvent::FileStarts => self.assembler.file_starts(wall.at, &mut records),
                    InputEvent::Line(line, place) => {
                        self.assembler.line(line, place, wall.at, &mut records);
                    }
                }
                self.prepare((index, wall.state), &mut records, redactor, ready);
            }
        }
        // More that can be read at once may belong to what waits.
        if self.due != Some(now) && self.flush_due().is_some_and(|due| due <= now) {
            self.flush(index, wall, redactor, ready);
        }
    }

    /// At the end of the agent: what is whole is given out, the rest stays in the file.
    pub fn give_out_whole(
        &mut self,
        index: usize,
        wall: Wall,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        if !self.assembler.waits_inside() {
            self.flush(index, wall, redactor, ready);
        }
    }

    fn flush(
        &mut self,
        index: usize,
        wall: Wall,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        let mut records = Vec::new();
        self.assembler.flush(wall.at, &mut records);
        self.prepare((index, wall.state), &mut records, redactor, ready);
    }

    fn step(&mut self, now: Instant) -> Vec<InputEvent> {
        let mut events = Vec::new();
        let stepped = self.input.step(now, &mut events);
        if !events.is_empty() {
            self.last_data = now;
        }
        match stepped {
            Ok(next) => {
                self.trouble = None;
                self.due = match next {
                    Next::Now => Some(now),
                    Next::After(wait) => Some(now + wait),
                    Next::OnChange => None,
                };
            }
            Err(error) => {
                self.due = Some(now + SAFETY_POLL);
                self.report(&error);
            }
        }
        events
    }

    fn prepare(
        &mut self,
        (index, clock): (usize, ClockState),
        records: &mut Vec<Record>,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        for mut record in records.drain(..) {
            let entry = prepare(
                &record,
                redactor,
                self.pack.as_ref(),
                &mut self.pack_state,
                clock,
            );
            if let Some(rest) = &mut record.state.rest {
                rest.level = entry.level;
                rest.component.clone_from(&entry.component);
                self.assembler.classified(entry.level, &entry.component);
            }
            let origin = Origin {
                place: record.place,
                assembly: record.state,
                pack: self.pack_state.clone(),
            };
            ready.push_back(Ready {
                entry,
                source: index,
                origin,
            });
        }
    }

    /// Says what is wrong with the input, once for each new reason.
    fn report(&mut self, error: &io::Error) {
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            tracing::error!(
                path = %self.name,
                error = %text,
                "the log file cannot be read; give the agent's user the right to read it"
            );
            self.trouble = Some(text);
        }
    }
}
