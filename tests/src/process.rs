//! One process of the product: in its own process group, its messages kept, killed when dropped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::wait;

/// Lines of a process that are shown when a test fails: enough to see how it ended, and few enough
/// that the failure itself is still found among those of ten processes.
const LAST_MESSAGES: usize = 12;

/// A running process.
pub struct Process {
    name: String,
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    messages: PathBuf,
}

/// What a process that has ended left behind.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Process {
    /// Starts it; standard error is appended to a file in `folder`.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(mut command: Command, folder: &Path) -> Process {
        let program = Path::new(command.get_program())
            .file_name()
            .expect("a program has a name");
        let name = program.to_string_lossy().into_owned();
        let messages = folder.join(format!("{name}.stderr"));
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&messages)
            .expect("a file");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let stdout = child.stdout.take().map(BufReader::new);
        Process {
            name,
            child,
            stdout,
            messages,
        }
    }

    /// The next line of its standard output; `None` when it has closed it.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stdout.as_mut()?.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Its standard output from here on, to be read apart; [`Process::line`] has nothing more then.
    ///
    /// # Panics
    /// It was taken before.
    pub fn take_output(&mut self) -> BufReader<ChildStdout> {
        self.stdout.take().expect("standard output is taken once")
    }

    /// Everything it has said on standard error so far.
    pub fn messages(&self) -> String {
        let bytes = std::fs::read(&self.messages).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// SIGKILL, to it and all that it started: a power cut as far as it can tell.
    pub fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        let _ = self.child.wait();
    }

    /// SIGSTOP: it stands still, as when the computer sleeps.
    pub fn freeze(&mut self) {
        self.signal(libc::SIGSTOP);
    }

    /// SIGCONT: it goes on.
    pub fn thaw(&mut self) {
        self.signal(libc::SIGCONT);
    }

    /// SIGTERM, then waits for it to end.
    ///
    /// # Panics
    /// It has not ended within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.wait(limit)
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// It has not ended within `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait::until(&what, limit, || {
            self.child.try_wait().expect("a child can be asked")
        })
    }

    fn signal(&mut self, signal: libc::c_int) {
        if !self.is_running() {
            return;
        }
        let group = -libc::pid_t::try_from(self.child.id()).expect("a process id fits");
        // SAFETY: kill takes no memory of ours. The group is our child's own, and the child has not
        // been waited for yet, so its id cannot belong to another process.
        unsafe { libc::kill(group, signal) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let messages = self.messages();
            let tail: Vec<&str> = messages.lines().rev().take(LAST_MESSAGES).collect();
            eprintln!("-- last messages of {}:", self.name);
            tail.iter().rev().for_each(|line| eprintln!("   {line}"));
        }
        self.kill();
    }
}

/// Runs a command to its end.
///
/// # Panics
/// It cannot be started, or does not end within a minute.
pub fn run(mut command: Command) -> Ended {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let read = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = read(Box::new(child.stdout.take().expect("piped")));
    let stderr = read(Box::new(child.stderr.take().expect("piped")));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait::until(&format!("{command:?} to end"), wait::seconds(60), || {
            child.try_wait().expect("a child can be asked")
        })
    }));
    let Ok(status) = ended else {
        let _ = child.kill();
        let _ = child.wait();
        panic!(
            "{command:?} did not end; it said: {}",
            stderr.join().unwrap_or_default()
        );
    };
    Ended {
        code: status.code(),
        stdout: stdout.join().expect("the reader does not fail"),
        stderr: stderr.join().expect("the reader does not fail"),
    }
}

impl Ended {
    /// The one JSON object on standard output.
    ///
    /// # Panics
    /// The process failed, or printed something else.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "must succeed: {self:?}");
        serde_json::from_str(self.stdout.trim()).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Why a command failed with this code: the last line of standard error, after what it may have
    /// told of its work.
    ///
    /// # Panics
    /// It ended otherwise, said nothing, or panicked.
    pub fn refusal(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "wrong exit code: {self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        let mut said = self.stderr.lines().filter(|line| !is_log(line));
        let reason = said.next().unwrap_or_else(|| panic!("no reason: {self:?}"));
        assert_eq!(said.next(), None, "an error is one clear line: {self:?}");
        reason
    }
}

/// A line of the process's log begins with its time; an error does not.
fn is_log(line: &str) -> bool {
    line.is_empty() || line.starts_with("20")
}
