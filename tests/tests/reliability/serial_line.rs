//! Reliability 11, the whole way: a serial line that drops, doubles, reorders, flips and splits
//! bytes, a reader that refuses and cancels, and a modem that is gone for a while.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tests::numbered;
use tests::sources::{self, Source};
use tests::usalive::{Truth, drop_number};
use tests::{Agent, AgentSetup, Api, Reader, Server, Usalive, wait};
use wire::Micros;
use wire::drops::{DROP_MAX_BYTES, Dictionary};

/// A bad line: of a drop's thousand bytes one is wrong in some way. Worse ones are tried without
/// processes, where the pauses after a failed upload cost nothing.
const BAD_LINE: &str = "lost=0.0003,doubled=0.0003,reordered=0.0003,flipped=0.0003,split=0.02,\
                        nak=0.02,cell=0.04,cancel=0.04";
/// Drops that have to come through it.
const DROPS: usize = 10;

struct Cellular {
    server: Server,
    api: Api,
    folder: tempfile::TempDir,
}

impl Cellular {
    fn new() -> Cellular {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path());
        Cellular {
            api: server.api(),
            server,
            folder,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn usalive(&self) -> Usalive {
        Source::add(&self.api, "USALive", &sources::http());
        let url = sources::http_url(&self.server.url);
        Usalive::start(self.path(), &self.path().join("uploads"), &["--http", &url])
    }

    fn reader(&self, faults: &str) -> Reader {
        let uploads = self.path().join("uploads");
        Reader::start(self.path(), &uploads, &["--faults", faults, "--seed", "11"])
    }

    fn agent(&self, reader: &Reader) -> Agent {
        let log = self.path().join("app.log");
        let folder = self.path().join("agent");
        let mut setup = AgentSetup::new(&folder, &self.server, "VM001", &log);
        setup.has_wifi = false;
        setup.timezone = "UTC".to_owned();
        setup.more = reader.section("");
        setup.start()
    }

    fn append(&self, numbers: std::ops::RangeInclusive<u64>) {
        numbered::append(&self.path().join("app.log"), numbers);
    }
}

#[test]
fn over_a_bad_line_every_drop_arrives_as_it_was_made_or_not_at_all() {
    let setting = Cellular::new();
    let usalive = setting.usalive();
    let reader = setting.reader(BAD_LINE);
    let mut agent = setting.agent(&reader);
    let mut written = 0;
    wait::until("drops over the bad line", wait::seconds(180), || {
        setting.append(written + 1..=written + 50);
        written += 50;
        std::thread::sleep(wait::seconds(1));
        (usalive.count("uploaded") >= DROPS).then_some(())
    });
    agent.stop();
    let truth = usalive.finish();
    let messages = setting.server.process.messages();
    for name in &truth.uploaded {
        assert_right(&truth, name);
    }
    let quarantine = setting.api.get("/api/quarantine").json();
    assert_eq!(quarantine["waiting"], 0, "{quarantine} {messages}");
    assert_gaps(&setting.api, &truth);
    for entry in setting.api.entries("") {
        let message = entry["message"].as_str().expect("a message");
        if !message.starts_with("Entry ") {
            continue;
        }
        let number = message
            .split(' ')
            .nth(1)
            .and_then(|number| number.parse().ok());
        let right = numbered::message(number.expect("a number"));
        let is_cut = entry["fidelity"] == "summary";
        assert!(is_cut || message == right, "{message} is not {right}");
    }
    println!(
        "{} drops over a bad line, all of them right",
        truth.uploaded.len()
    );
}

/// A garbled answer can look like the reader's thanks for a drop that it does not have: then its
/// number is missing, and shown.
fn assert_gaps(api: &Api, truth: &Truth) {
    let there: BTreeSet<u64> = truth
        .uploaded
        .iter()
        .map(|name| drop_number(name).1)
        .collect();
    let last = *there.last().expect("drops came");
    let missing: Vec<u64> = (1..last).filter(|number| !there.contains(number)).collect();
    let cell = api.get("/api/machines/VM001/cell").json();
    let gaps = cell["gaps"].as_array().expect("gaps");
    let end = |gap: &Value, key: &str| gap[key].as_u64().expect("a number");
    let shown = gaps
        .iter()
        .flat_map(|gap| end(gap, "first")..=end(gap, "last"));
    let shown: BTreeSet<u64> = shown.collect();
    assert_eq!(
        shown,
        missing.into_iter().collect(),
        "every gap is shown, and no other"
    );
}

fn assert_right(truth: &Truth, name: &str) {
    let bytes = truth.bytes(name);
    assert!(
        bytes.len() <= DROP_MAX_BYTES,
        "{name} has {} bytes",
        bytes.len()
    );
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
    assert!(
        bytes.iter().all(is_plain),
        "{name} is printable ASCII and LF"
    );
    let now = Micros::from_timestamp(jiff::Timestamp::now());
    let shipped = Dictionary::shipped();
    let read = wire::drops::read(&bytes, now, |id| {
        (id == shipped.id()).then(|| shipped.clone())
    });
    let header = read.expect("its checksum fits").header.expect("a header");
    assert_eq!((header.epoch, header.number), drop_number(name));
}

#[test]
fn what_happened_while_the_modem_was_gone_arrives_when_it_is_back() {
    let setting = Cellular::new();
    let usalive = setting.usalive();
    let gone = setting.reader("cell=1");
    let mut agent = setting.agent(&gone);
    // 997 and 1994 are CRITICAL.
    setting.append(990..=1_000);
    wait::until(
        "the agent says that the modem is gone",
        wait::seconds(60),
        || {
            let status = agent_status(setting.path());
            status.to_string().contains("FAIL_").then_some(())
        },
    );
    setting.append(1_990..=2_000);
    assert_eq!(usalive.count("uploaded"), 0);
    gone.unplug();
    let _back = setting.reader("lost=0");
    let criticals = wait::until("both CRITICAL entries", wait::seconds(120), || {
        let found = setting.api.entries("level=CRITICAL&q=Entry");
        (found.len() >= 2).then_some(found)
    });
    let messages: Vec<&str> = criticals
        .iter()
        .filter_map(|entry| entry["message"].as_str())
        .collect();
    assert_eq!(messages, [numbered::message(997), numbered::message(1_994)]);
    agent.stop();
    usalive.finish();
    let cell = setting.api.get("/api/machines/VM001/cell").json();
    assert_eq!(cell["gaps"], serde_json::json!([]), "{cell}");
}

fn agent_status(folder: &Path) -> Value {
    let mut command = std::process::Command::new(tests::binaries::binary("vendlog-agent"));
    command
        .args(["status", "--json", "--config"])
        .arg(folder.join("agent/agent.toml"));
    let ended = tests::process::run(command);
    serde_json::from_str(ended.stdout.trim()).unwrap_or(Value::Null)
}
