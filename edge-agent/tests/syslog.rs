//! The real agent and what really speaks syslog: Python's handler, and plain datagrams.

mod support;

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::{Agent, Machine, json_lines, wait_for};

const PYTHON: &str = r#"
import logging, logging.handlers, sys
address = sys.argv[1] if sys.argv[2] == "0" else (sys.argv[1], int(sys.argv[2]))
handler = logging.handlers.SysLogHandler(address=address)
if sys.argv[4]:
    handler.setFormatter(logging.Formatter(sys.argv[4]))
log = logging.getLogger("soap.reader")
log.setLevel(logging.DEBUG)
log.addHandler(handler)
logging.raiseExceptions = False
for number in range(int(sys.argv[3])):
    log.info("entry %d", number)
log.critical("the last words\nof two lines")
"#;

struct SyslogMachine {
    machine: Machine,
    path: PathBuf,
    port: u16,
}

impl SyslogMachine {
    fn new(more: &str) -> SyslogMachine {
        let machine = Machine::new("");
        let path = machine.dir.path().join("syslog.sock");
        // Free at this moment; nobody else is given it so soon.
        let port = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        machine.configure(&format!(
            "[[input]]\nkind = \"syslog\"\npath = \"{}\"\nudp = \"127.0.0.1:{port}\"\n{more}\n",
            path.display()
        ));
        SyslogMachine {
            machine,
            path,
            port,
        }
    }

    fn start(&self) -> Agent {
        let agent = self.machine.spawn();
        wait_for("the socket", || {
            UnixDatagram::unbound().unwrap().connect(&self.path).is_ok()
        });
        agent
    }

    fn python(&self, address: &str, port: u16, count: usize, format: &str) {
        let status = Command::new("python3")
            .args(["-c", PYTHON, address])
            .args([port.to_string(), count.to_string(), format.to_owned()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn wait_for_entries(&self, count: usize) {
        wait_for("all entries", || {
            let text = std::fs::read_to_string(self.machine.local()).unwrap_or_default();
            text.matches('\n').count() >= count
        });
    }

    fn end(&self, agent: Agent) -> Vec<Value> {
        let (code, said) = agent.terminate();
        assert_eq!(code, Some(0), "{said}");
        assert!(!self.path.exists(), "the socket is removed");
        json_lines(&self.machine.local())
    }
}

#[test]
fn pythons_handler_loses_nothing_on_the_unix_socket_at_full_speed() {
    const COUNT: usize = 100_000;
    let machine = SyslogMachine::new("");
    let agent = machine.start();
    machine.python(machine.path.to_str().unwrap(), 0, COUNT, "");
    machine.wait_for_entries(COUNT + 1);
    let entries = machine.end(agent);
    let expected: Vec<String> = (0..COUNT).map(|number| format!("entry {number}")).collect();
    let got: Vec<&str> = entries
        .iter()
        .map(|e| e["message"].as_str().unwrap())
        .collect();
    let differs = expected
        .iter()
        .zip(&got)
        .position(|(wanted, got)| wanted != got);
    println!("{COUNT} records of SysLogHandler, first difference: {differs:?}");
    assert_eq!((differs, got.len()), (None, COUNT + 1));
    assert_eq!(got[COUNT], "the last words\nof two lines");
    assert_eq!(
        (&entries[0]["level"], &entries[0]["component"]),
        (&"INFO".into(), &"syslog".into())
    );
    assert_eq!(entries[COUNT]["level"], "CRITICAL");
}

#[test]
fn what_pythons_formatter_wrote_is_read_also_over_udp() {
    let keys = "format = \"python\"\ntimezone = \"UTC\"\npack = \"soap\"";
    let machine = SyslogMachine::new(keys);
    let agent = machine.start();
    let format = "%(asctime)s - %(name)s - %(levelname)s - %(message)s";
    machine.python("127.0.0.1", machine.port, 100, format);
    machine.wait_for_entries(101);
    let entries = machine.end(agent);
    assert_eq!(entries.len(), 101);
    assert_eq!(entries[7]["message"], "entry 7");
    assert_eq!(entries[7]["component"], "reader");
    assert_eq!(entries[100]["message"], "the last words\nof two lines");
}

#[test]
fn what_udp_had_no_room_for_is_counted_in_a_gap_record() {
    const COUNT: usize = 30_000;
    let machine = SyslogMachine::new("");
    let agent = machine.start();
    let signal = |name: &str| {
        let pid = agent.pid().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    };
    signal("-STOP");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let filler = "x".repeat(2_000);
    for number in 0..COUNT {
        let text = format!("<14>entry {number} {filler}");
        socket
            .send_to(text.as_bytes(), ("127.0.0.1", machine.port))
            .unwrap();
    }
    signal("-CONT");
    // The kernel tells of what it dropped with the next that it takes.
    let mut sent = COUNT as u64;
    let is_told = || {
        socket
            .send_to(b"<14>entry after", ("127.0.0.1", machine.port))
            .unwrap();
        sent += 1;
        std::fs::read_to_string(machine.machine.local()).is_ok_and(|text| text.contains("\"gap\""))
    };
    wait_for("the gap record", is_told);
    let entries = machine.end(agent);
    let is_gap = |entry: &&Value| entry["context"]["event"] == "gap";
    let missing: u64 = entries
        .iter()
        .filter(is_gap)
        .map(|gap| gap["context"]["records"].as_u64().unwrap())
        .sum();
    let is_entry = |entry: &&Value| entry["message"].as_str().unwrap().starts_with("entry ");
    let stored = entries.iter().filter(is_entry).count();
    println!(
        "{sent} datagrams to an agent that stood still: {stored} stored, {missing} told missing"
    );
    assert!(missing > 0);
    assert_eq!(stored as u64 + missing, sent);
    let gap = entries.iter().find(is_gap).unwrap();
    assert_eq!(
        (&gap["component"], &gap["level"]),
        (&"agent".into(), &"WARN".into())
    );
    assert_eq!(gap["context"]["why"], "udp_overflow");
    assert!(
        gap["message"]
            .as_str()
            .unwrap()
            .contains("syslog messages are missing here")
    );
}
