//! Reliability 12: a machine with WiFi and a card reader, both of which come and go every 5 s, and
//! whose drops arrive by FTP, by mail and by HTTP at once. Nothing is lost, nothing counts twice, and
//! a CRITICAL does not wait for WiFi.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::numbered::{self, Tally};
use tests::services::{Dovecot, FtpTls, Vsftpd, VsftpdSetup};
use tests::sources::{self, Source};
use tests::{Agent, AgentSetup, Api, Link, Proxy, Reader, Server, Usalive, wait};

/// How long a link stays as it is.
const FLAP: Duration = wait::seconds(5);
const FLAPS: u32 = 8;
/// Entries a flap; some of each level.
const ENTRIES: u64 = 400;
/// What the design promises for a CRITICAL that WiFi does not take.
const FALLBACK: Duration = wait::seconds(30);
/// From the reader over USALive to the API: the upload takes seconds at 9600 baud, twice when a
/// status is missed, on a machine that runs other tests as well.
const ON_THE_WAY: Duration = wait::seconds(15);

/// A machine with both paths, and everything behind them.
struct Setting {
    ftp: Vsftpd,
    mailbox: Dovecot,
    server: Server,
    proxy: Proxy,
    uploads: PathBuf,
    log: PathBuf,
    folder: tempfile::TempDir,
}

impl Setting {
    fn new() -> Setting {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path());
        Setting {
            ftp: Vsftpd::start(&VsftpdSetup::default()),
            mailbox: Dovecot::start(),
            proxy: Proxy::start(&server.url),
            server,
            uploads: folder.path().join("uploads"),
            log: folder.path().join("app.log"),
            folder,
        }
    }

    fn sources<'a>(&self, api: &'a Api) -> [Source<'a>; 3] {
        [
            Source::add(api, "folder", &sources::ftp(&self.ftp, FtpTls::None)),
            Source::add(api, "mailbox", &sources::imap(&self.mailbox)),
            Source::add(api, "USALive", &sources::http()),
        ]
    }

    /// Every drop goes by all three ways.
    fn usalive(&self) -> Usalive {
        let words = [
            ["--ftp", &sources::url("ftp", self.ftp.port)],
            ["--mail", &sources::url("imap", self.mailbox.port)],
            ["--http", &sources::http_url(&self.server.url)],
        ];
        Usalive::start(self.folder.path(), &self.uploads, &words.concat())
    }

    fn reader(&self) -> Reader {
        Reader::start(self.folder.path(), &self.uploads, &[])
    }

    fn agent(&self, reader: &Reader, interval_s: u64) -> Agent {
        let folder = self.folder.path().join("agent");
        let mut setup = AgentSetup::new(&folder, &self.server, "VM001", &self.log);
        setup.url = self.proxy.url();
        setup.timezone = "UTC".to_owned();
        let interval = format!("send_interval_s = {interval_s}");
        setup.more = reader.section("").replace("send_interval_s = 1", &interval);
        setup.start()
    }
}

