//! The link between a machine and its server, as bad as a test wants it: a TCP proxy that cuts,
//! stalls, swallows, delays and throttles. It sees only bytes; TLS goes through it unread.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a connection that is quiet looks at the state of the link.
const LOOK: Duration = Duration::from_millis(20);
/// The most bytes that are under way inside the proxy in one direction of a connection.
const PIECE_BYTES: usize = 16 * 1024;

/// What the link does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Passes them on.
    Open,
    /// Passes them on after this time, as a long way with loss does.
    Delayed(Duration),
    /// Passes on so many a second and connection.
    Throttled {
        /// Bytes a second.
        bytes_per_s: u32,
    },
    /// Holds them, as while packets are lost and sent again; they go on when it opens.
    Stalled,
    /// Takes them and forgets them, as a router that lost its table; connections of that time are
    /// reset by whatever comes next.
    Swallowing,
    /// Resets every connection, and new ones at once.
    Cut,
}

/// A running proxy; its connections end when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: String,
    link: Mutex<Link>,
    /// Connections of an older generation are reset.
    generation: AtomicU64,
    is_over: AtomicBool,
    connections: AtomicU64,
    resets: AtomicU64,
}

impl Proxy {
    /// A link to `url` that is open.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start(url: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            upstream: url.trim_start_matches("https://").to_owned(),
            link: Mutex::new(Link::Open),
            generation: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            resets: AtomicU64::new(0),
        });
        let accepting = Some(std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        }));
        Proxy {
            address,
            shared,
            accepting,
        }
    }

    /// Where machines reach the server through this link.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Changes the link, for connections that are there as well.
    pub fn set(&self, link: Link) {
        let mut now = self.shared.link();
        if link == Link::Cut || *now == Link::Swallowing {
            self.shared.generation.fetch_add(1, Ordering::SeqCst);
        }
        *now = link;
    }

    /// Resets every connection; new ones are welcome.
    pub fn reset(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Connections taken so far, and how many of them were reset.
    pub fn counts(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (read(&self.shared.connections), read(&self.shared.resets))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.set(Link::Cut);
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn link(&self) -> std::sync::MutexGuard<'_, Link> {
        self.link
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for machine in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(machine) = machine else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = shared.clone();
        std::thread::spawn(move || connection(machine, &shared));
    }
}

fn connection(machine: TcpStream, shared: &Arc<Shared>) {
    let generation = shared.generation();
    let is_cut = *shared.link() == Link::Cut;
    let server = match TcpStream::connect(&shared.upstream) {
        Ok(server) if !is_cut => server,
        _ => return reset(&machine, shared),
    };
    let (Ok(machine_too), Ok(server_too)) = (machine.try_clone(), server.try_clone()) else {
        return;
    };
    let down = std::thread::spawn({
        let shared = shared.clone();
        move || pump(server_too, machine_too, &shared, generation)
    });
    let up = pump(
        machine.try_clone().expect("a descriptor"),
        server,
        shared,
        generation,
    );
    let down = down.join().unwrap_or(false);
    if !(up && down) {
        reset(&machine, shared);
    }
}

/// Carries bytes one way; true when they ended in good order.
fn pump(mut from: TcpStream, mut to: TcpStream, shared: &Shared, generation: u64) -> bool {
    let mut bytes = vec![0; PIECE_BYTES];
    let _ = from.set_read_timeout(Some(LOOK));
    let is_alive = || shared.generation() == generation;
    while is_alive() {
        let got = match from.read(&mut bytes) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return true;
            }
            Ok(got) => got,
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                continue;
            }
            Err(_) => break,
        };
        if !carry(&bytes[..got], &mut to, shared, &is_alive) {
            break;
        }
    }
    linger_not(&from);
    linger_not(&to);
    // The other direction ends too.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
    false
}

fn carry(bytes: &[u8], to: &mut TcpStream, shared: &Shared, is_alive: &impl Fn() -> bool) -> bool {
    while is_alive() {
        let link = *shared.link();
        match link {
            Link::Open => {}
            Link::Delayed(time) => std::thread::sleep(time),
            Link::Throttled { bytes_per_s } => {
                let time = bytes.len() as f64 / f64::from(bytes_per_s);
                std::thread::sleep(Duration::from_secs_f64(time));
            }
            Link::Stalled => {
                std::thread::sleep(LOOK);
                continue;
            }
            Link::Swallowing => return true,
            Link::Cut => return false,
        }
        return is_alive() && to.write_all(bytes).is_ok();
    }
    false
}

fn reset(stream: &TcpStream, shared: &Shared) {
    shared.resets.fetch_add(1, Ordering::SeqCst);
    linger_not(stream);
}

/// Closing then sends a reset instead of the rest.
fn linger_not(stream: &TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let size = size_of::<libc::linger>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and the pointer is to a `linger` of the size named.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size,
        );
    }
}
