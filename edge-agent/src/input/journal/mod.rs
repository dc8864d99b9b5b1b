//! Units of the systemd journal, through a child `journalctl`: linking libsystemd would tie the
//! agent to one version of it. Resumes behind the cursor of the last entry.
//!
//! A position is the cursor as `journalctl` writes it, or `CURSOR#n` when the first `n` lines or
//! pieces of that record were given out.

mod child;
mod record;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wire::Level;

use super::{At, Gap, InputEvent, Next};
use crate::config::input::Journal;
use child::{Child, Found};
use record::Entry;

/// A `journalctl` that still runs after this time is well, though it may have found nothing.
const WELL_AFTER: Duration = Duration::from_secs(5);

/// What `journalctl` is asked for. All is read as one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Query {
    units: Vec<String>,
    directory: Option<PathBuf>,
    file: Option<PathBuf>,
}

/// Some units being followed.
#[derive(Debug)]
pub struct JournalInput {
    child: Child,
    /// Whether lines are still to be assembled.
    has_lines: bool,
    /// Where reading goes on; `None`: with the oldest there is.
    resume: Option<Position>,
    /// Whether what comes now follows what was given out.
    is_joined: bool,
    /// What was found and not given out yet: one batch.
    waiting: VecDeque<Found>,
    trouble: Option<String>,
    /// When `journalctl` was started, if it did not end since.
    running_since: Option<Instant>,
}

/// How far the journal was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    cursor: String,
    /// How many parts of that record were given out; `None`: all.
    parts: Option<usize>,
}

impl Position {
    fn of(at: &str) -> Position {
        match at.split_once('#') {
            Some((cursor, parts)) => Position {
                cursor: cursor.to_owned(),
                parts: parts.parse().ok(),
            },
            None => Position {
                cursor: at.to_owned(),
                parts: None,
            },
        }
    }
}

impl JournalInput {
    /// Follows the units of `config` behind `at`. `wake` is called when there is something to step
    /// for.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn new(
        config: &Journal,
        at: Option<&At>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<JournalInput> {
        let resume = match at {
            Some(At::Journal { cursor }) => Some(Position::of(cursor)),
            _ => None,
        };
        let query = Query {
            units: config.units.clone(),
            directory: config.directory.clone(),
            file: config.file.clone(),
        };
        let cursor = resume.as_ref().map(|position| position.cursor.clone());
        Ok(JournalInput {
            child: Child::start(query, cursor, wake)?,
            has_lines: config.reading.is_some(),
            resume,
            is_joined: false,
            waiting: VecDeque::new(),
            trouble: None,
            running_since: None,
        })
    }

    /// Reads on: appends what was found to `events`.
    ///
    /// # Errors
    /// `journalctl` cannot be run, or has ended; it is started again by itself.
    pub fn step(&mut self, now: Instant, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.child.try_batch());
        }
        if self
            .running_since
            .is_some_and(|since| now > since + WELL_AFTER)
        {
            self.trouble = None;
        }
        if self.waiting.is_empty() {
            return match &self.trouble {
                Some(trouble) => Err(io::Error::other(trouble.clone())),
                None => Ok(Next::OnChange),
            };
        }
        while let Some(found) = self.waiting.pop_front() {
            match found {
                Found::Entry(entry) => {
                    self.trouble = None;
                    self.take(&entry, events);
                }
                Found::Started => {
                    self.is_joined = false;
                    self.running_since = Some(now);
                }
                Found::TooLong => events.push(InputEvent::Gap(too_long())),
                Found::NoSuchCursor => self.resume = None,
                Found::Trouble(trouble) => {
                    self.trouble = Some(trouble);
                    self.running_since = None;
                }
            }
        }
        match &self.trouble {
            Some(trouble) if events.is_empty() => Err(io::Error::other(trouble.clone())),
            _ => Ok(Next::Now),
        }
    }

    fn take(&mut self, entry: &Entry, events: &mut Vec<InputEvent>) {
        let mut skip = 0;
        if !std::mem::replace(&mut self.is_joined, true)
            && let Some(resume) = &self.resume
        {
            match standing(&resume.cursor, &entry.cursor) {
                Standing::Same => match resume.parts {
                    Some(parts) => skip = parts,
                    None => return,
                },
                // More than was asked for: the next may be the one.
                Standing::Before => {
                    self.is_joined = false;
                    return;
                }
                Standing::Behind => events.push(InputEvent::Gap(vacuumed(&resume.cursor, entry))),
            }
        }
        let parts = match self.has_lines && !entry.is_of_systemd() {
            true => record::lines(entry),
            false => record::records(entry),
        };
        events.extend(parts.into_iter().skip(skip));
        self.resume = Some(Position {
            cursor: entry.cursor.clone(),
            parts: None,
        });
    }
}

/// How a record stands to the one that was given out last.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Same,
    Before,
    Behind,
}

fn standing(last: &str, now: &str) -> Standing {
    if last == now {
        return Standing::Same;
    }
    match (numbered(last), numbered(now)) {
        (Some((one, last)), Some((other, now))) if one == other && now == last => Standing::Same,
        (Some((one, last)), Some((other, now))) if one == other && now < last => Standing::Before,
        _ => Standing::Behind,
    }
}

/// Which numbering a cursor belongs to, and its number in it.
fn numbered(cursor: &str) -> Option<(&str, u64)> {
    let field = |name: &str| {
        let fields = cursor.split(';');
        fields
            .filter_map(|field| field.split_once('='))
            .find(|(key, _)| *key == name)
    };
    let (_, numbering) = field("s")?;
    let (_, number) = field("i")?;
    Some((numbering, u64::from_str_radix(number, 16).ok()?))
}

fn vacuumed(last: &str, next: &Entry) -> Gap {
    let at_most = match (numbered(last), numbered(&next.cursor)) {
        (Some((one, last)), Some((other, now))) if one == other => {
            format!(", at most {} of all units", now.saturating_sub(last + 1))
        }
        _ => String::new(),
    };
    Gap {
        why: "vacuumed",
        words: format!(
            "the journal no longer holds the record that was read last: records after it may be \
             lost{at_most}; give the journal more room (SystemMaxUse in journald.conf)"
        ),
        bytes: None,
        records: None,
        at: None,
    }
}

fn too_long() -> Gap {
    Gap {
        why: "too_long",
        words: "a record of the journal is too long to be read".to_owned(),
        bytes: None,
        records: Some(1),
        at: None,
    }
}

/// What a syslog severity is here: `emerg`, `alert` and `crit` are one.
fn level_of(priority: &str) -> Level {
    match priority {
        "0" | "1" | "2" => Level::Critical,
        "3" => Level::Error,
        "4" => Level::Warn,
        "7" => Level::Debug,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_says_how_much_of_its_record_was_given_out() {
        let whole = Position::of("s=a;i=1f;x=2");
        assert_eq!((whole.cursor.as_str(), whole.parts), ("s=a;i=1f;x=2", None));
        assert_eq!(Position::of("s=a;i=1f;x=2#3").parts, Some(3));
    }

    #[test]
    fn records_stand_by_their_number_where_the_numbering_is_one() {
        let last = "s=a;i=1f;b=1;x=2";
        assert_eq!(standing(last, last), Standing::Same);
        assert_eq!(standing(last, "s=a;i=1e;b=1;x=9"), Standing::Before);
        assert_eq!(standing(last, "s=a;i=20;b=1;x=9"), Standing::Behind);
        assert_eq!(standing(last, "s=b;i=1e;b=1;x=9"), Standing::Behind);
    }
}
