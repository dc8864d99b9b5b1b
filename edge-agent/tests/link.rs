//! The real agent on links as they are: behind a proxy, at 2 kB/s, behind a captive portal, with a
//! week's backlog, and without any route.

#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proxy::Proxy;
use serde_json::{Value, json};
use server::{Identity, Server, accepted};
use support::{Machine, json_lines, wait_for};

/// What the issue calls a slow link.
const SLOW_BYTES_S: u32 = 2_000;
/// The agent's deadline for one request.
const DEADLINE: Duration = Duration::from_secs(60);
/// An address to which the test's network has a route at times.
const AWAY: &str = "10.77.0.1";
/// A route that comes up must be used within this time, however long it was away.
const TRIED_AT_ONCE: Duration = Duration::from_secs(3);

fn machine(url: &str, pin: &str, more: &str) -> Machine {
    let machine = Machine::new("");
    configure(&machine, url, pin, more);
    machine
}

fn configure(machine: &Machine, url: &str, pin: &str, more: &str) {
    let key = machine.dir.path().join("key");
    std::fs::write(&key, "vl_test_key\n").unwrap();
    machine.configure(&format!(
        "[clock]\nwait_s = 0\n[wifi]\nurl = \"{url}\"\npin = \"{pin}\"\napi_key_file = \"{}\"\n\
         mode = \"continuous\"\n{more}",
        key.display()
    ));
}

fn log(machine: &Machine, level: &str, messages: &[String]) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(machine.log())
        .unwrap();
    let lines: String = messages
        .iter()
        .map(|message| format!("2026-01-22 14:30:15 - __main__ - {level} - {message}\n"))
        .collect();
    file.write_all(lines.as_bytes()).unwrap();
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("entry {number}")).collect()
}

fn wifi_status(machine: &Machine) -> Value {
    let (code, out, said) = machine.command("status");
    assert_eq!(code, Some(0), "{said}");
    let status: Value = serde_json::from_str(&out).unwrap();
    status["wifi"].clone()
}

#[test]
fn through_a_proxy_only_encrypted_bytes_go_to_the_server_that_is_named() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let proxy = Proxy::start(None);
    let more = format!("proxy = \"{}\"", proxy.url());
    let machine = machine(&server.url(), &identity.pin, &more);
    log(&machine, "INFO", &["a secret of the machine".to_owned()]);
    let agent = machine.spawn();
    wait_for("the entry", || server.messages().len() == 1);
    assert_eq!(agent.terminate().0, Some(0));
    let named = server.address().to_string();
    proxy.seen(|seen| {
        assert!(!seen.asked.is_empty() && seen.asked.iter().all(|asked| *asked == named));
        let holds = |words: &[u8]| seen.up.windows(words.len()).any(|part| part == words);
        assert!(!holds(b"secret") && !holds(b"vl_test_key"), "in the clear");
    });
}

#[test]
fn over_a_link_of_two_kilobytes_a_second_every_request_gets_through_within_its_deadline() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let proxy = Proxy::start(Some(SLOW_BYTES_S));
    let more = format!("proxy = \"{}\"", proxy.url());
    let machine = machine(&server.url(), &identity.pin, &more);
    // Noise, of which zstd can only halve the hexadecimal digits.
    let mut random = 88_172_645_463_325_252u64;
    let mut noise = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        format!("{random:016x}")
    };
    let texts: Vec<String> = (0..300)
        .map(|_| (0..13).map(|_| noise()).collect())
        .collect();
    log(&machine, "INFO", &texts);
    let start = Instant::now();
    let agent = machine.spawn();
    wait_for("all of them", || server.messages().len() >= texts.len());
    let took = start.elapsed();
    agent.kill();
    let mut arrived = server.messages();
    let requests = server.requests();
    let batches: Vec<_> = requests.iter().filter(|r| r.path == "/api/logs").collect();
    assert_eq!(arrived.len(), texts.len(), "none had to be sent twice");
    arrived.sort_unstable();
    let mut expected = texts.clone();
    expected.sort_unstable();
    assert_eq!(arrived, expected);
    let mut before = start;
    for batch in &batches {
        assert!(batch.at - before < DEADLINE);
        before = batch.at;
    }
    println!(
        "2 kB/s: {} entries in {} requests, {:.1} s, none twice",
        texts.len(),
        batches.len(),
        took.as_secs_f64()
    );
}

