//! Hears at once when another program opens the port, and counts who has it open since we began.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Room for a hundred events; more wait in the kernel.
const BUFFER_BYTES: usize = 2 * 1024;

/// A watch on the port.
#[derive(Debug)]
pub struct Watch {
    fd: OwnedFd,
    /// Opened less closed since it began, ours included.
    open: i64,
    /// Nobody had it open when the watch began, so that `open` is the truth.
    is_known: bool,
    /// The device has gone, or events were lost: begin anew.
    is_broken: bool,
}

impl Watch {
    /// Watches the port behind this path.
    ///
    /// # Errors
    /// It is not there, or the system has no watch left.
    pub fn new(port: &Path) -> io::Result<Watch> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let events = WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
        inotify::add_watch(&fd, port, events)?;
        Ok(Watch {
            fd,
            open: 0,
            is_known: false,
            is_broken: false,
        })
    }

    /// Takes what has happened; whether somebody has opened the port meanwhile. Ours counts too.
    pub fn has_been_opened(&mut self) -> bool {
        let before = self.open;
        let mut most = before;
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let events = event.events();
                    if events.contains(ReadFlags::OPEN) {
                        self.open += 1;
                    } else if events.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE) {
                        self.open -= 1;
                    } else if events.intersects(ReadFlags::IGNORED | ReadFlags::QUEUE_OVERFLOW) {
                        self.is_broken = true;
                    }
                    most = most.max(self.open);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return most > before,
                Err(_) => {
                    self.is_broken = true;
                    return most > before;
                }
            }
        }
    }

    /// So many have it open, ours included, if that can be known.
    pub fn open(&self) -> Option<i64> {
        (self.is_known && !self.is_broken).then_some(self.open)
    }

    /// Nobody but us (`ours` of them) has it open now, as was found out otherwise.
    pub fn settle(&mut self, ours: i64) {
        self.has_been_opened();
        self.open = ours;
        self.is_known = true;
    }

    /// A new watch is needed.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
