//! The serial port as a descriptor of ours: opened without disturbing anybody, raw, 9600 8-N-1.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eport::frame::BAUD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, ioctl_fionread, read, write};
use rustix::termios::{
    ControlModes, OptionalActions, QueueSelector, ioctl_tiocexcl, tcflush, tcgetattr, tcsetattr,
};

/// Read at once; an answer of the reader is far shorter.
const READ_BYTES: usize = 512;
/// A frame that the port does not take within this time is not sent: its buffer holds several.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);

/// Why the port cannot be used. The words are for the person who set the machine up.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another process has it open.
    #[error(
        "the port {path} is open in {name} (process {pid}): stop that program, or set mode = \
         \"handoff\" in [eport] and let it upload the drops"
    )]
    Held {
        /// The port.
        path: String,
        /// The process's name.
        name: String,
        /// Its id.
        pid: u32,
    },
    /// Another process has it open, or talks on it; it cannot be seen which.
    #[error(
        "another program uses the port {0}: stop it, or set mode = \"handoff\" in [eport] and let it \
         upload the drops"
    )]
    InUse(String),
    /// There is no such port.
    #[error("there is no port {0}: is the reader's adapter plugged in? See /dev/serial/by-id")]
    Gone(String),
    /// We may not.
    #[error("the agent may not open {0}: add its user to the group dialout")]
    Denied(String),
    /// It is no serial port.
    #[error("{0} is no serial port")]
    NoPort(String),
    /// Something else.
    #[error("the port {0} failed: {1}")]
    Failed(String, io::Error),
}

impl Refusal {
    /// What an error of this port means.
    pub fn of(path: &Path, error: io::Error) -> Refusal {
        let path = path.display().to_string();
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::NODEV | Errno::NXIO | Errno::IO | Errno::NOTCONN) => {
                Refusal::Gone(path)
            }
            Some(Errno::ACCESS | Errno::PERM) => Refusal::Denied(path),
            Some(Errno::BUSY) => Refusal::InUse(path),
            Some(Errno::NOTTY | Errno::INVAL) => Refusal::NoPort(path),
            _ => Refusal::Failed(path, error),
        }
    }
}

/// The open port.
#[derive(Debug)]
pub struct Port {
    fd: OwnedFd,
    path: PathBuf,
}

impl Port {
    /// Opens it and changes nothing: another program may have it open.
    ///
    /// # Errors
    /// It is not there, or not for us.
    pub fn open(path: &Path) -> Result<Port, Refusal> {
        // Without O_NONBLOCK opening waits for a carrier, which a card reader never shows.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd =
            open(path, flags, Mode::empty()).map_err(|error| Refusal::of(path, error.into()))?;
        Ok(Port {
            fd,
            path: path.to_owned(),
        })
    }

    /// Makes it ours: raw, 9600 8-N-1, and empty. `is_exclusive` keeps other programs from opening it
    /// meanwhile, the vending application included.
    ///
    /// # Errors
    /// It is no serial port, or has gone.
    pub fn set_up(&self, is_exclusive: bool) -> Result<(), Refusal> {
        let set_up = || -> io::Result<()> {
            let mut settings = tcgetattr(&self.fd)?;
            settings.make_raw();
            settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
            settings.control_modes -= ControlModes::CRTSCTS | ControlModes::CSTOPB;
            settings.set_speed(BAUD)?;
            tcsetattr(&self.fd, OptionalActions::Now, &settings)?;
            if is_exclusive {
                ioctl_tiocexcl(&self.fd)?;
            }
            // What somebody left here is no answer to us.
            Ok(tcflush(&self.fd, QueueSelector::IOFlush)?)
        };
        set_up().map_err(|error| Refusal::of(&self.path, error))
    }

    /// Bytes that wait to be read, by us or by another program that has it open.
    ///
    /// # Errors
    /// The port has gone.
    pub fn waiting(&self) -> io::Result<u64> {
        Ok(ioctl_fionread(&self.fd)?)
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// The port has gone, or takes nothing.
    pub fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let latest = Instant::now() + WRITE_TIMEOUT;
        while !bytes.is_empty() {
            match write(&self.fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::AGAIN | Errno::INTR) => {
                    let left = latest.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    wait_for(&mut [PollFd::new(&self.fd, PollFlags::OUT)], left)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What has come, possibly nothing.
    ///
    /// # Errors
    /// The port has gone.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut buffer = [0; READ_BYTES];
        match read(&self.fd, &mut buffer) {
            // A serial port never ends while it is there.
            Ok(0) => Err(Errno::NODEV.into()),
            Ok(count) => Ok(buffer[..count].to_vec()),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits until one of these is ready, at most so long.
///
/// # Errors
/// The system refuses.
pub fn wait_for(fds: &mut [PollFd<'_>], timeout: Duration) -> io::Result<()> {
    let timeout = Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: timeout.subsec_nanos().into(),
    };
    match poll(fds, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
