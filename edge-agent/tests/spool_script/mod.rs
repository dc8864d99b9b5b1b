//! What the spool is put through by the tests that let its system calls fail or its disk lose power:
//! numbered lines are appended, synced, read again and delivered, as the agent does it.

// Each test that includes this module uses its own part.
#![allow(dead_code)]

pub mod trace;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use edge_agent::assemble::AssemblyState;
use edge_agent::durable;
use edge_agent::input::{At, Origin, Place};
use edge_agent::pack::PackState;
use edge_agent::spool::{Bounds, SEGMENT_BYTES, Spool, SpoolReader};
use serde_json::{Map, Value};
use wire::{ClockState, Level, LogEntry, Micros};

/// Lines in all; those up to [`PREPARED`] are there before the script runs.
pub const LINES: u64 = 140;
/// So many long lines nearly fill a segment. They are delivered before the script begins.
pub const PREPARED: u64 = 22;
/// So many lines share a sync.
const GROUP: u64 = 2;
/// These are longer and share one sync, as after a backlog: it writes several blocks.
const BACKLOG: RangeInclusive<u64> = 61..=80;
/// The reader keeps so many lines behind, as a shipper does that sends in batches.
const BEHIND: u64 = 30;
/// A full disk is tried again so often; the tests let it be full for one operation.
const TRIES: usize = 3;
const INPUT: &str = "/log";
const NOW: Micros = Micros(1_800_000_000_000_000);

/// Tells a child process that it is one: the directory to work in.
pub const DIR: &str = "VENDLOG_SPOOL_SCRIPT_DIR";
/// How the child says that an error ended it, as it ends the agent.
pub const ENDED: i32 = 3;

/// What the script says on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// This line got this seq, and both are durable.
    Synced { seq: u64, line: u64 },
    /// A reader got this line under this seq, and a server has it.
    Delivered { seq: u64, line: u64 },
}

/// When somebody may interfere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A sync follows.
    BeforeSync,
    /// There was no room; the same is tried again.
    NoRoom,
}

impl Said {
    pub fn parse(text: &str) -> Option<Said> {
        let mut words = text.split_ascii_whitespace();
        let kind = words.next()?;
        let (seq, line) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        match kind {
            "synced" => Some(Said::Synced { seq, line }),
            "delivered" => Some(Said::Delivered { seq, line }),
            _ => None,
        }
    }

    pub fn text(self) -> String {
        match self {
            Said::Synced { seq, line } => format!("synced {seq} {line}\n"),
            Said::Delivered { seq, line } => format!("delivered {seq} {line}\n"),
        }
    }
}

/// The message of a line: without a pattern, so that the spool grows by it.
fn message(line: u64) -> String {
    let len = match line {
        _ if line <= PREPARED => 77_000,
        _ if BACKLOG.contains(&line) => 8_000,
        _ => 700,
    };
    let mut state = line;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_add(0x9E37_79B9_7F4A_7C15)
            .wrapping_mul(0xD134_2543_DE82_EF95);
        char::from(b'A' + (state >> 58) as u8 % 26)
    });
    format!("{line} {}", letters.take(len).collect::<String>())
}

fn entry(line: u64) -> LogEntry {
    LogEntry {
        seq: None,
        timestamp: NOW,
        level: if line.is_multiple_of(5) {
            Level::Error
        } else {
            Level::Info
        },
        component: "app".to_owned(),
        message: message(line),
        context: Map::new(),
        clock: ClockState::Synced,
    }
}

fn origin(line: u64) -> Origin {
    let place = Place {
        dev: 1,
        ino: 2,
        offset: line,
        head_len: 0,
        head: 0,
        tail: 0,
        mtime_ns: 0,
        born_ns: None,
    };
    Origin {
        at: At::File(place),
        assembly: AssemblyState::default(),
        pack: PackState::default(),
    }
}

fn open(dir: &Path, cursor: u64) -> io::Result<Spool> {
    let bounds = Bounds::of_bytes(1 << 30);
    let paths = (dir.join("spool"), dir.join("checkpoint"));
    Spool::open(&paths.0, &paths.1, bounds, |_| cursor, NOW)
}

/// A spool whose first segment is nearly full, so that the script begins a second one and removes
/// the first.
pub fn prepare(dir: &Path) {
    let mut spool = open(dir, 0).unwrap();
    let mut line = 0;
    while spool.bytes() < SEGMENT_BYTES - 60_000 {
        line += 1;
        spool
            .append(&mut entry(line), INPUT, &origin(line), None)
            .unwrap();
        spool.sync().unwrap();
    }
    assert!(
        line == PREPARED && spool.bytes() < SEGMENT_BYTES - 3000,
        "{}",
        spool.bytes()
    );
    spool.save_checkpoint().unwrap();
}

