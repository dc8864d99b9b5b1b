//! From lines to records. A record is one logging call: a stamped line and, when it carries a
//! traceback, the lines of that; or a line that the application printed past its logger.

mod json;
mod pattern;
mod python;
mod record;
mod stamp;
mod traceback;
pub mod zone;

use std::time::Duration;

use wire::{Level, Micros};

pub use json::Json;
pub use pattern::{Pattern, PatternError};
pub use python::Python;
pub use record::{AssemblyState, Kind, Record, Rest};
pub use stamp::{Stamped, level};
pub use zone::Zone;

use crate::input::lines::TEXT_MAX_BYTES;
use crate::input::{At, Line};
pub(crate) use record::component_of;
use record::{mark_escaped, printed};
use traceback::Phase;

/// How long a traceback that ends in the middle, or a printed line at the very start of a file,
/// waits for what belongs to it. Python writes a record at once; this covers a slow card.
const TRACEBACK_QUIET: Duration = Duration::from_secs(1);
/// How long a whole record that may still get a traceback waits for it. `logger.exception` writes
/// both in one call, so they are normally read together.
const WHOLE_QUIET: Duration = Duration::from_millis(100);
/// The most printed lines that wait for the first stamp of a file.
const LEADING_MAX_LINES: usize = 64;
/// The component of lines that were printed past the logger.
pub const STDOUT: &str = "stdout";
/// The component of the application's main module, and of tracebacks that nobody logged.
pub const APP: &str = "app";

/// How an input's lines are read.
#[derive(Debug, Clone)]
pub enum Format {
    /// `2026-01-22 14:30:15,123 - name - LEVEL - message`, with or without milliseconds.
    Python(Python),
    /// One JSON object a line.
    Json(Json),
    /// A regular expression of the configuration.
    Pattern(Pattern),
}

impl Format {
    /// What a line says; `None` when it does not begin with a stamp.
    pub fn parse(&self, text: &str, zone: &Zone, previous: Option<Micros>) -> Option<Stamped> {
        match self {
            Format::Python(python) => python.parse(text, zone, previous),
            Format::Json(json) => json.parse(text, zone, previous),
            Format::Pattern(pattern) => pattern.parse(text, zone, previous),
        }
    }
}

/// Assembles the lines of one input.
#[derive(Debug)]
pub struct Assembler {
    format: Format,
    zone: Zone,
    state: AssemblyState,
    open: Option<OpenRecord>,
    leading: Vec<(Line, At)>,
    /// The time and level that the line in hand came with.
    dated: Option<(Micros, Level)>,
}

/// A record whose end is not known yet.
#[derive(Debug)]
struct OpenRecord {
    record: Record,
    phase: Phase,
    parts_before: u32,
    /// An empty line that belongs to the record only if the next one says so.
    blank: Option<At>,
}

impl Assembler {
    /// Goes on from `state`.
    pub fn new(format: Format, zone: Zone, state: AssemblyState) -> Assembler {
        Assembler {
            format,
            zone,
            state,
            open: None,
            leading: Vec::new(),
            dated: None,
        }
    }

    /// The file begins anew: what was before only tells which of two equal hours it is.
    pub fn file_starts(&mut self, now: Micros, out: &mut Vec<Record>) {
        self.flush(now, out);
        let before = self.state.last.or(self.state.before);
        self.state = AssemblyState {
            before,
            ..AssemblyState::default()
        };
    }

    /// Takes the next line; complete records go to `out`. `now` is the time of reading, for lines
    /// that have none and none before them.
    pub fn line(&mut self, line: Line, place: At, now: Micros, out: &mut Vec<Record>) {
        if !line.first {
            return self.piece(line, place, now, out);
        }
        let previous = self.state.last.or(self.state.before);
        if let Some(stamped) = self.format.parse(&line.text, &self.zone, previous) {
            self.close(out);
            self.give_out_leading(stamped.at, out);
            self.state = AssemblyState {
                last: Some(stamped.at),
                before: None,
                rest: None,
            };
            return self.stamped(stamped, &line, place, out);
        }
        self.reopen_rest(&place);
        if self.open.is_some() && line.last && self.joins(&line, &place, out) {
            return;
        }
        self.close(out);
        self.state.rest = None;
        self.unstamped(line, place, now, out);
    }