#[test]
fn a_long_backlog_drains_fast_over_a_good_link() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let texts = numbered(10_000);
    let machine = machine("https://127.0.0.1:1", &identity.pin, "");
    log(&machine, "INFO", &texts);
    let agent = machine.spawn();
    wait_for("all of them in the spool", || {
        json_lines_so_far(&machine) >= texts.len()
    });
    assert_eq!(agent.terminate().0, Some(0));
    configure(&machine, &server.url(), &identity.pin, "");
    let start = Instant::now();
    let agent = machine.spawn();
    wait_for("all of them", || server.messages().len() >= texts.len());
    let took = start.elapsed();
    assert_eq!(agent.terminate().0, Some(0));
    assert_eq!(server.messages(), texts, "each once and in order");
    let requests = server.requests();
    let batches = requests.iter().filter(|r| r.path == "/api/logs").count();
    assert!(batches < 20, "{batches} requests");
    assert!(took < Duration::from_secs(20), "{took:?}");
    println!(
        "backlog: {} entries in {batches} requests, {:.1} s",
        texts.len(),
        took.as_secs_f64()
    );
}

fn json_lines_so_far(machine: &Machine) -> usize {
    let bytes = std::fs::read(machine.local()).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn a_captive_portal_is_no_server_and_costs_no_entry() {
    let portals: [(u16, &str); 4] = [
        (200, "<html>Welcome to the shop's WiFi</html>"),
        (302, "<html>Moved</html>"),
        (401, "<html>Log in</html>"),
        (511, "<html>Network authentication required</html>"),
    ];
    let identity = Identity::new();
    let stage = Arc::new(AtomicUsize::new(0));
    let at_stage = stage.clone();
    let server = Server::start(&identity, move |request| {
        match portals.get(at_stage.load(Ordering::Relaxed)) {
            Some((302, page)) => (
                302,
                vec![("Location", "http://portal.example/".to_owned())],
                json!(page),
            ),
            Some((code, page)) => (*code, vec![], json!(page)),
            None => accepted(request),
        }
    });
    let machine = machine(&server.url(), &identity.pin, "");
    let texts = numbered(20);
    log(&machine, "INFO", &texts);
    let agent = machine.spawn();
    for (index, (code, _)) in portals.iter().enumerate() {
        stage.store(index, Ordering::Relaxed);
        let before = server.requests().len();
        wait_for("a try after the portal changed", || {
            server.requests().len() > before + 1
        });
        let status = wifi_status(&machine);
        assert_eq!(status["reachability"], "no_answer", "{code}: {status}");
        assert_eq!(
            (&status["put_aside"], &status["bulk_cursor"]),
            (&0.into(), &0.into())
        );
    }
    stage.store(portals.len(), Ordering::Relaxed);
    wait_for("the delivery", || {
        wifi_status(&machine)["bulk_cursor"].as_u64() >= Some(20)
    });
    let status = wifi_status(&machine);
    assert_eq!(status["reachability"], "reachable");
    assert!(status["reachability_since"].is_string() && status["last_error"].is_null());
    assert_eq!(agent.terminate().0, Some(0));
    assert!(!machine.state().join("put-aside.ndjson").exists());
    let all: BTreeSet<String> = server.messages().into_iter().collect();
    assert_eq!(all.len(), texts.len());

    let other = Server::start(&Identity::new(), accepted);
    configure(&machine, &other.url(), &identity.pin, "");
    let agent = machine.spawn();
    wait_for("the wrong certificate", || {
        let error = wifi_status(&machine)["last_error"]["text"].to_string();
        error.contains("is not the pinned one")
    });
    assert_eq!(wifi_status(&machine)["reachability"], "no_answer");
    assert!(other.requests().is_empty());
    assert_eq!(agent.terminate().0, Some(0));
}

#[test]
fn without_a_route_nothing_is_tried_and_a_route_that_comes_up_is_used_at_once() {
    // In a network of its own thread's, where the only route to the server comes and goes.
    let test = std::thread::spawn(|| {
        // SAFETY: it only changes what network this thread and its children see.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            let error = io::Error::last_os_error();
            eprintln!("NOT SHOWN: a network of one's own needs root ({error})");
            return;
        }
        lose_and_find_the_route();
    });
    test.join().unwrap();
}

