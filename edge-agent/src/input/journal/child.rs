//! The child `journalctl` and the thread that reads from it: started again when it ends, blocked
//! on its pipe when nobody takes what it found, gone with the agent.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Query;
use super::record::{Entry, FIELDS};

/// What is run.
pub const JOURNALCTL: &str = "journalctl";
/// A record longer than this, as JSON, is left out and counted. Bytes that are no text take four
/// each.
const LINE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// So much is handed over at once, and twice as much may wait: then the child waits in its pipe.
const BATCH_BYTES: usize = 64 * 1024;
/// The first wait before the child is started again, which doubles.
const RESTART_FIRST: Duration = Duration::from_secs(1);
/// The longest of these waits.
const RESTART_MAX: Duration = Duration::from_secs(60);
/// A child that ran for this long was well.
const WELL_AFTER: Duration = Duration::from_secs(60);
/// So much of what the child says on standard error is kept.
const WORDS_MAX_BYTES: usize = 500;
/// The threads only cut and parse lines.
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// What the thread found, in order.
#[derive(Debug)]
pub enum Found {
    /// `journalctl` was started, at the cursor of the last record if there was one.
    Started,
    /// A record.
    Entry(Box<Entry>),
    /// A record that is too long to be read.
    TooLong,
    /// `journalctl` does not understand the cursor.
    NoSuchCursor,
    /// Why nothing comes.
    Trouble(String),
}

/// A `journalctl` that is kept running; it ends when this is dropped.
#[derive(Debug)]
pub struct Child {
    batches: Option<Receiver<Vec<Found>>>,
    /// Dropped to end the thread's waiting.
    stop: Option<Sender<()>>,
    running: Running,
    thread: Option<JoinHandle<()>>,
}

/// The process, while there is one, and whether there may be another.
#[derive(Debug, Clone, Default)]
struct Running(Arc<Mutex<(Option<std::process::Child>, bool)>>);

impl Child {
    /// Starts to read at `cursor`, the record with it included; `wake` is called for each batch.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        query: Query,
        cursor: Option<String>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Child> {
        let (batches, received) = mpsc::sync_channel(1);
        let (stop, stopped) = mpsc::channel();
        let running = Running::default();
        let mut follower = Follower {
            query,
            cursor,
            running: running.clone(),
            out: Out {
                batches,
                wake: Box::new(wake),
                batch: Vec::new(),
                bytes: 0,
            },
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .stack_size(THREAD_STACK_BYTES)
            .spawn(move || follower.run(&stopped))?;
        Ok(Child {
            batches: Some(received),
            stop: Some(stop),
            running,
            thread: Some(thread),
        })
    }

    /// What was found since; nothing when there is nothing.
    pub fn try_batch(&self) -> Vec<Found> {
        let batch = self.batches.as_ref().map(Receiver::try_recv);
        batch.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.batches = None;
        self.stop = None;
        let mut running = self
            .running
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        running.1 = true;
        if let Some(child) = &mut running.0 {
            // It fails when it has ended already.
            let _ = child.kill();
        }
        drop(running);
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed; there is nothing to save.
            let _ = thread.join();
        }
    }
}

/// The end of the input was dropped.
struct Stopped;

/// The thread's own.
struct Follower {
    query: Query,
    cursor: Option<String>,
    running: Running,
    out: Out,
}

impl Follower {
    fn run(&mut self, stopped: &Receiver<()>) {
        let mut wait = RESTART_FIRST;
        loop {
            let start = Instant::now();
            let Ok(trouble) = self.follow() else { return };
            if start.elapsed() >= WELL_AFTER {
                wait = RESTART_FIRST;
            }
            if self.out.say(Found::Trouble(trouble)).is_err() {
                return;
            }
            match stopped.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
            wait = (wait * 2).min(RESTART_MAX);
        }
    }