    /// Takes the next line of a log that keeps a time and a level for each: these hold where the
    /// line has no stamp of its own.
    pub fn dated_line(
        &mut self,
        line: Line,
        place: At,
        dated: (Micros, Level),
        out: &mut Vec<Record>,
    ) {
        self.dated = Some(dated);
        self.line(line, place, dated.0, out);
        self.dated = None;
    }

    /// The state behind what was given out last.
    pub fn state(&self) -> &AssemblyState {
        &self.state
    }

    /// Gives out what waits for more, because nothing more came for [`Assembler::quiet`].
    pub fn flush(&mut self, now: Micros, out: &mut Vec<Record>) {
        self.close(out);
        self.give_out_leading(now, out);
    }

    /// How long the file must be quiet before [`Assembler::flush`]; `None` when nothing waits.
    pub fn quiet(&self) -> Option<Duration> {
        match &self.open {
            Some(open) if open.phase.is_inside() => Some(TRACEBACK_QUIET),
            Some(_) => Some(WHOLE_QUIET),
            None if self.leading.is_empty() => None,
            None => Some(TRACEBACK_QUIET),
        }
    }

    /// Whether what waits is certainly incomplete: at the end of the agent it is left in the file.
    pub fn waits_inside(&self) -> bool {
        self.open
            .as_ref()
            .map_or(!self.leading.is_empty(), |open| open.phase.is_inside())
    }

    /// Lets the parts that follow have the level and component that a pack gave to the first.
    pub fn classified(&mut self, level: Level, component: &str) {
        if let Some(rest) = &mut self.state.rest {
            rest.level = level;
            rest.component = component.to_owned();
        } else if let Some(open) = &mut self.open
            && open.record.kind == Kind::Continued
        {
            open.record.level = level;
            open.record.component = component.to_owned();
        }
    }

    fn stamped(&mut self, stamped: Stamped, line: &Line, place: At, out: &mut Vec<Record>) {
        let mut record = Record {
            at: stamped.at,
            level: stamped.level,
            component: component_of(&stamped.name),
            message: stamped.message,
            context: stamped.context,
            kind: Kind::Logged,
            place,
            state: AssemblyState::default(),
        };
        mark_escaped(&mut record, line);
        if !line.last {
            return self.first_piece(record, out);
        }
        let phase = match traceback::begins(&record.message) {
            true => Phase::Inside,
            // A lighter record has no traceback of its own: nothing is gained by waiting.
            false if record.level >= Level::Warn => Phase::Before,
            false => return self.give_out(record, out),
        };
        self.open = Some(OpenRecord {
            record,
            phase,
            parts_before: 0,
            blank: None,
        });
    }

    fn unstamped(&mut self, line: Line, place: At, now: Micros, out: &mut Vec<Record>) {
        if line.last && traceback::begins(&line.text) {
            let at = self.time_of_unstamped(now);
            self.give_out_leading(at, out);
            let mut record = printed(at, line.text.clone(), place);
            mark_escaped(&mut record, &line);
            // Python's own last words, past every logger: the application is failing.
            (record.level, record.component) = (Level::Error, APP.to_owned());
            record.kind = Kind::Logged;
            let phase = Phase::Inside;
            self.open = Some(OpenRecord {
                record,
                phase,
                parts_before: 0,
                blank: None,
            });
            return;
        }
        if self.state.last.is_none() && self.dated.is_none() && line.last {
            self.leading.push((line, place));
            if self.leading.len() >= LEADING_MAX_LINES {
                self.give_out_leading(now, out);
            }
            return;
        }
        let at = self.time_of_unstamped(now);
        self.give_out_leading(at, out);
        let mut record = printed(at, line.text.clone(), place);
        mark_escaped(&mut record, &line);
        if let Some((_, level)) = self.dated {
            record.level = level;
        }
        match line.last {
            true => self.give_out(record, out),
            false => self.first_piece(record, out),
        }
    }

    fn time_of_unstamped(&self, now: Micros) -> Micros {
        let own = self.dated.map(|(time, _)| time);
        own.or(self.state.last).unwrap_or(now)
    }

