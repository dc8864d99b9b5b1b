//! The real agent on a machine whose clock is wrong at boot, years ahead, set back in the middle of a
//! batch, or in the hour that comes twice: the order is that of (epoch, seq), and no time that was
//! offered ever changes.

#[path = "support/fake_clock.rs"]
mod fake_clock;
#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake_clock::FakeClock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::{Identity, Server, accepted};
use support::{Agent, Machine, json_lines, wait_for};

/// How far a repaired time may be from the true one: a second for the test's own slowness.
const EXACT: SignedDuration = SignedDuration::from_secs(1);
/// Longer than it takes to read, spool and send an entry that does not wait.
const WOULD_BE_SENT: Duration = Duration::from_secs(3);

fn machine(server: &Server, identity: &Identity, clock: &FakeClock, more: &str) -> Machine {
    let machine = Machine::new("");
    let key = machine.dir.path().join("key");
    std::fs::write(&key, "vl_test_key\n").unwrap();
    machine.configure(&format!(
        "[wifi]\nurl = \"{}\"\npin = \"{}\"\napi_key_file = \"{}\"\nmode = \"continuous\"\n\
         [heartbeat]\ninterval_s = 1\n{}",
        server.url(),
        identity.pin,
        key.display(),
        clock.section(more)
    ));
    machine
}

/// Logs as the application does; answers the true time.
fn log(machine: &Machine, stamp: &str, level: &str, message: &str) -> Timestamp {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(machine.log())
        .unwrap();
    writeln!(file, "{stamp} - __main__ - {level} - {message}").unwrap();
    Timestamp::now()
}

/// What the server was offered of each seq: message, time, clock. An entry that was offered more
/// than once must have been the same each time.
fn offered(server: &Server) -> BTreeMap<u64, (String, Timestamp, String)> {
    let mut offered = BTreeMap::new();
    for request in server.requests() {
        for entry in request.body["logs"].as_array().into_iter().flatten() {
            let told = told(entry);
            let before = offered.insert(entry["seq"].as_u64().unwrap(), told.clone());
            assert!(
                before.is_none_or(|before| before == told),
                "a time that was offered changed: {entry}"
            );
        }
    }
    offered
}

fn told(entry: &Value) -> (String, Timestamp, String) {
    (
        entry["message"].as_str().unwrap().to_owned(),
        entry["timestamp"].as_str().unwrap().parse().unwrap(),
        entry["clock"].as_str().unwrap_or("synced").to_owned(),
    )
}

fn is_near(at: Timestamp, truth: Timestamp) -> bool {
    at.duration_since(truth).abs() <= EXACT
}

