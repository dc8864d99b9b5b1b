//! The sockets of the syslog input, and the loop that empties them. Bytes of one datagram at a time
//! go to a function; what the kernel had to drop is counted.

use std::io::{self, Read, Write};
use std::mem::size_of;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};

use crate::config::input::Syslog;
use crate::input::listen::{self, Named};

/// The largest datagram that is read whole; a Unix socket's send buffer allows about 200 KiB.
const DATAGRAM_MAX_BYTES: usize = 256 * 1024;
/// What is asked of the kernel for datagrams that wait. UDP that finds no room is lost.
const RECEIVE_BUFFER_BYTES: libc::c_int = 8 * 1024 * 1024;
/// So many datagrams are read from one socket before the other is looked at.
const IN_TURN: usize = 256;
/// At the end each socket has so many turns: somebody may send for ever.
const LAST_TURNS: usize = 64;
/// Room for one control message with a 32-bit count.
const CONTROL_BYTES: usize = 64;

/// The open sockets.
#[derive(Debug)]
pub struct Sockets {
    unix: Option<UnixDatagram>,
    udp: Option<UdpSocket>,
    stop: UnixStream,
    buffer: Vec<u8>,
    /// What the kernel has dropped so far, as it counts itself (32 bits, wrapping).
    dropped: u32,
    _named: Option<Named>,
}

/// Ends the loop.
#[derive(Debug)]
pub struct Stop(UnixStream);

impl Stop {
    /// Ends it soon.
    pub fn stop(&mut self) {
        // It fails when the loop has ended already.
        let _ = self.0.write_all(b"x");
    }
}

impl Sockets {
    /// Makes the sockets of the configuration.
    ///
    /// # Errors
    /// One cannot be made; the text says what to do.
    pub fn open(config: &Syslog) -> io::Result<(Sockets, Stop)> {
        let (unix, named) = match &config.file {
            Some(file) => {
                let (socket, named) = listen::datagram(file)?;
                socket.set_nonblocking(true)?;
                (Some(socket), Some(named))
            }
            None => (None, None),
        };
        let udp = match &config.udp {
            Some(address) => {
                let socket = UdpSocket::bind(address).map_err(|error| {
                    io::Error::other(format!(
                        "udp {address} cannot be received: {error}; name a free port"
                    ))
                })?;
                socket.set_nonblocking(true)?;
                set_option(&socket, libc::SO_RXQ_OVFL, 1)?;
                // Beyond the system's limit it needs a right that the agent need not have.
                if set_option(&socket, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES).is_err() {
                    set_option(&socket, libc::SO_RCVBUF, RECEIVE_BUFFER_BYTES)?;
                }
                Some(socket)
            }
            None => None,
        };
        let (stop, stopper) = UnixStream::pair()?;
        let sockets = Sockets {
            unix,
            udp,
            stop,
            buffer: vec![0; DATAGRAM_MAX_BYTES],
            dropped: 0,
            _named: named,
        };
        Ok((sockets, Stop(stopper)))
    }

    /// Receives until it is stopped: `each` gets the bytes of a datagram, `missed` how many the
    /// kernel dropped.
    ///
    /// # Errors
    /// The system does not let it wait or receive.
    pub fn receive(
        &mut self,
        mut each: impl FnMut(&[u8]),
        mut missed: impl FnMut(u64),
    ) -> io::Result<()> {
        let fds: Vec<RawFd> = [
            self.unix.as_ref().map(AsRawFd::as_raw_fd),
            self.udp.as_ref().map(AsRawFd::as_raw_fd),
        ]
        .into_iter()
        .flatten()
        .collect();
        loop {
            let mut is_more = false;
            for fd in &fds {
                is_more |= self.empty(*fd, &mut each, &mut missed)?;
            }
            if is_more {
                continue;
            }
            if wait(&fds, self.stop.as_raw_fd())? {
                let _ = self.stop.read(&mut [0]);
                // What came before the end is taken along.
                for fd in &fds {
                    for _ in 0..LAST_TURNS {
                        if !self.empty(*fd, &mut each, &mut missed)? {
                            break;
                        }
                    }
                }
                return Ok(());
            }
        }
    }

    /// Whether there may be more.
    fn empty(
        &mut self,
        fd: RawFd,
        each: &mut impl FnMut(&[u8]),
        missed: &mut impl FnMut(u64),
    ) -> io::Result<bool> {
        for _ in 0..IN_TURN {
            let (got, dropped) = match receive_one(fd, &mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Some(dropped) = dropped {
                let new = dropped.wrapping_sub(self.dropped);
                self.dropped = dropped;
                if new > 0 {
                    missed(u64::from(new));
                }
            }
            each(&self.buffer[..got]);
        }
        Ok(true)
    }
}

fn set_option(socket: &UdpSocket, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the pointer is to an int that lives as long as the call, and its size is given.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Waits for a datagram; `true` when the end is asked for.
fn wait(fds: &[RawFd], stop: RawFd) -> io::Result<bool> {
    let mut polled: Vec<libc::pollfd> = [stop]
        .iter()
        .chain(fds)
        .map(|fd| libc::pollfd {
            fd: *fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    // SAFETY: the pointer and the length are those of the vector.
    let answer = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, -1) };
    if answer < 0 {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::Interrupted => Ok(false),
            _ => Err(error),
        };
    }
    Ok(polled[0].revents != 0)
}

/// One datagram, and the kernel's count of dropped ones if it says it.
fn receive_one(fd: RawFd, buffer: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // Aligned as the kernel writes it.
    let mut control = [0_u64; CONTROL_BYTES / 8];
    // SAFETY: all zeros is a valid `msghdr`; every pointer in it is to something that lives as long
    // as the calls, with its true length. The kernel's control messages are walked as it lays them
    // out, by its own macros, and the count is read as the 32 bits it is, wherever it lies.
    unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = CONTROL_BYTES as _;
        let got = libc::recvmsg(fd, &raw mut header, 0);
        if got < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut dropped = None;
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            if ((*message).cmsg_level, (*message).cmsg_type)
                == (libc::SOL_SOCKET, libc::SO_RXQ_OVFL)
            {
                let count = libc::CMSG_DATA(message).cast::<u32>();
                dropped = Some(count.read_unaligned());
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
        Ok((got as usize, dropped))
    }
}
