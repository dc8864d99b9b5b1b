//! The whole way: simulated application, agent, serial line, simulated reader, simulated USALive,
//! real servers of FTP, SSH and mail, HTTP, store, API; with nobody who confirms anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::binaries::binary;
use tests::services::{Dovecot, FtpTls, Sshd, Vsftpd, VsftpdSetup};
use tests::sources::{self, Source};
use tests::usalive::{Truth, drop_number};
use tests::{Agent, AgentSetup, Api, Process, Reader, Server, Usalive, wait};
use wire::{Level, Micros};

/// Four machines make enough drops for shares to mean something.
const MACHINES: [&str; 4] = ["VM001", "VM002", "VM003", "VM004"];
/// Six hours of each application in half a minute.
const PAST: &str = "6h";
const SPEED: &str = "720";
/// What the forwarder does to the drops.
const LOSS: f64 = 0.3;
const DOUBLE: f64 = 0.1;
/// Drops of each machine after its last entry: nothing is over for a drop that repeats it.
const LATER_DROPS: usize = 5;
/// At least so many CRITICAL entries arrive.
const CRITICAL_SHARE: f64 = 0.99;

/// Real servers that USALive forwards to.
struct Mailroom {
    ftp: Vsftpd,
    ftps: Vsftpd,
    ssh: Sshd,
    mailbox: Dovecot,
}

impl Mailroom {
    fn open() -> Mailroom {
        Mailroom {
            ftp: Vsftpd::start(&VsftpdSetup::default()),
            ftps: Vsftpd::start(&VsftpdSetup {
                tls: FtpTls::Explicit,
                require_ssl_reuse: true,
                ..VsftpdSetup::default()
            }),
            ssh: Sshd::start(),
            mailbox: Dovecot::start(),
        }
    }

    fn sources<'a>(&self, api: &'a Api) -> Vec<Source<'a>> {
        vec![
            Source::add(api, "folder", &sources::ftp(&self.ftp, FtpTls::None)),
            Source::add(
                api,
                "folder with TLS",
                &sources::ftp(&self.ftps, FtpTls::Explicit),
            ),
            Source::add(api, "SSH server", &sources::sftp(&self.ssh)),
            Source::add(api, "mailbox", &sources::imap(&self.mailbox)),
            Source::add(api, "USALive", &sources::http()),
        ]
    }

    /// Where USALive forwards to, by each of the five ways.
    fn ways(&self, server: &Server) -> Vec<String> {
        let ways = [
            ("--ftp", sources::url("ftp", self.ftp.port)),
            ("--ftp", sources::url("ftps", self.ftps.port)),
            ("--sftp", sources::url("sftp", self.ssh.port)),
            ("--mail", sources::url("imaps", self.mailbox.tls_port)),
            ("--http", sources::http_url(&server.url)),
        ];
        ways.into_iter()
            .flat_map(|(flag, url)| [flag.to_owned(), url])
            .collect()
    }
}

/// A machine on cellular alone.
struct Machine {
    id: &'static str,
    app: Process,
    truth: std::path::PathBuf,
    agent: Agent,
    _reader: Reader,
}

impl Machine {
    fn start(root: &Path, server: &Server, id: &'static str, uploads: &Path) -> Machine {
        let folder = root.join(id);
        fs::create_dir_all(&folder).expect("a folder");
        let seed: u64 = id[2..].parse().expect("a number");
        let (log, truth) = (folder.join("app.log"), folder.join("truth.ndjson"));
        let reader = Reader::start(&folder, uploads, &["--seed", &seed.to_string()]);
        let mut setup = AgentSetup::new(&folder, server, id, &log);
        setup.has_wifi = false;
        setup.timezone = "UTC".to_owned();
        setup.more = reader.section("");
        let mut app = Command::new(binary("vendlog-sim"));
        app.args(["app", "--faults", "link,motor,crash-loop,lost-payment"]);
        app.args([
            "--from-ago",
            PAST,
            "--speed",
            SPEED,
            "--seed",
            &seed.to_string(),
        ]);
        app.arg("--log").arg(&log).arg("--truth").arg(&truth);
        Machine {
            id,
            app: Process::start(app, &folder),
            truth,
            agent: setup.start(),
            _reader: reader,
        }
    }

