//! The driver of the reader's port against the simulated reader on a real pseudo terminal, with other
//! real processes that want the port. A sale always wins.

mod reader;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use edge_agent::clock::since_boot_us;
use edge_agent::eport::serial::{Driver, SerialSetup};
use edge_agent::eport::{Offer, Outbox, Report, Said};
use eport::UploadLayout;
use eport::simulator::{Faults, Setup};
use reader::{OnPty, open_here};

fn data() -> String {
    "VM001|0122-1430|C|payment|Transaction result failed\n".repeat(17)
}

/// An outbox with a drop in it, and the driver that is to bring it.
fn driver(port: &Path) -> (Arc<Outbox>, Driver) {
    let outbox = Arc::new(Outbox::new());
    let offer = Offer {
        id: 7,
        name: "VM001-1-7.txt".to_owned(),
        data: data(),
        is_urgent: false,
    };
    outbox.put(offer, false);
    let setup = SerialSetup {
        port: port.to_owned(),
        layout: UploadLayout::default(),
        is_exclusive: false,
    };
    (outbox.clone(), Driver::new(outbox, setup))
}

/// One window; what was said after it.
fn step(outbox: &Outbox, driver: &mut Driver) -> Said {
    assert!(driver.one_step(), "there is something to do");
    outbox.hear().expect("something was said")
}

fn reason(said: &Said) -> &str {
    match &said.report {
        Some(Report::Failed(7, reason)) => reason,
        other => panic!("a failure, not {other:?}"),
    }
}

/// Another program, a real process: opens the port, says when, and then asks the reader for its status.
struct Other {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

const OTHER: &str = "
import os, sys, time
print('ready', flush=True)
sys.stdin.readline()
now_us = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1e6)
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print(now_us, flush=True)
sys.stdin.readline()
os.write(fd, b'1\\r')
time.sleep(0.3)
print(os.read(fd, 100), flush=True)
sys.stdin.readline()
";

