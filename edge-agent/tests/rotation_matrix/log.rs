//! The log of the matrix: numbered lines, what moves it, and what came of it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::support::{Machine, Reading, wall};

/// So many lines go through every case.
pub const LINES: u32 = 100_000;

/// A log that is written and rotated, and the agent's pipeline that reads it, or does not.
pub struct Log {
    pub machine: Machine,
    /// Lines written so far.
    pub written: u32,
    pub reading: Option<Reading>,
    /// The numbers of the lines that came.
    pub got: Vec<u32>,
    /// `why` and `bytes` of the gaps that came.
    pub gaps: Vec<(String, Option<u64>)>,
    /// How many lines had come when each gap came.
    pub gap_at: Vec<usize>,
    /// What they say.
    pub words: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    message: String,
    component: String,
    #[serde(default)]
    context: Context,
}

#[derive(Deserialize, Default)]
struct Context {
    event: Option<String>,
    why: Option<String>,
    bytes: Option<u64>,
}

impl Log {
    /// A machine whose agent reads.
    pub fn new() -> Log {
        let machine = Machine::new("");
        let reading = Some(machine.start());
        Log {
            machine,
            written: 0,
            reading,
            got: Vec::new(),
            gaps: Vec::new(),
            gap_at: Vec::new(),
            words: Vec::new(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.machine.log()
    }

    /// The file of that name beside the log.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path().with_file_name(name)
    }

    /// The bytes of the next lines.
    pub fn next(&mut self, lines: u32) -> Vec<u8> {
        let from = self.written;
        self.written += lines;
        text(from, self.written)
    }

    /// Appends the next lines.
    pub fn write(&mut self, lines: u32) {
        let bytes = self.next(lines);
        append(&self.path(), &bytes);
    }

    /// Lets the agent read all there is, and notes what came.
    pub fn read(&mut self) {
        let reading = self.reading.as_mut().expect("the agent is down");
        reading.pipeline.look_around();
        let start = Instant::now();
        loop {
            let wait = reading.pipeline.step(Instant::now(), wall()).unwrap();
            if wait > Duration::from_secs(3) {
                break;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "it does not rest"
            );
            std::thread::sleep(wait.min(Duration::from_millis(5)));
        }
        self.collect();
    }

    /// One step, as when something woke the agent.
    pub fn step(&mut self) {
        let reading = self.reading.as_mut().expect("the agent is down");
        reading.pipeline.look_around();
        reading.pipeline.step(Instant::now(), wall()).unwrap();
        self.collect();
    }

    fn collect(&mut self) {
        let reading = self.reading.as_mut().expect("the agent is down");
        while let Some(stored) = reading.reader.next_entry().unwrap() {
            let entry: Entry = serde_json::from_str(&stored.json).unwrap();
            if entry.context.event.as_deref() == Some("gap") {
                assert_eq!(entry.component, "agent");
                let why = entry.context.why.unwrap();
                self.gaps.push((why, entry.context.bytes));
                self.gap_at.push(self.got.len());
                self.words.push(entry.message);
            } else if entry.component != "agent" {
                self.got.push(number(&entry.message));
            }
        }
    }

    /// The agent is gone, as a power cut takes it: nothing is said or written.
    pub fn stop(&mut self) {
        self.reading = None;
    }

    pub fn start(&mut self) {
        self.reading = Some(self.machine.start());
    }

    /// As logrotate does it: `.1` becomes `.2` and so on, the log becomes `.1`.
    pub fn rotate(&self, keep: u32) {
        Rotator::of(&self.path()).rotate(keep);
    }

    pub fn why(&self) -> Vec<&str> {
        self.gaps.iter().map(|(why, _)| why.as_str()).collect()
    }

    pub fn lost_and_twice(&self) -> (Vec<u32>, Vec<u32>) {
        lost_and_twice(self.written, &self.got)
    }

    /// Lines that are missing at a place where a gap says so, and lines that are just missing.
    pub fn said_and_silent(&self) -> (usize, usize) {
        let ends = (self.got.iter().copied()).chain([self.written]);
        let (mut said, mut silent, mut before) = (0, 0, 0);
        for (at, number) in ends.enumerate() {
            let missing = number.saturating_sub(before) as usize;
            match self.gap_at.contains(&at) {
                true => said += missing,
                false => silent += missing,
            }
            before = number + 1;
        }
        (said, silent)
    }

    /// Every line once and in order, and these gaps.
    pub fn assert_whole(&self, case: &str, gaps: &[&str]) {
        let why = self.why();
        let (lost, twice) = self.lost_and_twice();
        println!(
            "{case}: {} lines, {} lost, {} twice, gaps: {}",
            self.written,
            lost.len(),
            twice.len(),
            why.len()
        );
        assert!(
            lost.is_empty() && twice.is_empty(),
            "{case}: lost from {:?}, twice from {:?}",
            lost.first(),
            twice.first()
        );
        assert!(self.got.is_sorted(), "{case}: in order");
        assert_eq!(self.written, LINES, "{case}");
        assert_eq!(why, gaps, "{case}");
    }
}

/// Moves a log away.
pub struct Rotator(PathBuf);

impl Rotator {
    pub fn of(path: &Path) -> Rotator {
        Rotator(path.to_owned())
    }