    /// Runs one child to its end; answers why it ended.
    fn follow(&mut self) -> Result<String, Stopped> {
        let mut command = command(&self.query, self.cursor.as_deref());
        let (stdout, stderr) = {
            let mut running = self
                .running
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if running.1 {
                return Err(Stopped);
            }
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => return Ok(cannot_run(&error)),
            };
            let pipes = (child.stdout.take(), child.stderr.take());
            running.0 = Some(child);
            pipes
        };
        let words = stderr.map(last_words);
        self.out.say(Found::Started)?;
        let read = match stdout {
            Some(stdout) => self.read(stdout),
            None => Ok(()),
        };
        // When nobody takes what it finds any more, it must not wait for that.
        let child = {
            let mut running = self
                .running
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            running.0.take()
        };
        let ended = child.map(|mut child| {
            if read.is_err() {
                let _ = child.kill();
            }
            child.wait()
        });
        read?;
        let words = words
            .and_then(|words| words.join().ok())
            .unwrap_or_default();
        if self.cursor.is_some() && words.contains("cursor") {
            self.cursor = None;
            self.out.say(Found::NoSuchCursor)?;
        }
        let how = match ended {
            Some(Ok(status)) => status.to_string(),
            Some(Err(error)) => error.to_string(),
            None => "it was ended".to_owned(),
        };
        Ok(format!("{JOURNALCTL} ended ({how}): {}", words.trim()))
    }

    fn read(&mut self, stdout: ChildStdout) -> Result<(), Stopped> {
        let mut stdout = BufReader::with_capacity(BATCH_BYTES, stdout);
        let mut line = Vec::new();
        loop {
            line.clear();
            let Ok(Some(is_whole)) = read_line(&mut stdout, &mut line) else {
                return Ok(());
            };
            if !is_whole {
                self.out.add(Found::TooLong, 0)?;
            } else if let Some(entry) = Entry::parse(&line) {
                self.cursor = Some(entry.cursor.clone());
                self.out.add(Found::Entry(Box::new(entry)), line.len())?;
            }
            line.shrink_to(BATCH_BYTES);
            // What is there together is handed over together.
            if !stdout.buffer().contains(&b'\n') {
                self.out.flush()?;
            }
        }
    }
}

/// The way to the pipeline.
struct Out {
    batches: SyncSender<Vec<Found>>,
    wake: Box<dyn Fn() + Send>,
    batch: Vec<Found>,
    bytes: usize,
}

impl Out {
    fn add(&mut self, found: Found, bytes: usize) -> Result<(), Stopped> {
        self.batch.push(found);
        self.bytes += bytes;
        match self.bytes >= BATCH_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn say(&mut self, found: Found) -> Result<(), Stopped> {
        self.add(found, 0)?;
        self.flush()
    }

    /// Waits while the pipeline is behind.
    fn flush(&mut self) -> Result<(), Stopped> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let sent = self.batches.send(std::mem::take(&mut self.batch));
        (self.wake)();
        sent.map_err(|_| Stopped)
    }
}

fn command(query: &Query, cursor: Option<&str>) -> Command {
    let mut command = Command::new(JOURNALCTL);
    // --follow alone shows only what was written since the machine started; --merge lifts that.
    command
        .args(["--output=json", "--all", "--follow", "--no-tail"])
        .args(["--merge", "--quiet", "--no-pager"])
        .arg(format!("--output-fields={FIELDS}"));
    // Not --after-cursor: where the record is gone, it would leave out the first after it.
    if let Some(cursor) = cursor {
        command.arg(format!("--cursor={cursor}"));
    }
    let under = |name: &str, path: &Path| format!("--{name}={}", path.display());
    if let Some(directory) = &query.directory {
        command.arg(under("directory", directory));
    }
    if let Some(file) = &query.file {
        command.arg(under("file", file));
    }
    for unit in &query.units {
        command.arg(format!("--unit={unit}"));
    }
    // Its pipe's end is what ends it when the agent is killed.
    command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn cannot_run(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("{JOURNALCTL} is not installed; it is part of systemd"),
        _ => format!("{JOURNALCTL} cannot be run: {error}"),
    }
}

/// Reads a line without its end; false: it was longer than may be, and was left out. `None`: the
/// stream has ended.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let mut is_whole = true;
    loop {
        let bytes = match from.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        // A record without its end is one that the child did not finish.
        if bytes.is_empty() {
            return Ok(None);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        is_whole &= line.len() + part.len() <= LINE_MAX_BYTES;
        if is_whole {
            line.extend_from_slice(part);
        }
        let used = end.map_or(bytes.len(), |end| end + 1);
        from.consume(used);
        if end.is_some() {
            return Ok(Some(is_whole));
        }
    }
}

/// Keeps the last of what the child says of itself, so that it never waits for a reader.
fn last_words(mut stderr: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut words = Vec::new();
        let mut bytes = [0; WORDS_MAX_BYTES];
        while let Ok(got) = stderr.read(&mut bytes) {
            if got == 0 {
                break;
            }
            words.extend_from_slice(&bytes[..got]);
            let surplus = words.len().saturating_sub(WORDS_MAX_BYTES);
            words.drain(..surplus);
        }
        String::from_utf8_lossy(&words).into_owned()
    })
}