    /// CRITICAL entries that the application wrote.
    fn criticals(&self) -> u64 {
        let truth = fs::read_to_string(&self.truth).expect("the application's truth");
        let level =
            |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["level"].clone();
        truth
            .lines()
            .filter(|line| level(line) == "CRITICAL")
            .count() as u64
    }
}

#[test]
fn with_a_third_of_the_drops_lost_nothing_counts_twice_and_every_gap_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let mailroom = Mailroom::open();
    let server = Server::start(folder.path());
    let api = server.api();
    let sources = mailroom.sources(&api);
    let uploads = folder.path().join("uploads");
    let ways = mailroom.ways(&server);
    let (loss, double) = (LOSS.to_string(), DOUBLE.to_string());
    let mut words: Vec<&str> = ways.iter().map(String::as_str).collect();
    words.extend([
        "--spread",
        "--loss",
        &loss,
        "--double",
        &double,
        "--shuffle",
        "6s",
    ]);
    words.extend(["--dress", "crlf", "--footer", "--seed", "4"]);
    let mut usalive = Usalive::start(folder.path(), &uploads, &words);
    let mut machines = MACHINES.map(|id| Machine::start(folder.path(), &server, id, &uploads));
    for machine in &mut machines {
        let status = machine.app.wait(wait::seconds(120));
        assert!(status.success(), "the application ends well: {status}");
    }
    let enough = MACHINES.map(|id| (id, usalive.uploaded_by(id) + LATER_DROPS));
    wait::until("later drops of each machine", wait::seconds(180), || {
        let mut have = |&(id, enough): &(&str, usize)| usalive.uploaded_by(id) >= enough;
        enough.iter().all(&mut have).then_some(())
    });
    machines.iter_mut().for_each(|machine| machine.agent.stop());
    let truth = usalive.finish();
    println!(
        "{} drops: {} lost, {} delivered by {:?}",
        truth.uploaded.len(),
        truth.lost.len(),
        truth.delivered.len(),
        truth.by_way
    );
    assert_eq!(truth.failed.iter().next(), None, "all five ways work");
    assert_eq!(truth.by_way.len(), 5, "each of the five ways was used");
    wait_until_taken(&api, &sources, &truth);
    for machine in &machines {
        assert_numbers(&api, machine.id, &truth);
    }
    let entries = api.entries("");
    assert_nothing_twice(&api, &entries);
    let written: u64 = machines.iter().map(Machine::criticals).sum();
    assert_criticals(&entries, written, &truth);
    let quarantine = api.get("/api/quarantine").json();
    assert_eq!(
        quarantine["waiting"], 0,
        "everything can be read: {quarantine}"
    );
}