impl Other {
    fn start(port: &Path) -> Other {
        let mut child = Command::new("python3")
            .args(["-c", OTHER])
            .arg(port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut other = Other { child, lines };
        assert_eq!(other.line(), "ready");
        other
    }

    /// Opens the port; when it was about to, in microseconds since boot.
    fn open(&mut self) -> i64 {
        self.go_on();
        self.line().parse().expect("a time")
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("a line").expect("text")
    }

    fn go_on(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        stdin.write_all(b"\n").expect("it listens");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_drop_goes_up_whole_and_the_reader_is_asked_how_it_is() {
    let reader = OnPty::start(Setup::default(), b"");
    let (outbox, mut driver) = driver(&reader.port);
    let said = step(&outbox, &mut driver);
    assert_eq!(said.report, Some(Report::Sent(7)));
    let uploads = reader.told().uploads;
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0].name, "VM001-1-7.txt");
    assert_eq!(uploads[0].data, data().as_bytes());
    let facts = said.facts;
    assert_eq!((facts.signal_rssi, facts.signal_ber), (Some(18), Some(0)));
    assert_eq!(facts.serial.as_deref(), Some("K3BTS000123"));
    assert!(
        facts
            .time_offset_s
            .is_some_and(|offset| offset < -1_000_000),
        "{facts:?}"
    );
    assert_eq!(facts.error.as_deref(), Some(""));
    assert_eq!(
        open_here(&reader.port),
        0,
        "the port is open only when it is used"
    );
    assert!(!driver.one_step(), "nothing more to do for an hour");
}

#[test]
fn a_port_that_another_process_has_open_is_left_alone_and_named() {
    let reader = OnPty::start(Setup::default(), b"");
    let mut other = Other::start(&reader.port);
    other.open();
    let (outbox, mut driver) = driver(&reader.port);
    let said = step(&outbox, &mut driver);
    let words = reason(&said).to_owned();
    let pid = format!("python3 (process {})", other.child.id());
    assert!(words.contains(&pid) && words.contains("handoff"), "{words}");
    assert_eq!(said.facts.error, Some(words));
    assert!(
        reader.told().events.is_empty(),
        "not a byte went to the reader"
    );
    assert!(
        outbox.take_back(),
        "nobody has the drop: it may be made anew"
    );
    other.go_on();
    assert_eq!(other.line(), r"b'6\r'", "its own dialogue is unharmed");
}

#[test]
fn another_program_that_opens_the_port_gets_it_within_300_ms() {
    let mut slowest = 0;
    for pause_ms in [200, 500, 800, 1_100] {
        let reader = OnPty::start(Setup::default(), b"");
        let (outbox, mut driver) = driver(&reader.port);
        let mut other = Other::start(&reader.port);
        let other = std::thread::spawn(move || {
            sleep(Duration::from_millis(pause_ms));
            let opened_us = other.open();
            (other, opened_us)
        });
        let said = step(&outbox, &mut driver);
        let free_us = since_boot_us();
        let (mut other, opened_us) = other.join().expect("no panic");
        assert!(free_us > opened_us, "the upload was still going on");
        slowest = slowest.max((free_us - opened_us) / 1_000);
        assert!(reason(&said).starts_with("interrupted"), "{said:?}");
        assert_eq!(open_here(&reader.port), 0);
        other.go_on();
        assert_eq!(
            other.line(),
            r"b'6\r'",
            "the first answer that it hears is the status"
        );
        assert!(reader.told().uploads.is_empty(), "half a file is no file");
        // While it is there nothing is tried, and when it has gone the drop goes.
        drop(other);
    }
    println!("another program had the port after {slowest} ms at most");
    assert!(slowest < 300, "{slowest} ms");
}

#[test]
fn nothing_is_sent_while_a_customer_may_be_there() {
    let reader = OnPty::start(Setup::default(), b"");
    let port = std::fs::File::options().write(true).open(&reader.port);
    port.and_then(|mut port| port.write_all(b"5\r"))
        .expect("ENABLE");
    sleep(Duration::from_millis(50));
    let (outbox, mut driver) = driver(&reader.port);
    let said = step(&outbox, &mut driver);
    assert_eq!(reason(&said), "the reader is not idle (status 7)");
    assert_eq!(said.facts.state.as_deref(), Some("waits for a card"));
    assert!(
        !reader
            .told()
            .commands()
            .iter()
            .any(|code| [8, 24, 25].contains(code))
    );
    assert!(outbox.take_back());
}

#[test]
fn trouble_is_told_in_words_that_say_what_to_do() {
    let missing = PathBuf::from("/dev/vendlog-no-such-port");
    let (outbox, mut gone) = driver(&missing);
    let said = step(&outbox, &mut gone);
    assert!(
        reason(&said).contains("is the reader's adapter plugged in"),
        "{said:?}"
    );
    let file = tempfile::NamedTempFile::new().expect("a file");
    let (outbox, mut no_port) = driver(file.path());
    assert!(reason(&step(&outbox, &mut no_port)).ends_with("is no serial port"));

    let faults = |cell, lost| Setup {
        faults: Faults {
            cell,
            lost,
            ..Faults::default()
        },
        ..Setup::default()
    };
    let reader = OnPty::start(faults(1.0, 0.0), b"");
    let (outbox, mut no_network) = driver(&reader.port);
    let said = step(&outbox, &mut no_network);
    assert!(
        reason(&said).contains("cell side failed (FAIL_"),
        "{said:?}"
    );
    assert!(!outbox.take_back(), "the reader had the file");
    let reader = OnPty::start(faults(0.0, 1.0), b"");
    let (outbox, mut silent) = driver(&reader.port);
    assert_eq!(
        reason(&step(&outbox, &mut silent)),
        "the reader does not answer"
    );
    let reader = OnPty::start(Setup::default(), b"\xff\x00\x1e7\x1e\r99\r");
    let (outbox, mut garbage) = driver(&reader.port);
    let said = step(&outbox, &mut garbage);
    let uploads = reader.told().uploads;
    let is_sent = said.report == Some(Report::Sent(7));
    assert_eq!(is_sent, uploads.len() == 1, "told as it is: {said:?}");
    let is_whole = uploads.iter().all(|up| up.data == data().as_bytes());
    assert!(is_whole, "a line full of garbage");
}

#[test]
fn an_adapter_may_be_pulled_out_in_the_middle_and_put_in_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("reader");
    let mut reader = OnPty::start(Setup::default(), b"");
    std::os::unix::fs::symlink(&reader.port, &link).expect("a link");
    let (outbox, mut driver) = driver(&link);
    let pulled = std::thread::spawn(move || {
        sleep(Duration::from_millis(600));
        reader.unplug();
    });
    let said = step(&outbox, &mut driver);
    pulled.join().expect("no panic");
    assert!(
        reason(&said).contains("is the reader's adapter plugged in"),
        "{said:?}"
    );
    let reader = OnPty::start(Setup::default(), b"");
    std::fs::remove_file(&link).expect("the link");
    std::os::unix::fs::symlink(&reader.port, &link).expect("a link");
    // After a failure the outbox waits ten seconds; here it is given the drop anew.
    let again = Offer {
        id: 8,
        name: "VM001-1-8.txt".to_owned(),
        data: data(),
        is_urgent: true,
    };
    outbox.put(again, false);
    assert_eq!(step(&outbox, &mut driver).report, Some(Report::Sent(8)));
    assert_eq!(reader.told().uploads.len(), 1);
}