fn lose_and_find_the_route() {
    ip(&["link", "set", "lo", "up"]);
    let identity = Identity::new();
    let server = Server::start_on("0.0.0.0:0".parse().unwrap(), &identity, accepted);
    let url = format!("https://{AWAY}:{}", server.address().port());
    let machine = machine(&url, &identity.pin, "");
    log(&machine, "ERROR", &["one".to_owned()]);
    let agent = machine.spawn();
    wait_for("the state", || {
        wifi_status(&machine)["reachability"] == "no_route"
    });
    let error = wifi_status(&machine)["last_error"]["text"].to_string();
    assert!(error.contains("no route to the server"), "{error}");
    // Long enough for a backoff to have grown beyond what is allowed below.
    let (before, watched) = (wakes(agent.pid()), Duration::from_secs(8));
    std::thread::sleep(watched);
    let wakes = wakes(agent.pid()) - before;
    assert!(
        wakes < 20,
        "{wakes} times awake in {watched:?} without a route"
    );
    assert!(server.requests().is_empty());

    let took = [(); 2].map(|()| {
        let before = server.messages().len();
        ip(&["route", "add", "local", AWAY, "dev", "lo"]);
        let start = Instant::now();
        wait_for("an entry", || server.messages().len() > before);
        let took = start.elapsed();
        assert!(took < TRIED_AT_ONCE, "{took:?}");
        wait_for("that it is known to be delivered", || {
            wifi_status(&machine)["last_error"].is_null()
        });
        ip(&["route", "del", "local", AWAY, "dev", "lo"]);
        std::thread::sleep(Duration::from_secs(1));
        log(&machine, "ERROR", &["two".to_owned()]);
        std::thread::sleep(Duration::from_secs(2));
        took
    });
    agent.kill();
    println!(
        "no route: awake {wakes} times in {watched:?}; back after {took:?}, {} requests",
        server.requests().len()
    );
}

/// How often the agent's main thread has rested, and so has been woken.
fn wakes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

/// Changes the network that this thread sees.
fn ip(words: &[&str]) {
    let status = Command::new("ip").args(words).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "ip {words:?}; `cargo xtask test` installs iproute2"
    );
}

#[test]
fn one_bad_entry_in_500_with_413_401_429_and_a_kill_leaves_499_stored_and_one_aside_once() {
    let identity = Identity::new();
    let tries = AtomicUsize::new(0);
    let stored: Arc<Mutex<BTreeSet<u64>>> = Arc::default();
    let stores = stored.clone();
    let server = Server::start(&identity, move |request| {
        let said = |code: u16, word: &str| (code, vec![], json!({"code": word, "message": word}));
        if request.headers["authorization"] != "Bearer vl_new_key" {
            return said(401, "unknown_key");
        }
        if request.path != "/api/logs" {
            return accepted(request);
        }
        if tries.fetch_add(1, Ordering::Relaxed) % 6 == 3 {
            let wait = vec![("Retry-After", "1".to_owned())];
            return (429, wait, json!({"code": "busy", "message": "slower"}));
        }
        let is_bad = |text: &String| text == "entry 123";
        if request.messages().iter().any(is_bad) {
            return said(413, "too_large");
        }
        let entries = request.body["logs"].as_array().unwrap().iter();
        // The agent tells of the refusals, too.
        let logged = entries.filter(|entry| entry["component"] != "agent");
        let seqs = logged.map(|entry| entry["seq"].as_u64().unwrap());
        stores.lock().unwrap().extend(seqs);
        accepted(request)
    });
    let machine = machine(&server.url(), &identity.pin, "");
    log(&machine, "INFO", &numbered(500));
    let start = Instant::now();
    let agent = machine.spawn();
    wait_for("the refused key to be said", || {
        wifi_status(&machine)["reachability"] == "refused"
    });
    let key = machine.dir.path().join("key");
    std::fs::write(key, "vl_new_key").unwrap();
    let aside = machine.state().join("put-aside.ndjson");
    wait_for("the bad one aside", || aside.exists());
    agent.kill();
    let agent = machine.spawn();
    wait_for("everything judged", || {
        wifi_status(&machine)["bulk_cursor"].as_u64() >= Some(500)
    });
    let took = start.elapsed();
    let status = wifi_status(&machine);
    assert_eq!(agent.terminate().0, Some(0));
    let aside = json_lines(&aside);
    assert_eq!(aside.len(), 1, "put aside once: {aside:?}");
    assert_eq!(
        (&aside[0]["entry"]["message"], &aside[0]["code"]),
        (&"entry 123".into(), &"too_large".into())
    );
    assert_eq!(status["put_aside"], 1, "shown once");
    let stored = stored.lock().unwrap();
    assert_eq!(stored.len(), 499);
    assert!(took < DEADLINE, "{took:?}");
    println!(
        "poison: {} of 500 stored in {:.1} s and {} requests, 1 aside over a kill",
        stored.len(),
        took.as_secs_f64(),
        server.requests().len()
    );
}
