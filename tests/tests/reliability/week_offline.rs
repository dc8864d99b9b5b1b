//! A day at 1,000 entries an hour, a week without a link, and the link is back: every entry arrives,
//! once. Time lapse: the log's own stamps go on at the true pace, the clock does not.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tests::numbered::{self, Tally};
use tests::wait::{self, seconds};
use tests::{AgentSetup, Link, Proxy, Server};

const A_DAY: u64 = 24_000;
const OFFLINE_DAYS: u64 = 7;
/// Between two entries: 1,000 an hour.
const PACE: SignedDuration = SignedDuration::from_millis(3_600);
/// To take in one day, and to deliver all of them, in a debug build beside other tests.
const PATIENCE: Duration = seconds(120);
/// The drain is quick once the link is there; before that the agent may wait for its next try.
const STEP: Duration = Duration::from_millis(100);

#[test]
fn a_week_offline_is_spooled_over_power_cuts_and_drained_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("app.log");
    let mut server = Server::start(&dir.path().join("server"));
    let link = Proxy::start(&server.url);
    let setup = AgentSetup {
        url: link.url(),
        timezone: "UTC".to_owned(),
        ..AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log)
    };
    let api = server.api();
    let mut agent = setup.start();
    let mut days = Days::starting(&log, Timestamp::now() - SignedDuration::from_hours(9 * 24));

    let began = Instant::now();
    days.write_one();
    api.wait_for_entries(days.written, PATIENCE);
    let first_day = began.elapsed();

    link.set(Link::Cut);
    let began = Instant::now();
    for _ in 0..OFFLINE_DAYS {
        days.write_one();
        wait_until_spooled(&setup, days.written);
        // Somebody pulls the plug each night.
        agent.kill_and_restart();
    }
    let week = began.elapsed();
    let spool_bytes = setup.run("status").json()["spool"]["bytes"]
        .as_u64()
        .unwrap_or(0);

    link.set(Link::Open);
    let began = Instant::now();
    api.wait_for_entries(days.written, PATIENCE);
    let drained = began.elapsed();
    agent.stop();
    let mut tally = Tally::default();
    server.dump(|entry| tally.count(entry));
    let offline = OFFLINE_DAYS * A_DAY;
    println!(
        "a week offline: {A_DAY} entries of a day delivered in {:.1} s; {offline} offline spooled in \
         {:.1} s ({} bytes, {:.1} an entry; {} of text); drained in {:.1} s, {:.0} a second; {} \
         written, {} lost, {} twice, {} changed, {} of the agent's own",
        first_day.as_secs_f64(),
        week.as_secs_f64(),
        spool_bytes,
        spool_bytes as f64 / offline as f64,
        days.bytes,
        drained.as_secs_f64(),
        offline as f64 / drained.as_secs_f64(),
        days.written,
        tally.lost(days.written).len(),
        tally.twice.len(),
        tally.changed.len(),
        tally.others.len(),
    );
    tally.assert_whole(days.written);
    // Connections that it holds would keep the server from ending at once.
    drop(link);
    server.stop();
}

/// The application, a day at a time.
struct Days {
    log: File,
    now: Timestamp,
    written: u64,
    bytes: usize,
}

impl Days {
    fn starting(log: &std::path::Path, now: Timestamp) -> Days {
        Days {
            log: File::create(log).expect("the log"),
            now,
            written: 0,
            bytes: 0,
        }
    }

    fn write_one(&mut self) {
        let mut text = String::new();
        for _ in 0..A_DAY {
            self.written += 1;
            self.now += PACE;
            let stamp = self.now.strftime("%Y-%m-%d %H:%M:%S").to_string();
            text.push_str(&numbered::line(self.written, &stamp));
        }
        self.bytes += text.len();
        self.log.write_all(text.as_bytes()).expect("the log grows");
    }
}

fn wait_until_spooled(setup: &AgentSetup, entries: u64) {
    wait::until(&format!("{entries} entries in the spool"), PATIENCE, || {
        let seq = setup.run("status").json()["last_seq"].as_u64().unwrap_or(0);
        let is_there = seq >= entries;
        if !is_there {
            std::thread::sleep(STEP);
        }
        is_there.then_some(())
    });
}
