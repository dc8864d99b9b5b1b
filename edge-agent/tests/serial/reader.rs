//! The simulated reader on a real pseudo terminal, on a thread of this test.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use eport::simulator::{Reader, Setup, SimEvent, Uploaded};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// What the reader has told so far.
#[derive(Debug, Default, Clone)]
pub struct Told {
    pub uploads: Vec<Uploaded>,
    pub events: Vec<SimEvent>,
}

impl Told {
    /// The codes of the commands, STATUS left out.
    pub fn commands(&self) -> Vec<u8> {
        let code = |event: &SimEvent| match event {
            SimEvent::Command { code } if *code != 1 => Some(*code),
            _ => None,
        };
        self.events.iter().filter_map(code).collect()
    }
}

/// A reader behind a port.
pub struct OnPty {
    /// The port.
    pub port: PathBuf,
    told: Arc<Mutex<Told>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl OnPty {
    /// Switches it on; `noise` is what the line brings besides.
    pub fn start(setup: Setup, noise: &'static [u8]) -> OnPty {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo terminal");
        grantpt(&end).expect("ours");
        unlockpt(&end).expect("ours");
        let name = ptsname(&end, Vec::new()).expect("a name");
        let port = PathBuf::from(name.into_string().expect("a path"));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let other = open(&port, flags, Mode::empty()).expect("the other end");
        let mut settings = tcgetattr(&other).expect("a terminal");
        settings.make_raw();
        tcsetattr(&other, OptionalActions::Now, &settings).expect("raw");
        let flags = fcntl_getfl(&end).expect("flags");
        fcntl_setfl(&end, flags | OFlags::NONBLOCK).expect("flags");
        let told = Arc::new(Mutex::new(Told::default()));
        let ends = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (told, ends) = (told.clone(), ends.clone());
            move || live(&end, Reader::new(setup), noise, &told, &ends)
        });
        OnPty {
            port,
            told,
            ends,
            thread: Some(thread),
        }
    }

    /// What it has told so far.
    pub fn told(&self) -> Told {
        self.told.lock().expect("no panic").clone()
    }

    /// Pulls the plug.
    pub fn unplug(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the reader does not panic");
        }
    }
}

impl Drop for OnPty {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn live(end: &OwnedFd, mut reader: Reader, noise: &[u8], told: &Mutex<Told>, ends: &AtomicBool) {
    let start = Instant::now();
    let mut buffer = [0; 4_096];
    while !ends.load(Ordering::Relaxed) {
        // Nobody having the port open is an error here; so is nothing to read.
        if let Ok(count) = rustix::io::read(end, &mut buffer) {
            reader.receive(&buffer[..count], start.elapsed());
            let _ = rustix::io::write(end, noise);
        }
        let bytes = reader.run(start.elapsed());
        if !bytes.is_empty() {
            let _ = rustix::io::write(end, &bytes);
        }
        let mut told = told.lock().expect("no panic");
        told.uploads
            .extend(std::iter::from_fn(|| reader.take_upload()));
        told.events
            .extend(std::iter::from_fn(|| reader.take_event()));
        drop(told);
        sleep(Duration::from_millis(1));
    }
}

/// Descriptors of this process on that port.
pub fn open_here(port: &std::path::Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    links
        .filter(|link| fs::read_link(link.path()).is_ok_and(|target| target == port))
        .count()
}
