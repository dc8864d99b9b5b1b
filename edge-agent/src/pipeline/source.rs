//! One input on its way to the spool: its reader, its assembly, its pack, each with their state.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use wire::LogEntry;
use wire::redact::Redactor;

use super::Setup;
use super::reader::{self, Reader};
use super::ready::{Judged, Ready, Stage, gap_record};
use super::replies::Replies;
use super::wake::Waker;
use crate::assemble::{Assembler, Record};
use crate::clock::Wall;
use crate::config;
use crate::input::socket::{Ask, Outcome, Senders, Submission, Ticket, Verdict};
use crate::input::watch::SAFETY_POLL;
use crate::input::{At, Gap, InputEvent, Next, Origin};
use crate::pack::{self, Pack, PackState};
use crate::prepare::prepare;

/// One input with its own assembly and pack state.
pub(super) struct Source {
    name: String,
    reader: Reader,
    assembler: Option<Assembler>,
    pack: Option<Arc<Pack>>,
    pack_state: PackState,
    waker: Waker,
    /// Behind what was given out last.
    at: At,
    /// The seq of its last entry, as far as this run of the agent knows.
    last_seq: Option<u64>,
    /// When the input is to be stepped again; `None`: when it changes.
    due: Option<Instant>,
    last_data: Instant,
    trouble: Option<String>,
}

impl Source {
    /// Goes on where `spool` says that the input stopped.
    ///
    /// # Errors
    /// The configured pack cannot be read.
    pub fn new(config: &config::Input, setup: &Setup, waker: Waker) -> anyhow::Result<Source> {
        let name = config.name.clone();
        let origin = setup.spool.origin(&name).cloned();
        let at = origin.as_ref().map(|origin| origin.at.clone());
        let (assembly, pack_state) =
            origin.map_or_else(Default::default, |origin| (origin.assembly, origin.pack));
        let now = Instant::now();
        Ok(Source {
            reader: Reader::new(config, at.as_ref(), &assembly, &waker, setup)?,
            assembler: reader::assembler(config, assembly),
            name,
            pack: config.pack.as_deref().and_then(pack::named).transpose()?,
            pack_state,
            waker,
            at: at.unwrap_or(At::Live),
            last_seq: None,
            due: Some(now),
            last_data: now,
            trouble: None,
        })
    }

    /// The name under which the spool knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its last entry got this number.
    pub fn appended(&mut self, seq: u64) {
        self.last_seq = Some(seq);
    }

    /// When it is to be read again; `None`: when it changes.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// When what waits for more is given out without it.
    pub fn flush_due(&self) -> Option<Instant> {
        let quiet = self.assembler.as_ref()?.quiet()?;
        Some(self.last_data + quiet)
    }

    /// Its name, the bytes that were not read yet, and what is wrong with it.
    pub fn state(&self) -> (&str, u64, Option<&str>) {
        (&self.name, self.reader.lag_bytes(), self.trouble.as_deref())
    }

