//! A window in which the port is ours: opened when nobody else has it, given up at once when somebody
//! wants it.

use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use eport::{Failure, Goal, Kiosk, Outcome, Step, UploadLayout};
use rustix::event::{PollFd, PollFlags};

use super::holders::look;
use super::port::{Port, Refusal, wait_for};
use super::watch::{Traffic, Watch};

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
        let in_use = || Refusal::InUse(path.display().to_string());
        watch.has_been_opened();
        let is_complete = nobody_is_seen(path)?;
        // Looking takes a while. Who came meanwhile must be heard before we open it ourselves: of
        // equal events that lie unread the kernel makes one.
        if watch.has_been_opened() {
            return Err(in_use());
        }
        if is_complete {
            watch.settle(0);
        } else if watch.open().is_some_and(|open| open != 0) {
            // Two that close it at the same moment may count as one: the next window listens.
            watch.forget();
            return Err(in_use());
        }
        let port = Port::open(path)?;
        let was_opened = watch.has_been_opened();
        let is_alone = match watch.open() {
            // Ours is one of them; who came at the same moment is another.
            Some(open) => was_opened && open == 1,
            None => is_alone(&port, watch).map_err(|error| Refusal::of(path, error))?,
        };
        if !is_alone {
            return Err(in_use());
        }
        // Who came at the very moment that we did shares our event, and is seen now.
        if is_complete {
            nobody_is_seen(path)?;
        }
        if watch.has_been_opened() {
            return Err(in_use());
        }
        if watch.open().is_none() {
            watch.settle(1);
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
        // Bytes of ours that have not left yet are not worth a wait when the port closes; but where
        // another program has it open, they may be that one's.
        if !(self.watch.has_been_opened() || self.is_wanted) {
            let _ = rustix::termios::tcflush(&self.port, rustix::termios::QueueSelector::OFlush);
        }
    }
}

/// The failure of a dialogue that came to nothing because another program wanted the port.
pub fn is_interrupted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Failure::Interrupted))
}

/// Looks for others that have the port open; whether every process could be looked at.
fn nobody_is_seen(path: &Path) -> Result<bool, Refusal> {
    let sight = look(path).map_err(|error| Refusal::of(path, error))?;
    match sight.holder {
        Some(holder) => Err(Refusal::Held {
            path: path.display().to_string(),
            name: holder.name,
            pid: holder.pid,
        }),
        None => Ok(sight.is_complete),
    }
}

/// Whether we are alone on a port of which it is not known who has it open. The line itself is
/// looked at: programs that read or write there, answers that come unasked, and that somebody takes.
fn is_alone(port: &Port, watch: &mut Watch) -> io::Result<bool> {
    let traffic = Traffic::of(port.path())?;
    let end = Instant::now() + LISTEN;
    let mut unread_since = None;
    while Instant::now() < end {
        if watch.has_been_opened() || traffic.was_seen() {
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

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::super::watch::tests::pty;
    use super::*;

    #[test]
    fn two_programs_that_closed_it_at_the_same_moment_do_not_keep_it_for_ever() {
        let (_end, path) = pty();
        let mut watch = Watch::new(&path).unwrap();
        watch.settle(0);
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        let one = open();
        watch.has_been_opened();
        let other = open();
        watch.has_been_opened();
        drop((one, other));
        watch.has_been_opened();
        assert_eq!(watch.open(), Some(1), "two closings lay unread");
        let layout = UploadLayout::default();
        // Where not every process can be looked at, the first time is refused.
        let open = |watch: &mut Watch| Session::open(&path, watch, &layout, false).is_ok();
        assert!(open(&mut watch) || open(&mut watch));
        watch.has_been_opened();
        assert_eq!(watch.open(), Some(0));
    }
}
