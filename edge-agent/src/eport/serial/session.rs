//! A window in which the port is ours: opened when nobody else has it, given up at once when somebody
//! wants it.

use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use eport::{Failure, Goal, Kiosk, Outcome, Step, UploadLayout};
use rustix::event::{PollFd, PollFlags};

use super::holders::{Sight, look};
use super::port::{Port, Refusal, wait_for};
use super::watch::Watch;

/// When not every process can be looked at, the line is listened to for so long before anything is
/// said the first time: applications ask for the status every second or few.
const LISTEN: Duration = Duration::from_secs(5);
/// Bytes that nobody reads for so long are nobody's answer.
const UNREAD: Duration = Duration::from_millis(1_500);
/// The line is looked at this often while it is listened to.
const LOOK: Duration = Duration::from_millis(10);
/// During a dialogue the agent's end is noticed within this time.
const NOTICE: Duration = Duration::from_millis(200);

/// The port, in our hands.
#[derive(Debug)]
pub struct Session<'a> {
    port: Port,
    watch: &'a mut Watch,
    layout: &'a UploadLayout,
    /// Somebody else wants the port.
    is_wanted: bool,
}

/// How a dialogue went.
#[derive(Debug)]
pub struct Led {
    /// Its end.
    pub outcome: Outcome,
    /// The reader was told of the file, and may have it.
    pub has_offered: bool,
}

impl<'a> Session<'a> {
    /// Opens the port, if nobody else has it open.
    ///
    /// # Errors
    /// Somebody has, or it cannot be opened.
    pub fn open(
        path: &Path,
        watch: &'a mut Watch,
        layout: &'a UploadLayout,
        is_exclusive: bool,
    ) -> Result<Session<'a>, Refusal> {
        watch.has_been_opened();
        let sight = look(path).map_err(|error| Refusal::of(path, error))?;
        if let Some(holder) = sight.holder {
            return Err(Refusal::Held {
                path: path.display().to_string(),
                name: holder.name,
                pid: holder.pid,
            });
        }
        if watch.open().is_some_and(|open| open > 0) {
            return Err(Refusal::InUse(path.display().to_string()));
        }
        let port = Port::open(path)?;
        let in_use = || Refusal::InUse(path.display().to_string());
        if watch.open().is_some() {
            // Ours is one of them; who came at the same moment is another.
            watch.has_been_opened();
            if watch.open() != Some(1) {
                return Err(in_use());
            }
        } else if is_alone(&sight, &port, watch).map_err(|error| Refusal::of(path, error))? {
            watch.settle(1);
        } else {
            return Err(in_use());
        }
        port.set_up(is_exclusive)?;
        Ok(Session {
            port,
            watch,
            layout,
            is_wanted: false,
        })
    }

    /// Leads a dialogue. `is_over` says that the agent ends.
    ///
    /// # Errors
    /// The port has failed; `has_offered` of [`Led`] stands beside it.
    pub fn lead(&mut self, goal: Goal, is_over: impl Fn() -> bool) -> Result<Led, (Refusal, bool)> {
        let start = Instant::now();
        let mut kiosk = Kiosk::new(goal, self.layout.clone(), Duration::ZERO);
        let failed =
            |error, kiosk: &Kiosk, path: &Path| (Refusal::of(path, error), kiosk.has_offered());
        loop {
            if self.is_wanted || is_over() {
                kiosk.interrupt();
            }
            match kiosk.step(start.elapsed()) {
                Step::Write(bytes) => {
                    let written = self.port.write(&bytes);
                    written.map_err(|error| failed(error, &kiosk, self.port.path()))?;
                }
                Step::Wait(until) => {
                    let heard = self.hear(until.saturating_sub(start.elapsed()).min(NOTICE));
                    let heard = heard.map_err(|error| failed(error, &kiosk, self.port.path()))?;
                    kiosk.feed(&heard, start.elapsed());
                }
                Step::Done(outcome) => {
                    return Ok(Led {
                        outcome,
                        has_offered: kiosk.has_offered(),
                    });
                }
            }
        }
    }

    /// Whether somebody else wants the port.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Waits for bytes, or for somebody who opens the port.
    fn hear(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let timeout = timeout.max(Duration::from_millis(1));
        wait_for(
            &mut [
                PollFd::new(&self.port, PollFlags::IN),
                PollFd::new(&*self.watch, PollFlags::IN),
            ],
            timeout,
        )?;
        self.is_wanted |= self.watch.has_been_opened();
        self.port.read()
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Bytes of ours that have not left yet are not worth a wait when the port closes.
        let _ = rustix::termios::tcflush(&self.port, rustix::termios::QueueSelector::OFlush);
    }
}

/// The failure of a dialogue that came to nothing because another program wanted the port.
pub fn is_interrupted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Failure::Interrupted))
}

/// Whether we are alone on a port about which the watch knows nothing yet. Where not every process
/// could be looked at, the line itself is: answers that come unasked, and that somebody takes.
fn is_alone(sight: &Sight, port: &Port, watch: &mut Watch) -> io::Result<bool> {
    watch.has_been_opened();
    if sight.is_complete {
        return Ok(true);
    }
    let end = Instant::now() + LISTEN;
    let mut unread_since = None;
    while Instant::now() < end {
        if watch.has_been_opened() {
            return Ok(false);
        }
        match (port.waiting()?, unread_since) {
            (0, None) => {}
            // Somebody has taken them.
            (0, Some(_)) => return Ok(false),
            (_, None) => unread_since = Some(Instant::now()),
            (_, Some(since)) if since.elapsed() > UNREAD => return Ok(true),
            (_, Some(_)) => {}
        }
        sleep(LOOK);
    }
    Ok(unread_since.is_none_or(|since| since.elapsed() > UNREAD))
}