fn wait_until_taken(api: &Api, sources: &[Source<'_>], truth: &Truth) {
    wait::until("every drop that was forwarded", wait::seconds(90), || {
        // The last is posted to us and cannot be asked.
        sources[..sources.len() - 1].iter().for_each(|source| {
            source.poll();
        });
        let there: BTreeSet<(String, u64, u64)> = drops(api);
        let names = truth.delivered.keys();
        names
            .map(|name| (machine_of(name), drop_number(name)))
            .all(|(machine, (epoch, number))| there.contains(&(machine, epoch, number)))
            .then_some(())
    });
}

/// Machine, epoch and number of every drop that the server knows.
fn drops(api: &Api) -> BTreeSet<(String, u64, u64)> {
    let answer = api.get("/api/drops?limit=1000").json();
    let drops = answer["drops"].as_array().expect("drops");
    let number = |drop: &Value, key: &str| drop[key].as_u64().unwrap_or(0);
    let identity = |drop: &Value| {
        let machine = drop["machine_id"].as_str().unwrap_or_default().to_owned();
        (machine, number(drop, "epoch"), number(drop, "number"))
    };
    drops.iter().map(identity).collect()
}

fn machine_of(name: &str) -> String {
    name.split('-').next().unwrap_or_default().to_owned()
}

/// Gaps and delivery rate of a machine are what USALive knows.
fn assert_numbers(api: &Api, id: &str, truth: &Truth) {
    let of_machine = |name: &&String| machine_of(name) == id;
    let delivered: BTreeSet<u64> = truth
        .delivered
        .keys()
        .filter(of_machine)
        .map(|name| drop_number(name).1)
        .collect();
    let last = *delivered.last().expect("some drop of each machine arrives");
    let missing: BTreeSet<u64> = (1..last).filter(|n| !delivered.contains(n)).collect();
    let lost: BTreeSet<u64> = truth
        .lost
        .iter()
        .filter(of_machine)
        .map(|name| drop_number(name).1)
        .filter(|number| *number < last)
        .collect();
    assert_eq!(missing, lost, "the agent numbers without gaps of its own");
    let cell = api.get(&format!("/api/machines/{id}/cell")).json();
    let gaps = cell["gaps"].as_array().expect("gaps");
    let shown: BTreeSet<u64> = gaps
        .iter()
        .flat_map(|gap| {
            let end = |key: &str| gap[key].as_u64().expect("a number");
            end("first")..=end("last")
        })
        .collect();
    assert_eq!(shown, missing, "{id}: every gap is shown, and no other");
    let measured = &cell["delivery"]["cell"];
    // A rate is measured from the first drop that is known, for it may be over the last 30 days.
    let first = *delivered
        .first()
        .expect("some drop of each machine arrives");
    assert_eq!(measured["expected"], last - first + 1, "{measured}");
    assert_eq!(measured["arrived"], delivered.len(), "{measured}");
    let rate = delivered.len() as f64 / (last - first + 1) as f64;
    let shown = measured["rate"].as_f64().expect("a rate");
    assert!(
        (shown - rate).abs() < 0.005,
        "{shown} is measured, {rate} is right"
    );
    println!(
        "{id}: {last} drops, {} arrived, gaps {missing:?}",
        delivered.len()
    );
}

fn assert_nothing_twice(api: &Api, entries: &[Value]) {
    let mut seen: BTreeMap<(String, u64, u64), u64> = BTreeMap::new();
    for entry in entries {
        let machine = entry["machine_id"].as_str().expect("a machine").to_owned();
        let number = |key: &str| {
            entry[key]
                .as_u64()
                .expect("every entry of a drop is numbered")
        };
        *seen
            .entry((machine, number("epoch"), number("seq")))
            .or_default() += 1;
        assert_eq!(entry["path"], "cell", "{entry}");
    }
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "stored twice: {twice:?}");
    assert_eq!(
        api.total(),
        Some(entries.len() as u64),
        "and none is counted twice"
    );
}

/// Of what was written as CRITICAL, how much is there; and how much would be without repetition: what
/// came in the drop that answers for it.
fn assert_criticals(entries: &[Value], written: u64, truth: &Truth) {
    let of_app = |entry: &&Value| entry["level"] == "CRITICAL" && entry["component"] != "agent";
    let there = entries.iter().filter(of_app).count() as u64;
    let without = truth
        .delivered
        .keys()
        .map(|name| own_criticals(&truth.bytes(name)))
        .sum::<u64>();
    let share = |count: u64| count as f64 / written as f64;
    println!(
        "of {written} CRITICAL entries {there} arrived ({:.1} %); without repetition {without} \
         ({:.1} %)",
        share(there) * 100.0,
        share(without) * 100.0
    );
    assert!(share(there) >= CRITICAL_SHARE, "{there} of {written}");
    assert!(without < there, "repetition is what brought the rest");
}

/// CRITICAL entries of the application that are new in this drop.
fn own_criticals(bytes: &[u8]) -> u64 {
    let now = Micros::from_timestamp(jiff::Timestamp::now());
    let shipped = wire::drops::Dictionary::shipped();
    let drop = wire::drops::read(bytes, now, |id| {
        (id == shipped.id()).then(|| shipped.clone())
    });
    let drop = drop.expect("what the reader took can be read");
    let covers = drop.header.expect("a header").covers;
    let is_own = |entry: &&wire::drops::DropEntry| {
        let entry = &entry.entry;
        let is_new = entry.seq.is_some_and(|seq| covers.contains(seq));
        is_new && entry.level == Level::Critical && entry.component != "agent"
    };
    drop.entries.iter().filter(is_own).count() as u64
}