#[test]
fn while_both_paths_come_and_go_nothing_is_lost_and_nothing_counts_twice() {
    let setting = Setting::new();
    let api = setting.server.api();
    let all = setting.sources(&api);
    let usalive = setting.usalive();
    let mut reader = Some(setting.reader());
    let mut agent = setting.agent(reader.as_ref().expect("a reader"), 1);
    for flap in 0..FLAPS {
        // Both, WiFi alone, the reader alone, none: every pair of neighbours occurs.
        let (has_wifi, has_reader) = (flap % 2 == 0, flap % 4 < 2);
        setting
            .proxy
            .set(if has_wifi { Link::Open } else { Link::Cut });
        match has_reader {
            true if reader.is_none() => reader = Some(setting.reader()),
            false => {
                if let Some(reader) = reader.take() {
                    reader.unplug();
                }
            }
            true => {}
        }
        let until = Instant::now() + FLAP;
        let first = u64::from(flap) * ENTRIES;
        let step = ENTRIES / 4;
        for part in 0..4 {
            numbered::append(
                &setting.log,
                first + part * step + 1..=first + (part + 1) * step,
            );
            std::thread::sleep(FLAP / 5);
        }
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }
    setting.proxy.set(Link::Open);
    let last = u64::from(FLAPS) * ENTRIES;
    api.wait_for_entries(last, wait::seconds(60));
    agent.stop();
    let truth = usalive.finish();
    assert!(
        truth.uploaded.len() >= 2,
        "a drop got through between two failures: {truth:?}"
    );
    assert_eq!(truth.delivered.values().sum::<u64>(), 3 * truth.uploads);
    wait_for_polls(&api, &all, truth.uploaded.len());

    let mut tally = Tally::default();
    setting.server.dump(|entry| tally.count(entry));
    tally.assert_whole(last);
    let entries = api.entries("");
    let by = |path: &str| entries.iter().filter(|entry| entry["path"] == path).count();
    println!(
        "{last} entries: {} by WiFi, {} by cell, {} by both, in {} drops by three ways",
        by("wifi"),
        by("cell"),
        by("both"),
        truth.uploaded.len()
    );
    assert!(by("both") > 0, "the same entries came both ways");
    assert_eq!(
        api.total(),
        Some(entries.len() as u64),
        "none is counted twice"
    );
    let quarantine = api.get("/api/quarantine").json();
    assert_eq!(quarantine["waiting"], 0, "{quarantine}");
}

/// Each polled source has brought every drop at least once; of all of them, one was new.
fn wait_for_polls(api: &Api, sources: &[Source<'_>; 3], drops: usize) {
    wait::until(
        "every way has brought every drop",
        wait::seconds(60),
        || {
            let is_whole =
                |source: &Source<'_>| source.poll()["files_taken"].as_u64() >= Some(drops as u64);
            sources[..2].iter().all(is_whole).then_some(())
        },
    );
    let list = api.get("/api/drops?limit=1000").json();
    let listed = list["drops"].as_array().expect("drops");
    assert_eq!(
        listed.len(),
        drops,
        "a drop that came three times is one drop"
    );
    for drop in listed {
        let repeats = drop["repeats"].as_u64().expect("a number");
        assert!(repeats >= 2, "its repeats are counted apart: {drop}");
    }
}

#[test]
fn a_critical_that_wifi_does_not_take_arrives_by_cell_and_wifi_takes_over_again() {
    let setting = Setting::new();
    let api = setting.server.api();
    let _sources = setting.sources(&api);
    let usalive = setting.usalive();
    let reader = setting.reader();
    let mut agent = setting.agent(&reader, 3_600);
    numbered::append(&setting.log, 1..=990);
    api.wait_for_entries(990, wait::seconds(30));
    setting.proxy.set(Link::Cut);
    // 997 is the first CRITICAL.
    numbered::append(&setting.log, 991..=997);
    let began = Instant::now();
    let entry = wait::until("the CRITICAL by cell", FALLBACK + ON_THE_WAY, || {
        let found = api.entries("level=CRITICAL");
        found
            .into_iter()
            .find(|entry| entry["message"] == numbered::message(997))
    });
    println!(
        "without WiFi a CRITICAL was in the store after {:?}",
        began.elapsed()
    );
    assert_eq!(entry["path"], "cell", "{entry}");
    setting.proxy.set(Link::Open);
    api.wait_for_entries(997, wait::seconds(60));
    let both = wait::until("WiFi brings it as well", wait::seconds(60), || {
        let found = api.entries("level=CRITICAL");
        found
            .into_iter()
            .find(|entry: &Value| entry["path"] == "both")
    });
    assert_eq!(both["message"], numbered::message(997).as_str());
    agent.stop();
    usalive.finish();
    let mut tally = Tally::default();
    setting.server.dump(|entry| tally.count(entry));
    tally.assert_whole(997);
}
