//! The pseudo terminal: its other end is the port that an application or the agent opens. We hold
//! only our own end, so that whoever looks finds the port free.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

/// Once somebody has closed the port, tokio takes it for ready for ever: it is looked at this often.
const LOOK: Duration = Duration::from_millis(3);
/// Read at once.
const READ_BYTES: usize = 4 * 1024;

/// Our end.
#[derive(Debug)]
pub(super) struct Port {
    end: AsyncFd<OwnedFd>,
    path: PathBuf,
    link: Option<PathBuf>,
}

impl Port {
    pub(super) fn open(link: Option<PathBuf>) -> Result<Port> {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .context("there is no pseudo terminal to be had")?;
        grantpt(&end)?;
        unlockpt(&end)?;
        let path = ptsname(&end, Vec::new())?;
        let path = PathBuf::from(path.into_string().context("a name of the port")?);
        // A fresh terminal echoes and turns CR into LF; a serial port does neither.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let other = rustix::fs::open(&path, flags, Mode::empty())?;
        let mut settings = tcgetattr(&other)?;
        settings.make_raw();
        tcsetattr(&other, OptionalActions::Now, &settings)?;
        drop(other);
        fcntl_setfl(&end, fcntl_getfl(&end)? | OFlags::NONBLOCK)?;
        if let Some(link) = &link {
            let half = link.with_extension("part");
            let _ = fs::remove_file(&half);
            std::os::unix::fs::symlink(&path, &half)
                .and_then(|()| fs::rename(&half, link))
                .with_context(|| format!("cannot make {}", link.display()))?;
        }
        // SAFETY: the descriptor is owned by the `AsyncFd` from here on and stays open and the same
        // until that is dropped.
        let end = unsafe { AsyncFd::register(end)? };
        Ok(Port { end, path, link })
    }

    /// Says on standard output where the port is: ready.
    pub(super) fn say_where(&self) -> Result<()> {
        println!("{}", serde_json::json!({ "port": self.path }));
        Ok(())
    }

    /// The next bytes that were written to the port.
    pub(super) async fn read(&mut self) -> Result<Vec<u8>> {
        loop {
            let mut ready = self.end.readable().await?;
            let mut buffer = vec![0; READ_BYTES];
            match rustix::io::read(ready.get_inner(), &mut buffer[..]) {
                // Nobody has it open.
                Ok(0) | Err(Errno::IO) => tokio::time::sleep(LOOK).await,
                Ok(count) => {
                    buffer.truncate(count);
                    return Ok(buffer);
                }
                Err(Errno::AGAIN) => {
                    ready.clear_ready();
                    tokio::time::sleep(LOOK).await;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("the pseudo terminal failed"),
            }
        }
    }

    /// Writes to whoever has the port open; a reader does not wait for a kiosk that does not read.
    pub(super) fn write(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let _ = rustix::io::write(self.end.get_ref(), bytes);
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            let _ = fs::remove_file(link);
        }
    }
}