    /// The agent ends: takes nothing that was not there before.
    pub fn stop_reading(&mut self) {
        self.reader.stop_reading();
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
            for event in self.step(now) {
                self.take(event, index, wall, redactor, ready);
            }
        }
        // More that can be read at once may belong to what waits.
        if self.due != Some(now) && self.flush_due().is_some_and(|due| due <= now) {
            self.flush(index, wall, redactor, ready);
        }
    }

    fn take(
        &mut self,
        event: InputEvent,
        index: usize,
        wall: Wall,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        let mut records = Vec::new();
        match (event, &mut self.assembler) {
            (InputEvent::FileStarts, Some(assembler)) => {
                assembler.file_starts(wall.at, &mut records);
            }
            (InputEvent::Line(line, at), Some(assembler)) => {
                assembler.line(line, at, wall.at, &mut records);
            }
            (InputEvent::Emptied, _) => ready.push_back(Ready {
                source: index,
                stage: Stage::Starts,
            }),
            (
                InputEvent::Dated {
                    line,
                    at,
                    time,
                    level,
                },
                Some(assembler),
            ) => assembler.dated_line(line, at, (time, level), &mut records),
            (InputEvent::FileStarts | InputEvent::Line(..) | InputEvent::Dated { .. }, None) => {
                debug_assert!(false, "lines come only from inputs with an assembler");
            }
            (InputEvent::Record(record), _) => {
                // What was read before it must not be behind it in the spool.
                self.flush(index, wall, redactor, ready);
                let stage = Stage::Record(record, Box::new(wall));
                ready.push_back(Ready {
                    source: index,
                    stage,
                });
            }
            (InputEvent::Submission(submission), _) => {
                let stage = Stage::Submission(submission, Box::new(wall));
                ready.push_back(Ready {
                    source: index,
                    stage,
                });
            }
            (InputEvent::Gap(gap), _) => {
                self.flush(index, wall, redactor, ready);
                let stage = self.gap(gap, wall);
                ready.push_back(Ready {
                    source: index,
                    stage,
                });
            }
        }
        self.prepare((index, wall), &mut records, redactor, ready);
    }

    /// At the end of the agent: what is whole is given out, the rest stays in the file.
    pub fn give_out_whole(
        &mut self,
        index: usize,
        wall: Wall,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        if self.assembler.as_ref().is_some_and(|a| !a.waits_inside()) {
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
        let Some(assembler) = &mut self.assembler else {
            return;
        };
        let mut records = Vec::new();
        assembler.flush(wall.at, &mut records);
        self.prepare((index, wall), &mut records, redactor, ready);
    }

    fn step(&mut self, now: Instant) -> Vec<InputEvent> {
        self.waker.looked_at();
        let mut events = Vec::new();
        let stepped = self.reader.step(now, &mut events);
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
        (index, wall): (usize, Wall),
        records: &mut Vec<Record>,
        redactor: &Redactor,
        ready: &mut VecDeque<Ready>,
    ) {
        for mut record in records.drain(..) {
            let judged = self.entry(&mut record, &wall, redactor);
            let stage = Stage::Entry(Box::new(judged), None);
            ready.push_back(Ready {
                source: index,
                stage,
            });
        }
    }

    /// The entry of a record of this input, and the position behind it.
    pub fn entry(&mut self, record: &mut Record, wall: &Wall, redactor: &Redactor) -> Judged {
        let pack = self.pack.as_ref();
        let mut entry = prepare(record, redactor, pack, &mut self.pack_state, wall.state);
        let basis = wall.judge(&mut entry);
        if let (Some(rest), Some(assembler)) = (&mut record.state.rest, &mut self.assembler) {
            rest.level = entry.level;
            rest.component.clone_from(&entry.component);
            assembler.classified(entry.level, &entry.component);
        }
        self.at.clone_from(&record.place);
        let origin = Origin {
            at: record.place.clone(),
            assembly: record.state.clone(),
            pack: self.pack_state.clone(),
        };
        Judged {
            entry,
            origin,
            basis,
        }
    }

    /// Answers what needs no entry, now or after the next sync; what is to be stored comes back.
    pub fn submission(
        &mut self,
        submission: Submission,
        replies: &mut Replies,
        now: Instant,
    ) -> Option<(Box<Record>, Ticket)> {
        let Submission { ask, ticket } = submission;
        if !ticket.take() {
            return None;
        }
        match ask {
            Ask::Store(mut record, number) => {
                if let Some((sender, n)) = number {
                    match self.senders().verdict(sender, n) {
                        Verdict::New => self.senders().advance(sender, n),
                        Verdict::Known => {
                            replies.wait(ticket, Outcome::Duplicate, now);
                            return None;
                        }
                        Verdict::Early(last) => {
                            ticket.answer(Outcome::OutOfOrder(last));
                            return None;
                        }
                    }
                }
                record.place = At::Socket(self.senders().clone());
                return Some((record, ticket));
            }
            Ask::UseUp(sender, n) => self.senders().advance(sender, n),
            Ask::Hello(sender, next) => {
                let last = self.senders().hello(sender, next);
                replies.wait(ticket, Outcome::Last(last), now);
                replies.hurry();
            }
            Ask::Sync => {
                replies.wait(ticket, Outcome::Synced, now);
                replies.hurry();
            }
        }
        None
    }

    fn senders(&mut self) -> &mut Senders {
        if !matches!(self.at, At::Socket(_)) {
            self.at = At::Socket(Senders::default());
        }
        match &mut self.at {
            At::Socket(senders) => senders,
            _ => unreachable!("it was set above"),
        }
    }

    fn gap(&mut self, gap: Gap, wall: Wall) -> Stage {
        let record = gap_record(&gap, &self.name, wall.at);
        if let Some(at) = gap.at {
            self.at = at;
        }
        let assembly = self.assembler.as_ref().map(|a| a.state().clone());
        let origin = Origin {
            at: self.at.clone(),
            assembly: assembly.unwrap_or_default(),
            pack: self.pack_state.clone(),
        };
        Stage::Gap(Box::new(record), origin, Box::new(wall))
    }

    /// The entry of a gap: what is missing lies between `after_seq` and its own seq.
    pub fn gap_entry(&mut self, record: &mut Record, wall: &Wall, redactor: &Redactor) -> LogEntry {
        if let Some(seq) = self.last_seq {
            record.context.insert("after_seq".into(), seq.into());
        }
        prepare(record, redactor, None, &mut self.pack_state, wall.state)
    }

    /// Says what is wrong with the input, once for each new reason.
    fn report(&mut self, error: &io::Error) {
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            tracing::error!(
                input = %self.name,
                error = %text,
                "the input cannot be read; tried again every 10 s"
            );
            self.trouble = Some(text);
        }
    }
}
