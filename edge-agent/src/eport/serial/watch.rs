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

    /// Nobody but us (`ours` of them) has it open after what was heard last, as was found out
    /// otherwise. What has happened since then counts from here.
    pub fn settle(&mut self, ours: i64) {
        self.open = ours;
        self.is_known = true;
    }

    /// The count cannot be right.
    pub fn forget(&mut self) {
        self.is_known = false;
    }

    /// A new watch is needed.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }
}

/// Hears that some program reads from the port or writes to it; one that waits for bytes in vain is
/// not heard.
#[derive(Debug)]
pub struct Traffic {
    fd: OwnedFd,
}

impl Traffic {
    /// On the port behind this path, from now on.
    ///
    /// # Errors
    /// It is not there, or the system has no watch left.
    pub fn of(port: &Path) -> io::Result<Traffic> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&fd, port, WatchFlags::ACCESS | WatchFlags::MODIFY)?;
        Ok(Traffic { fd })
    }

    /// Whether there was any since it was asked last.
    pub fn was_seen(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        Reader::new(&self.fd, &mut buffer).next().is_ok()
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::path::PathBuf;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A pseudo terminal's far end, and the path of the near one.
    pub fn pty() -> (OwnedFd, PathBuf) {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let name = ptsname(&end, Vec::new()).unwrap();
        (end, PathBuf::from(name.into_string().unwrap()))
    }

    #[test]
    fn it_hears_who_opens_the_port_and_who_talks_on_it() {
        let (_end, path) = pty();
        let mut watch = Watch::new(&path).unwrap();
        let traffic = Traffic::of(&path).unwrap();
        assert!(!watch.has_been_opened() && watch.open().is_none());
        let mut app = File::options().write(true).open(&path).unwrap();
        assert!(watch.has_been_opened() && !watch.has_been_opened());
        watch.settle(1);
        assert!(!traffic.was_seen(), "it has only opened it");
        app.write_all(b"1\r").unwrap();
        assert!(traffic.was_seen());
        drop(app);
        assert!(!watch.has_been_opened());
        assert_eq!(watch.open(), Some(0));
        watch.forget();
        assert_eq!(watch.open(), None);
    }
}