#[test]
fn what_a_machine_logged_in_1970_gets_its_true_time_when_the_clock_is_set_and_no_offered_time_changes()
 {
    let identity = Identity::new();
    let is_busy = Arc::new(AtomicBool::new(false));
    let busy = is_busy.clone();
    let server = Server::start(&identity, move |request| {
        match request.path == "/api/logs" && busy.load(Ordering::Relaxed) {
            true => (503, vec![], json!({"code": "busy", "message": "later"})),
            false => accepted(request),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let mut clock = FakeClock::new(dir.path(), FakeClock::until("1970-01-01T00:00:10Z"));
    let more = "wait_s = 60\nserver_time = false";
    let machine = machine(&server, &identity, &clock, more);
    let agent = Agent::of(clock.spawn(&machine.config_path(), Some(10)));
    let mut truth = Vec::new();
    let mut say = |clock: &FakeClock, level: &str, message: &str| {
        truth.push(log(&machine, &clock.stamp(), level, message));
    };
    say(&clock, "INFO", "one");
    say(&clock, "INFO", "two");
    say(&clock, "ERROR", "three");
    wait_for("the grave one", || server.messages() == ["three"]);
    std::thread::sleep(WOULD_BE_SENT);
    assert_eq!(
        server.messages(),
        ["three"],
        "the others wait for the clock"
    );
    let (_, at, state) = offered(&server)[&3].clone();
    assert_eq!(state, "unsynced");
    assert!(is_near(at, clock.now() - WOULD_BE_SENT), "{at} is in 1970");

    is_busy.store(true, Ordering::Relaxed);
    say(&clock, "INFO", "four");
    let stamped_before = clock.stamp();
    clock.set_right();
    truth.push(log(&machine, &stamped_before, "INFO", "five"));
    wait_for("the repaired ones offered, and refused", || {
        offered(&server).len() >= 5
    });
    agent.kill();
    // The kernel ends the agent itself a moment after what started it.
    let lock = File::open(machine.state().join("lock")).unwrap();
    wait_for("the agent's end", || lock.try_lock().is_ok());
    drop(lock);
    let mut say = |clock: &FakeClock, level: &str, message: &str| {
        truth.push(log(&machine, &clock.stamp(), level, message));
    };
    // It starts again in the same boot, and the clock is moved a little meanwhile.
    clock.step(SignedDuration::from_secs(3));
    is_busy.store(false, Ordering::Relaxed);
    let agent = Agent::of(clock.spawn(&machine.config_path(), Some(30)));
    say(&clock, "INFO", "six");
    wait_for("all of them", || {
        server.messages().contains(&"six".to_owned())
    });
    drop(agent);
    let offered = offered(&server);
    let words: Vec<&str> = offered
        .values()
        .map(|(_, _, clock)| clock.as_str())
        .collect();
    assert_eq!(
        words,
        [
            "repaired", "repaired", "unsynced", "repaired", "repaired", "synced"
        ]
    );
    let messages: Vec<&str> = offered.values().map(|(text, _, _)| text.as_str()).collect();
    assert_eq!(messages, ["one", "two", "three", "four", "five", "six"]);
    for (seq, (text, at, _)) in offered.iter().filter(|(seq, _)| ![3, 6].contains(*seq)) {
        let truth = truth[*seq as usize - 1];
        assert!(is_near(*at, truth), "{text}: {at}, truly {truth}");
    }
    let local = json_lines(&machine.local());
    let local: Vec<&str> = local
        .iter()
        .map(|entry| entry["clock"].as_str().unwrap_or("synced"))
        .collect();
    assert_eq!(
        local[..3],
        ["unsynced"; 3],
        "what was known when it was written"
    );
    assert_eq!((local.len(), local[5]), (6, "synced"));
    println!(
        "1970 at boot: 6 entries, 1 told unsynced, 4 repaired to within {EXACT:#}, 0 offered times \
         changed over a restart"
    );
}

#[test]
fn ten_years_ahead_and_steps_back_in_the_middle_of_a_batch_leave_the_order_of_the_seqs() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let dir = tempfile::tempdir().unwrap();
    let ten_years = SignedDuration::from_hours(24 * 3653);
    let mut clock = FakeClock::new(dir.path(), ten_years);
    let machine = machine(
        &server,
        &identity,
        &clock,
        "wait_s = 0\nserver_time = false",
    );
    let agent = Agent::of(clock.spawn(&machine.config_path(), None));
    let mut expected = Vec::new();
    let mut say = |clock: &FakeClock, count: usize| {
        for _ in 0..count {
            let text = format!("entry {}", expected.len());
            log(&machine, &clock.stamp(), "INFO", &text);
            expected.push(text);
        }
    };
    say(&clock, 200);
    wait_for("the first", || offered(&server).len() == 200);
    say(&clock, 100);
    clock.set_right();
    say(&clock, 100);
    // Technicians and daemons set clocks back, by much and by little.
    for back in [3600, 1, 86_400 * 40] {
        clock.step(SignedDuration::from_secs(-back));
        say(&clock, 100);
    }
    wait_for("all of them", || offered(&server).len() == expected.len());
    assert_eq!(agent.terminate().0, Some(0));
    let offered = offered(&server);
    let messages: Vec<&String> = offered.values().map(|(text, _, _)| text).collect();
    assert_eq!(messages, expected.iter().collect::<Vec<_>>());
    let count = |word: &str| offered.values().filter(|told| told.2 == word).count();
    let (unset, repaired) = (count("unsynced"), count("repaired"));
    assert!(unset >= 200, "they were told before the clock was set");
    let is_now = |at: &Timestamp| at.duration_since(Timestamp::now()).as_hours().abs() < 24 * 50;
    let ahead = offered.values().filter(|told| !is_now(&told.1)).count();
    assert_eq!(
        ahead, unset,
        "what was not told yet is not ten years ahead any more"
    );
    println!(
        "+10 years, 3 steps back: {} entries in the order of their seqs, {unset} told unsynced, \
         {repaired} repaired",
        offered.len()
    );
}

#[test]
fn where_no_time_source_is_heard_the_servers_clock_repairs_what_is_a_day_wrong() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::new(dir.path(), SignedDuration::from_hours(-30));
    let machine = machine(&server, &identity, &clock, "wait_s = 60");
    let agent = Agent::of(clock.spawn(&machine.config_path(), Some(20)));
    let mut truth = vec![log(&machine, &clock.stamp(), "INFO", "waits")];
    wait_for("the first", || server.messages() == ["waits"]);
    truth.push(log(&machine, &clock.stamp(), "ERROR", "later"));
    wait_for("the second", || server.messages() == ["waits", "later"]);
    drop(agent);
    for ((text, at, state), truth) in offered(&server).values().zip(truth) {
        assert_eq!(state, "repaired", "{text}");
        assert!(is_near(*at, truth), "{text}: {at}, truly {truth}");
    }
    let heartbeats = server.requests();
    let mut heartbeats = heartbeats.iter().filter(|r| r.path == "/api/heartbeat");
    let last = heartbeats.next_back().unwrap().body.clone();
    let offset_ms = last["clock_offset_ms"].as_i64().unwrap();
    assert!((offset_ms - 30 * 3_600_000).abs() < 2_000, "{offset_ms}");
    assert_eq!(
        last["clock"], "unsynced",
        "the clock itself is as wrong as before"
    );
    assert_eq!(last["reachability"], "reachable");
}

#[test]
fn in_the_hour_that_comes_twice_entries_keep_their_order_and_never_run_backwards() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::new(dir.path(), SignedDuration::ZERO);
    let machine = machine(&server, &identity, &clock, "wait_s = 0");
    let mut minutes: Vec<String> = Vec::new();
    for (hour, _pass) in [(0, 1), (1, 1), (1, 2), (2, 1)] {
        minutes.extend((0..60).map(|minute| format!("2026-11-01 {hour:02}:{minute:02}:00")));
    }
    for (index, stamp) in minutes.iter().enumerate() {
        log(&machine, stamp, "INFO", &format!("minute {index}"));
    }
    let agent = Agent::of(clock.spawn(&machine.config_path(), None));
    wait_for("all of them", || offered(&server).len() == minutes.len());
    assert_eq!(agent.terminate().0, Some(0));
    let offered = offered(&server);
    let start: Timestamp = "2026-11-01T07:00:00Z".parse().unwrap();
    for (index, (text, at, _)) in offered.values().enumerate() {
        assert_eq!(text, &format!("minute {index}"));
        assert_eq!(*at, start + SignedDuration::from_mins(index as i64));
    }
    println!(
        "DST: {} minutes over the change, each at its own time",
        offered.len()
    );
}