/// Goes on behind what the spool says was read, and with the reader behind `cursor`.
///
/// # Errors
/// What would end the agent.
pub fn run(
    dir: &Path,
    cursor: u64,
    mut interfere: impl FnMut(Moment),
    say: &mut impl FnMut(Said),
) -> io::Result<()> {
    let mut spool = open(dir, cursor)?;
    let mut reader = spool.reader(cursor);
    let place = spool.origin(INPUT).and_then(|origin| origin.at.place());
    let read = place.map_or(0, |place| place.offset);
    let mut numbered = Vec::new();
    for line in read + 1..=LINES {
        let mut entry = entry(line);
        let append = |spool: &mut Spool| spool.append(&mut entry, INPUT, &origin(line), None);
        let seq = while_full(&mut spool, append, &mut interfere)?;
        numbered.push(Said::Synced { seq, line });
        let waits = BACKLOG.contains(&line) && line != *BACKLOG.end();
        if (line.is_multiple_of(GROUP) && !waits) || line == LINES {
            interfere(Moment::BeforeSync);
            while_full(&mut spool, Spool::sync, &mut interfere)?;
            numbered.drain(..).for_each(&mut *say);
            deliver(&mut reader, spool.last_seq().saturating_sub(BEHIND), say)?;
            spool.trim(reader.position())?;
        }
    }
    deliver(&mut reader, spool.last_seq(), say)?;
    spool.trim(reader.position())?;
    match spool.save_checkpoint() {
        Err(error) if durable::is_no_room(&error) => Ok(()),
        saved => saved,
    }
}

/// Reads on up to this seq, as a shipper does whose server takes everything.
fn deliver(reader: &mut SpoolReader, through: u64, say: &mut impl FnMut(Said)) -> io::Result<()> {
    while reader.position() < through {
        let Some(stored) = reader.next_entry()? else {
            break;
        };
        let value: Value = serde_json::from_str(&stored.json).map_err(io::Error::other)?;
        let text = value["message"].as_str().unwrap_or_default();
        let line = text.split(' ').next().and_then(|word| word.parse().ok());
        let line = line.expect("every message begins with its line's number");
        assert!(text == message(line), "line {line} is not what was written");
        let seq = stored.seq;
        say(Said::Delivered { seq, line });
    }
    Ok(())
}

fn while_full<T>(
    spool: &mut Spool,
    mut step: impl FnMut(&mut Spool) -> io::Result<T>,
    interfere: &mut impl FnMut(Moment),
) -> io::Result<T> {
    let mut done = step(spool);
    for _ in 1..TRIES {
        if !done.as_ref().is_err_and(durable::is_no_room) {
            break;
        }
        interfere(Moment::NoRoom);
        done = step(spool);
    }
    done
}

/// Goes on after what was `said` before an error or a power cut, to the end of the lines, and holds
/// that nothing was lost or came twice: every line was delivered once and in order, and what was
/// synced under a seq was delivered under it. Answers how many synced lines were looked for.
pub fn finish_and_check(dir: &Path, mut said: Vec<Said>, what: &str) -> usize {
    let cursor = said.iter().rev().find_map(|said| match said {
        Said::Delivered { seq, .. } => Some(*seq),
        Said::Synced { .. } => None,
    });
    let again = run(dir, cursor.unwrap_or(PREPARED), |_| {}, &mut |more| {
        said.push(more)
    });
    again.unwrap_or_else(|error| panic!("{what}: the next start ends with {error}"));
    let mut delivered = BTreeMap::new();
    let mut lines = Vec::new();
    for one in &said {
        if let Said::Delivered { seq, line } = one {
            assert_eq!(
                delivered.insert(*seq, *line),
                None,
                "{what}: seq {seq} came twice"
            );
            lines.push(*line);
        }
    }
    assert!(
        lines == (PREPARED + 1..=LINES).collect::<Vec<_>>(),
        "{what}: delivered {lines:?}"
    );
    let mut synced = 0;
    for one in said {
        if let Said::Synced { seq, line } = one {
            synced += 1;
            assert_eq!(
                delivered.get(&seq),
                Some(&line),
                "{what}: what has seq {seq}"
            );
        }
    }
    synced
}

/// In memory, where there is such a place: the tests sync many thousand times.
pub fn dir_in_memory() -> tempfile::TempDir {
    let shared_memory = Path::new("/dev/shm");
    match shared_memory.is_dir() {
        true => tempfile::tempdir_in(shared_memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

/// Copies a prepared directory.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

/// This test program again, to run only the test of this name as a child under strace.
pub fn under_strace(log: &Path, options: &[&str], test: &str, dir: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(log).args(options);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(DIR, dir);
    command
}

/// The directory that the child is to work in; `None` in a test that is no child.
pub fn child_dir() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}
