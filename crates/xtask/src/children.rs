//! The processes of a demo: started, watched, and all ended together.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::say::say;
use crate::shell::{command, works};

/// How long a process may take to end by itself; a server drains what it has taken.
const GRACE: Duration = Duration::from_secs(10);
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// Running processes; ended when dropped.
pub struct Children {
    running: Vec<(String, Child)>,
    stop: Arc<AtomicBool>,
}

impl Children {
    /// Nothing yet; Ctrl-C and the end of the terminal are heard from now on.
    ///
    /// # Errors
    /// The system does not let us hear signals.
    pub fn new() -> Result<Children> {
        let stop = Arc::new(AtomicBool::new(false));
        hear_signals(&stop)?;
        Ok(Children {
            running: Vec::new(),
            stop,
        })
    }

    /// Whether the person wants everything to end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Starts one whose messages go to `log`.
    ///
    /// # Errors
    /// It cannot be started, or its log not be written.
    pub fn start_quiet(&mut self, name: &str, mut command: Command, log: &Path) -> Result<()> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        self.running.push((name.to_owned(), child));
        Ok(())
    }

    /// Starts one whose standard output we read; its messages are shown.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_read(
        &mut self,
        name: &str,
        mut command: Command,
    ) -> Result<std::process::ChildStdout> {
        command.stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("a piped output is there")?;
        self.running.push((name.to_owned(), child));
        Ok(stdout)
    }

    /// Waits until the person stops us or the first process started has ended; others that end
    /// before are named.
    pub fn wait(&mut self) {
        while !self.stopped() && !self.running.is_empty() {
            let mut first_ended = false;
            let mut index = 0;
            self.running.retain_mut(|(name, child)| {
                let ended = child.try_wait().ok().flatten();
                if let Some(status) = ended {
                    say("run", format!("{name} has ended ({status})"));
                    first_ended |= index == 0;
                }
                index += 1;
                ended.is_none()
            });
            if first_ended {
                return;
            }
            std::thread::sleep(WATCH_EVERY);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for (_, child) in &self.running {
            ask_to_end(child);
        }
        let deadline = Instant::now() + GRACE;
        for (name, child) in &mut self.running {
            while Instant::now() < deadline && child.try_wait().is_ok_and(|ended| ended.is_none()) {
                std::thread::sleep(WATCH_EVERY / 4);
            }
            if child.try_wait().is_ok_and(|ended| ended.is_none()) {
                say("run", format!("{name} did not end by itself; killing it"));
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

/// SIGTERM, by way of the shell's own `kill`: the standard library knows only SIGKILL.
fn ask_to_end(child: &Child) {
    works(command(
        "sh",
        &["-c", &format!("kill -TERM {}", child.id())],
    ));
}

#[cfg(unix)]
fn hear_signals(stop: &Arc<AtomicBool>) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // The second Ctrl-C ends us at once.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn hear_signals(_: &Arc<AtomicBool>) -> Result<()> {
    Ok(())
}