    fn give_out_leading(&mut self, at: Micros, out: &mut Vec<Record>) {
        for (line, place) in std::mem::take(&mut self.leading) {
            let mut record = printed(at, line.text.clone(), place);
            mark_escaped(&mut record, &line);
            self.give_out(record, out);
        }
    }

    /// Whether the line belongs to the open record; it is taken then.
    fn joins(&mut self, line: &Line, place: &At, out: &mut Vec<Record>) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let Some(next) = open.phase.after(&line.text) else {
            return false;
        };
        let message = &open.record.message;
        if !message.is_empty() && message.len() + line.text.len() + 2 > TEXT_MAX_BYTES {
            self.close(out);
            self.reopen_rest(place);
        }
        let Some(open) = &mut self.open else {
            return false;
        };
        if next == Phase::AfterBlank {
            open.blank = Some(place.clone());
            open.phase = next;
            return true;
        }
        if open.blank.take().is_some() {
            open.record.message.push('\n');
        }
        if open.record.kind != Kind::Continued || !open.record.message.is_empty() {
            open.record.message.push('\n');
        }
        open.record.message.push_str(&line.text);
        mark_escaped(&mut open.record, line);
        open.record.place = place.clone();
        open.phase = next;
        true
    }

    /// A traceback that was given out before its end goes on as a record of its own.
    fn reopen_rest(&mut self, place: &At) {
        if self.open.is_some() {
            return;
        }
        let Some(rest) = self.state.rest.take_if(|rest| !rest.is_line) else {
            return;
        };
        let mut record = printed(rest.at, String::new(), place.clone());
        (record.level, record.component, record.kind) =
            (rest.level, rest.component, Kind::Continued);
        self.open = Some(OpenRecord {
            record,
            phase: rest.phase,
            parts_before: rest.parts,
            blank: None,
        });
    }

    fn close(&mut self, out: &mut Vec<Record>) {
        let Some(OpenRecord {
            mut record,
            phase,
            parts_before,
            blank,
        }) = self.open.take()
        else {
            return;
        };
        if record.kind == Kind::Continued && record.message.is_empty() {
            return;
        }
        if parts_before > 0 {
            record
                .context
                .insert("continues".into(), (parts_before + 1).into());
        }
        if phase.is_inside() {
            self.state.rest = Some(Rest {
                at: record.at,
                level: record.level,
                component: record.component.clone(),
                parts: parts_before + 1,
                is_line: false,
                phase,
            });
        }
        let at = record.at;
        self.give_out(record, out);
        if let Some(place) = blank {
            self.give_out(printed(at, String::new(), place), out);
        }
    }

    fn first_piece(&mut self, mut record: Record, out: &mut Vec<Record>) {
        record.context.insert("piece".into(), 1.into());
        record.context.insert("last_piece".into(), false.into());
        self.state.rest = Some(Rest {
            at: record.at,
            level: record.level,
            component: record.component.clone(),
            parts: 1,
            is_line: true,
            phase: Phase::Before,
        });
        self.give_out(record, out);
    }

    fn piece(&mut self, line: Line, place: At, now: Micros, out: &mut Vec<Record>) {
        let at = self.state.last.unwrap_or(now);
        let rest = self
            .state
            .rest
            .take()
            .filter(|rest| rest.is_line)
            .unwrap_or(Rest {
                at,
                level: Level::Info,
                component: STDOUT.to_owned(),
                parts: 0,
                is_line: true,
                phase: Phase::Before,
            });
        let mut record = printed(rest.at, line.text.clone(), place);
        mark_escaped(&mut record, &line);
        (record.level, record.component) = (rest.level, rest.component.clone());
        record.kind = Kind::Continued;
        let parts = rest.parts + 1;
        record.context.insert("piece".into(), parts.into());
        record.context.insert("last_piece".into(), line.last.into());
        self.state.rest = (!line.last).then_some(Rest { parts, ..rest });
        self.give_out(record, out);
    }

    fn give_out(&self, mut record: Record, out: &mut Vec<Record>) {
        record.state = self.state.clone();
        out.push(record);
    }
}

#[cfg(test)]
mod tests;