    pub fn rotated(&self, number: u32) -> PathBuf {
        self.0.with_file_name(format!("app.log.{number}"))
    }

    /// Makes room for a new `.1`.
    pub fn shift(&self, keep: u32) {
        for number in (1..keep).rev() {
            for ending in ["", ".gz", ".zst", ".xz"] {
                let named = |number| format!("{}{ending}", self.rotated(number).display());
                // Most are not there.
                let _ = fs::rename(named(number), named(number + 1));
            }
        }
    }

    /// As logrotate does it: `.1` becomes `.2` and so on, the log becomes `.1`.
    pub fn rotate(&self, keep: u32) {
        self.shift(keep);
        fs::rename(&self.0, self.rotated(1)).unwrap();
    }
}

/// The lines with these numbers.
pub fn text(from: u32, to: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in from..to {
        writeln!(
            bytes,
            "2026-01-22 14:30:15 - __main__ - INFO - line {number:06}"
        )
        .unwrap();
    }
    bytes
}

pub fn number(message: &str) -> u32 {
    let digits = message.strip_prefix("line ").expect(message);
    assert_eq!(digits.len(), 6, "torn: {message}");
    digits.parse().expect(message)
}

/// Which of the first `written` numbers are missing in `got`, and which are there again.
pub fn lost_and_twice(written: u32, got: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut times = vec![0u8; written as usize];
    for number in got {
        times[*number as usize] += 1;
    }
    let those = |is: &dyn Fn(u8) -> bool| {
        let numbers = (0..written).filter(|number| is(times[*number as usize]));
        numbers.collect()
    };
    (those(&|times| times == 0), those(&|times| times > 1))
}

pub fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

/// With Debian's own gzip, which keeps the file's time and takes it away.
pub fn gzip(path: &Path) {
    let done = Command::new("gzip").arg(path).status().unwrap();
    assert!(done.success());
}

/// As `zstd --rm` does it.
pub fn zstd(path: &Path) {
    let written = fs::metadata(path).unwrap().modified().unwrap();
    let bytes = zstd::encode_all(&fs::read(path).unwrap()[..], 3).unwrap();
    let to = format!("{}.zst", path.display());
    fs::write(&to, bytes).unwrap();
    let file = File::options().write(true).open(&to).unwrap();
    file.set_modified(written).unwrap();
    fs::remove_file(path).unwrap();
}

/// As Python's mode `w` does it, and `copytruncate`.
pub fn truncate(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(0).unwrap();
}
