//! Puts the simulated application's output into a file as the real one does: one write a record,
//! the past first (at once or as a time lapse), then live.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use wire::{Level, Micros};

use super::{Application, Fault, Output, Setup, Step, text};

/// What happens to the log when the application starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnRestart {
    /// The log goes on, as in a recording.
    Append,
    /// The log is emptied first, as the real application's mode `w` does.
    Truncate,
}

/// What to write and how fast.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log file.
    pub log: PathBuf,
    /// The machine.
    pub setup: Setup,
    /// Zone of the stamps.
    pub zone: TimeZone,
    /// Whether stamps have milliseconds.
    pub milliseconds: bool,
    /// What a restart does to the file.
    pub on_restart: OnRestart,
    /// Simulated seconds in a real one while catching up with the present; `None` is at once.
    pub speed: Option<f64>,
    /// Where the past ends.
    pub until: Micros,
    /// Go on in real time afterwards, for ever.
    pub live: bool,
    /// A file for what a right reader must make of each record, one JSON object a line.
    pub truth: Option<PathBuf>,
}

/// Writes until `options.until`, then live when asked to. While live, the name of a fault on
/// standard input makes it happen.
///
/// # Errors
/// The log or the truth file cannot be written.
pub fn run(options: Options) -> Result<()> {
    let mut output = LogFile::open(&options)?;
    let mut app = Application::new(options.setup.clone());
    let began = Instant::now();
    while app.next_at() < options.until {
        if let Some(speed) = options.speed {
            let simulated_us = app.next_at().since_us(options.setup.start);
            let due = Duration::from_secs_f64(simulated_us.max(0) as f64 / 1e6 / speed);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        output.write(&app.next_step())?;
    }
    if options.live {
        live(app, output)
    } else {
        Ok(())
    }
}

fn live(mut app: Application, mut output: LogFile) -> Result<()> {
    let demands = demands_from_stdin();
    loop {
        let ahead_us = app.next_at().since_us(now());
        if ahead_us > 0 {
            match demands.recv_timeout(Duration::from_micros(ahead_us as u64)) {
                Ok(fault) => app.demand(fault),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    std::thread::sleep(Duration::from_micros(ahead_us as u64));
                }
            }
            continue;
        }
        output.write(&app.next_step())?;
    }
}

/// Fault names typed on standard input; the channel closes at its end.
fn demands_from_stdin() -> mpsc::Receiver<Fault> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match Fault::from_str(line.trim(), true) {
                Ok(fault) if sender.send(fault).is_err() => return,
                Ok(_) => {}
                Err(_) => eprintln!(
                    "\"{}\" is no fault; type silent-reader, link, motor, crash-loop or lost-payment",
                    line.trim()
                ),
            }
        }
    });
    receiver
}

fn now() -> Micros {
    Micros::from_timestamp(Timestamp::now())
}

struct LogFile {
    path: PathBuf,
    file: File,
    truth: Option<File>,
    zone: TimeZone,
    milliseconds: bool,
    on_restart: OnRestart,
}

impl LogFile {
    fn open(options: &Options) -> Result<LogFile> {
        let path = options.log.clone();
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("cannot make the directory {}", parent.display()))?;
        }
        let file = open_log(&path, options.on_restart)?;
        let truth = options.truth.as_ref().map(|path| {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))
        });
        Ok(LogFile {
            path,
            file,
            truth: truth.transpose()?,
            zone: options.zone.clone(),
            milliseconds: options.milliseconds,
            on_restart: options.on_restart,
        })
    }

    fn write(&mut self, step: &Step) -> Result<()> {
        if step.output == Output::Restart {
            self.file = open_log(&self.path, self.on_restart)?;
            return Ok(());
        }
        let text = text::render(step, &self.zone, self.milliseconds);
        self.file
            .write_all(text.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        let Some(truth) = &mut self.truth else {
            return Ok(());
        };
        let line = match &step.output {
            Output::Record(record) => {
                let meant = &record.meant;
                json!({"level": meant.level, "component": meant.component,
                       "context": meant.context, "message": record.message})
            }
            Output::Print(line) => {
                json!({"level": Level::Info, "component": "stdout", "context": {}, "message": line})
            }
            Output::Restart => return Ok(()),
        };
        writeln!(truth, "{line}").context("cannot write the truth file")
    }
}

fn open_log(path: &std::path::Path, on_restart: OnRestart) -> Result<File> {
    let mut how = OpenOptions::new();
    match on_restart {
        OnRestart::Append => how.append(true),
        OnRestart::Truncate => how.write(true).truncate(true),
    };
    how.create(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}
