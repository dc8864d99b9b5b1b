//! Reliability 1: numbered entries from the application's log and over the socket through the agent,
//! a link that fails in every way, and the server into the store, while both sides are killed at
//! random moments. What was written arrives: nothing is lost, nothing comes twice, nothing is changed.
//!
//! `VENDLOG_CHAOS_ENTRIES` and `VENDLOG_CHAOS_KILLS` make it longer (nightly: 1000000 and 1000);
//! `VENDLOG_CHAOS_SEED` makes the same choices again.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sim::rng::Rng;
use tests::numbered::{self, Tally};
use tests::socket::Sender;
use tests::wait::seconds;
use tests::{Agent, AgentSetup, Link, Proxy, Server};

/// At a commit: as many as reliability.md asks for.
const ENTRIES: u64 = 100_000;
const KILLS: u64 = 60;
/// One in so many comes over the socket, where each is acknowledged; the rest is in the log.
const SOCKET_SHARE: u64 = 20;
/// From the moment that the link is well and nobody is killed any more.
const DRAINED_WITHIN: Duration = seconds(60);
/// The time between two kills of one side: work is under way, and none of it has ended.
const PAUSE_MS: (i64, i64) = (60, 900);

struct Plan {
    entries: u64,
    kills: u64,
    seed: u64,
}

impl Plan {
    fn from_environment() -> Plan {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            let number = text
                .parse()
                .unwrap_or_else(|_| panic!("{name} is a number"));
            Some(number)
        };
        let nanos = || jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64 % 1_000_000;
        Plan {
            entries: number("VENDLOG_CHAOS_ENTRIES").unwrap_or(ENTRIES),
            kills: number("VENDLOG_CHAOS_KILLS").unwrap_or(KILLS),
            seed: number("VENDLOG_CHAOS_SEED").unwrap_or_else(nanos),
        }
    }

    /// Entries of the log; those after them come over the socket.
    fn in_log(&self) -> u64 {
        self.entries - self.entries / SOCKET_SHARE
    }

    /// Each part of the test makes its own choices, so that they do not depend on who was first.
    fn rng(&self, part: u64) -> Rng {
        Rng::new(self.seed.wrapping_mul(31).wrapping_add(part))
    }
}

#[test]
fn kills_of_both_sides_and_a_failing_link_lose_repeat_and_change_nothing() {
    let plan = Plan::from_environment();
    println!(
        "chaos: seed {} ({} entries, {} kills)",
        plan.seed, plan.entries, plan.kills
    );
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("app.log");
    let mut server = Server::start(&dir.path().join("server"));
    let link = Proxy::start(&server.url);
    let socket = dir.path().join("agent.sock");
    let setup = AgentSetup {
        url: link.url(),
        more: format!("[[input]]\nkind = \"socket\"\npath = {socket:?}"),
        timezone: "UTC".to_owned(),
        ..AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log)
    };
    let api = server.api();
    let began = Instant::now();
    let mut sender = Sender::new(&socket, plan.in_log() + 1);
    let mut agent = kill_while_writing(&plan, &log, &mut sender, &setup, &link, &mut server);
    link.set(Link::Open);
    let healed = Instant::now();
    api.wait_for_entries(plan.entries, DRAINED_WITHIN);
    let drained = healed.elapsed();
    agent.stop();

    let mut tally = Tally::default();
    server.dump(|entry| tally.count(entry));
    let (connections, resets) = link.counts();
    println!(
        "chaos: {} written, {} of them acknowledged over {} connections of the socket, {} lost, {} \
         twice, {} changed; {} kills in {:.1} s, {connections} connections, {resets} reset; drained \
         {:.1} s after the last fault; {} entries of the agent's own; checked after {:.1} s",
        plan.entries,
        sender.acknowledged,
        sender.connections,
        tally.lost(plan.entries).len(),
        tally.twice.len(),
        tally.changed.len(),
        plan.kills,
        (healed - began).as_secs_f64(),
        drained.as_secs_f64(),
        tally.others.len(),
        began.elapsed().as_secs_f64(),
    );
    tally.assert_whole(plan.entries);
    let gaps = tally
        .others
        .iter()
        .filter(|e| e["context"]["event"] == "gap");
    assert_eq!(gaps.count(), 0, "nothing is missing, and nobody says so");
    // Connections that it holds would keep the server from ending at once.
    drop(link);
    server.stop();
}

/// Kills, cuts and writes at once; gives back the agent that lived longest.
fn kill_while_writing(
    plan: &Plan,
    log: &Path,
    sender: &mut Sender,
    setup: &AgentSetup,
    link: &Proxy,
    server: &mut Server,
) -> Agent {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| write(plan, log, &is_over));
        scope.spawn(|| sender.send_until(plan.entries - plan.in_log()));
        scope.spawn(|| fail(plan, link, &is_over));
        let agents = scope.spawn(|| {
            let mut rng = plan.rng(1);
            let mut agent = setup.start();
            for _ in 0..plan.kills / 2 {
                pause(&mut rng);
                agent.kill_and_restart();
            }
            agent
        });
        let mut rng = plan.rng(2);
        for _ in 0..plan.kills - plan.kills / 2 {
            pause(&mut rng);
            server.kill_and_restart();
        }
        let agent = agents.join().expect("the agent starts every time");
        is_over.store(true, Ordering::Relaxed);
        agent
    })
}

fn pause(rng: &mut Rng) {
    let ms = rng.between(PAUSE_MS.0, PAUSE_MS.1).unsigned_abs();
    std::thread::sleep(Duration::from_millis(ms));
}

/// The application: lines in pieces of any length, so that kills meet half lines too. The last tenth
/// waits until the killing is over: there is always something to do.
fn write(plan: &Plan, log: &Path, is_over: &AtomicBool) {
    let mut rng = plan.rng(3);
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .expect("the log");
    let entries = plan.in_log();
    let kept_back = entries - entries / 10;
    let expected_ms = plan.kills / 2 * (PAUSE_MS.0 + PAUSE_MS.1).unsigned_abs() / 2;
    let per_ms = kept_back / expected_ms.max(1) + 1;
    let (mut number, mut rest) = (0, Vec::new());
    while number < entries || !rest.is_empty() {
        if number >= kept_back && !is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        let ms = rng.between(1, 20).unsigned_abs();
        let stamp = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
        for _ in 0..(ms * per_ms).min(entries - number) {
            number += 1;
            rest.extend(numbered::line(number, &stamp.to_string()).bytes());
        }
        let is_last = number == entries;
        let cut = rng.between(0, 60).unsigned_abs() as usize;
        let now = rest.len() - if is_last { 0 } else { cut.min(rest.len()) };
        file.write_all(&rest[..now]).expect("the log grows");
        rest.drain(..now);
        std::thread::sleep(Duration::from_millis(ms));
    }
}

/// The link: well half of the time.
fn fail(plan: &Plan, link: &Proxy, is_over: &AtomicBool) {
    let mut rng = plan.rng(4);
    while !is_over.load(Ordering::Relaxed) {
        let next = match rng.between(0, 11) {
            0 => Link::Cut,
            1 => Link::Stalled,
            2 => Link::Swallowing,
            3 => Link::Delayed(Duration::from_millis(rng.between(5, 200).unsigned_abs())),
            4 => Link::Throttled {
                bytes_per_s: rng.between(2_000, 60_000).unsigned_abs() as u32,
            },
            5 => {
                link.reset();
                Link::Open
            }
            _ => Link::Open,
        };
        link.set(next);
        let ms = rng.between(20, 600).unsigned_abs();
        std::thread::sleep(Duration::from_millis(ms));
    }
}
