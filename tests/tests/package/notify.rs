//! The PC's package: its agent tells the service manager that it is ready, that it makes progress,
//! that it does not, and that it ends. The manager here is a real datagram socket.

use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tests::package::{must, package, unpack};
use tests::wait::seconds;
use tests::{AgentSetup, Process, Server, numbered};

/// The agent is to give a sign three times in this time.
const WATCHDOG: Duration = seconds(6);
/// For a message that must come, beside other tests.
const PATIENCE: Duration = seconds(60);

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<(Instant, String)>,
}

impl Manager {
    fn at(path: &Path) -> Manager {
        Manager {
            socket: UnixDatagram::bind(path).expect("a socket"),
            heard: Vec::new(),
        }
    }

    /// The next message, one line each, if one comes in this time.
    fn hear(&mut self, within: Duration) -> Option<String> {
        let mut bytes = [0; 4096];
        self.socket.set_read_timeout(Some(within)).expect("a time");
        let length = self.socket.recv(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        self.heard.push((Instant::now(), text.clone()));
        Some(text)
    }

    /// Listens until a message has this in it.
    fn wait_for(&mut self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what}: {:?}", self.heard);
            if self.hear(left).is_some_and(|text| text.contains(what)) {
                return;
            }
        }
    }

    /// Signs of progress that come in this time.
    fn pings(&mut self, within: Duration) -> usize {
        let deadline = Instant::now() + within;
        let mut pings = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return pings;
            }
            let heard = self.hear(left);
            pings += usize::from(heard.is_some_and(|text| text.contains("WATCHDOG=1")));
        }
    }
}

#[test]
fn it_is_ready_makes_progress_or_says_who_does_not_and_says_that_it_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    unpack(&package("amd64"), dir.path());
    let log = dir.path().join("app.log");
    numbered::append(&log, 1..=1);
    let server = Server::start(&dir.path().join("server"));
    let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log);
    let socket = dir.path().join("notify");
    let mut manager = Manager::at(&socket);
    let mut command = Command::new(dir.path().join("usr/bin/vendlog-agent"));
    command.arg("run").arg("--config").arg(setup.write_toml());
    command.env("NOTIFY_SOCKET", &socket);
    command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    let mut agent = Process::start(command, &setup.folder);

    manager.wait_for("READY=1");
    let early = manager
        .heard
        .iter()
        .any(|(_, text)| text.contains("WATCHDOG"));
    assert!(!early, "ready comes first: {:?}", manager.heard);
    let pings = manager.pings(WATCHDOG);
    assert!(pings >= 2, "{pings} signs in the watchdog's time");
    let read = "STATUS=1 entries read, 0 not confirmed";
    if !manager.heard.iter().any(|(_, text)| text.contains(read)) {
        manager.wait_for(read);
    }

    // The thread of the local file hangs for real: it opens a pipe that nobody reads.
    std::fs::remove_file(setup.local()).expect("the local file");
    must(Command::new("mkfifo").arg(setup.local()));
    numbered::append(&log, 2..=2);
    manager.wait_for("STATUS=the local thread has been at one piece of work");
    let silent = manager.pings(WATCHDOG);
    assert_eq!(
        silent, 0,
        "a watchdog that is fed never bites: {:?}",
        manager.heard
    );
    assert!(agent.is_running());
    // The entry was delivered all the same, and the agent recovers when the disk does.
    server.api().wait_for_entries(2, PATIENCE);
    let path = setup.local();
    let reader = std::thread::spawn(move || {
        let pipe = File::open(&path)?;
        // Before its end closes: the agent, which then tries again, must find no pipe any more.
        std::fs::remove_file(&path)?;
        drop(pipe);
        std::io::Result::Ok(())
    });
    manager.wait_for("WATCHDOG=1");
    reader.join().expect("it ends").expect("the pipe opens");

    let ending = std::thread::scope(|scope| {
        let ended = scope.spawn(|| agent.terminate(seconds(30)));
        manager.wait_for("STOPPING=1");
        ended.join().expect("it ends")
    });
    assert!(ending.success(), "{ending}");
    println!(
        "amd64: ready, {pings} signs of progress in {WATCHDOG:?}, {silent} while a thread hung, ended"
    );
}
