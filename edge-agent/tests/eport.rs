//! The real agent on a machine whose vending application brings drops to the card reader: no number
//! twice, no CRITICAL lost, whatever is killed; cell and WiFi beside each other.

#[path = "support/drops.rs"]
mod drops;
#[path = "support/fake_clock.rs"]
mod fake_clock;
#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use drops::{Cellular, Desk};
use edge_agent::eport::{EportState, Moment};
use jiff::SignedDuration;
use serde_json::{Value, json};
use server::{Identity, Server, accepted};
use support::{Agent, wait_for};
use wire::drops::Dictionary;
use wire::{Level, Micros};

/// The bound: a CRITICAL that WiFi does not take is on its way by cell.
const FALLBACK: Duration = Duration::from_secs(30);

#[test]
fn no_number_is_used_twice_and_no_critical_is_lost_when_the_agent_is_killed_at_any_moment() {
    const KILLS: u64 = 20;
    let machine = Cellular::new("send_interval_s = 1\n", "");
    let mut desk = Desk::default();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % below
    };
    let mut number = 0;
    for _ in 0..KILLS {
        let agent = machine.machine.spawn();
        let until = Instant::now() + Duration::from_millis(400 + draw(900));
        let mut client = None;
        while Instant::now() < until {
            number += 1;
            let level = ["INFO", "WARNING", "INFO", "ERROR", "CRITICAL"][(number % 5) as usize];
            machine.log(level, &format!("said {number}"));
            client = client.or_else(|| machine.try_connect());
            if let Some(connected) = &mut client
                && desk.ask(connected, || draw(4)).is_err()
            {
                client = None;
            }
            std::thread::sleep(Duration::from_millis(2 + draw(20)));
        }
        agent.kill();
    }
    let agent = machine.machine.spawn();
    let mut client = machine.connect();
    wait_for("everything is covered", || {
        // It may have been killed before the application's word reached it.
        let _ = desk.ask(&mut client, || 0);
        desk.covers_all(&machine.local())
    });
    drop(agent);
    let local = machine.local();
    let told = desk.check(&local);
    let critical: BTreeSet<u64> = drops::seqs_of(&local, "CRITICAL");
    let missing: Vec<_> = critical.difference(&told).collect();
    assert!(missing.is_empty(), "CRITICAL lost: {missing:?}");
    let errors = drops::seqs_of(&local, "ERROR");
    println!(
        "{KILLS} kills, {} drops handed out {} times: 0 numbers with two contents, {} of {} \
         CRITICAL and {} of {} ERROR there",
        desk.count(),
        desk.handed_out,
        critical.len(),
        critical.len(),
        errors.intersection(&told).count(),
        errors.len(),
    );
}

#[test]
fn a_reader_that_is_gone_for_seven_days_holds_nothing_up_and_then_importance_decides() {
    let dir = tempfile::tempdir().unwrap();
    let mut clock = fake_clock::FakeClock::new(dir.path(), SignedDuration::from_hours(-24 * 8));
    clock.set_right();
    let machine = Cellular::new(
        "send_interval_s = 2\n",
        &clock.section("server_time = false"),
    );
    let agent = Agent::of(clock.spawn(&machine.machine.config_path(), None));
    let mut written = 0;
    for day in 0..7 {
        clock.step(SignedDuration::from_hours(24 * (day - 7)));
        for number in 0..150 {
            let level = match number % 50 {
                7 => "CRITICAL",
                n if n % 10 == 3 => "ERROR",
                n if n % 3 == 0 => "WARNING",
                _ => "INFO",
            };
            let text = format!(
                "day {day}: the compressor drew {} mA on line {number}",
                number * 37
            );
            machine.log_at(&clock.stamp(), level, &text);
            written += 1;
        }
        let begun = Instant::now();
        wait_for("the day is read", || machine.local().len() >= written);
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "nobody waits for the reader"
        );
        std::thread::sleep(Duration::from_millis(1500));
    }
    clock.step(SignedDuration::ZERO);
    let mut desk = Desk::default();
    let mut client = machine.connect();
    wait_for("the first drop after the return", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.count() > 0
    });
    wait_for("everything is covered", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.covers_all(&machine.local())
    });
    assert_eq!(agent.terminate().0, Some(0));
    let local = machine.local();
    // The agent may have something to say of such a week too.
    let of_the_application = local.iter().filter(|entry| entry["component"] != "agent");
    assert_eq!(
        of_the_application.count(),
        written,
        "none was lost on the way in"
    );
    let told = desk.check(&local);
    let critical = drops::seqs_of(&local, "CRITICAL");
    assert!(
        critical.is_subset(&told),
        "{:?}",
        critical.difference(&told)
    );
    let first = desk.first_drop();
    let header = first.header.unwrap();
    let has = |level: Level| {
        first
            .entries
            .iter()
            .filter(|e| e.entry.level == level)
            .count() as u64
    };
    assert_eq!(
        has(Level::Critical),
        header.covers.counts.of(Level::Critical)
    );
    assert!(has(Level::Error) > 0 || header.left_out.of(Level::Critical) > 0);
    println!(
        "seven days without a reader: {written} entries read without delay; the first drop after it: \
         {} entries of {} that go by cell ({} CRITICAL, {} ERROR, {} WARN), {} left out and counted",
        first.entries.len(),
        first.entries.len() as u64 + header.left_out.total(),
        has(Level::Critical),
        has(Level::Error),
        has(Level::Warn),
        header.left_out.total(),
    );
}

fn wifi(server: &str, identity: &Identity, key: &std::path::Path) -> String {
    std::fs::write(key, "vl_test_key\n").unwrap();
    format!(
        "[clock]\nwait_s = 0\n[wifi]\nurl = \"{server}\"\npin = \"{}\"\napi_key_file = \"{}\"\n\
         mode = \"continuous\"\n[heartbeat]\ninterval_s = 1\n",
        identity.pin,
        key.display()
    )
}

/// From the log to a drop that has the entry, on a machine with this WiFi.
fn time_to_drop(machine: &Cellular, before: impl FnOnce()) -> Duration {
    let agent = machine.machine.spawn();
    let mut client = machine.connect();
    let mut desk = Desk::default();
    wait_for("the first drop", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.count() > 0
    });
    before();
    let begun = Instant::now();
    machine.log("CRITICAL", "Too many consecutive errors (10). Exiting.");
    wait_for("the CRITICAL goes by cell", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.says("Too many consecutive errors")
    });
    drop(agent);
    begun.elapsed()
}

#[test]
fn a_critical_goes_by_cell_within_thirty_seconds_when_the_server_takes_no_entries() {
    let identity = Identity::new();
    let server = Server::start(&identity, |request| match request.path.as_str() {
        "/api/logs" => (503, vec![], json!({"code": "busy", "message": "later"})),
        _ => accepted(request),
    });
    let dir = tempfile::tempdir().unwrap();
    let machine = Cellular::new("", &wifi(&server.url(), &identity, &dir.path().join("key")));
    let took = time_to_drop(&machine, || {});
    assert!(took < FALLBACK, "{took:?}");
    assert!(
        took > Duration::from_secs(20),
        "WiFi had its chance: {took:?}"
    );
    println!(
        "a server that takes no entries: by cell after {:.1} s",
        took.as_secs_f64()
    );
}

#[test]
fn a_critical_goes_by_cell_at_once_when_the_server_is_known_to_be_away_or_there_is_no_wifi() {
    let machine = Cellular::new("", "");
    let took = time_to_drop(&machine, || std::thread::sleep(Duration::from_secs(6)));
    assert!(took < Duration::from_secs(5), "{took:?}");
    println!("without WiFi: by cell after {:.1} s", took.as_secs_f64());
    let identity = Identity::new();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}", listener.local_addr().unwrap())
    };
    let dir = tempfile::tempdir().unwrap();
    let machine = Cellular::new("", &wifi(&closed, &identity, &dir.path().join("key")));
    let took = time_to_drop(&machine, || std::thread::sleep(Duration::from_secs(26)));
    assert!(took < Duration::from_secs(5), "{took:?}");
    println!(
        "a server known to be away: by cell after {:.1} s",
        took.as_secs_f64()
    );
}

#[test]
fn wifi_and_cell_take_turns_and_nothing_is_lost_or_said_without_need() {
    let identity = Identity::new();
    let is_away = Arc::new(AtomicBool::new(false));
    let away = is_away.clone();
    let server = Server::start(&identity, move |request| {
        match away.load(Ordering::Relaxed) {
            true => (503, vec![], json!({"code": "busy", "message": "later"})),
            false => accepted(request),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let config = wifi(&server.url(), &identity, &dir.path().join("key"));
    let machine = Cellular::new("send_interval_s = 3\n", &config);
    let agent = machine.machine.spawn();
    let mut client = machine.connect();
    let mut desk = Desk::default();
    wait_for("the first drop", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.count() == 1
    });
    let say = |from: usize| {
        (from..from + 10).for_each(|n| machine.log("WARNING", &format!("warned {n:02}")));
    };
    say(0);
    wait_for("WiFi has them", || server.messages().len() == 10);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        desk.ask(&mut client, || 0).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(desk.count(), 1, "cell stands by");
    let state = cell_state(&server);
    assert_eq!(state, "standby");
    is_away.store(true, Ordering::Relaxed);
    say(10);
    wait_for("cell has them", || {
        desk.ask(&mut client, || 0).unwrap();
        (10..20).all(|n| desk.says(&format!("warned {n:02}")))
    });
    assert!(
        (0..10).all(|n| !desk.says(&format!("warned {n:02}"))),
        "WiFi had those"
    );
    is_away.store(false, Ordering::Relaxed);
    say(20);
    wait_for("WiFi has all", || {
        let got: BTreeSet<String> = server.messages().into_iter().collect();
        (0..30).all(|n| got.contains(&format!("warned {n:02}")))
    });
    wait_for("cell stands by again", || {
        desk.ask(&mut client, || 0).unwrap();
        cell_state(&server) == "standby"
    });
    let (code, out, _) = machine.machine.command("status");
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &status["eport"]["mode"]),
        (Some(0), &"handoff".into())
    );
    assert!(
        status["eport"]["last_number"].as_u64() >= Some(2),
        "{status}"
    );
    let (_, text, _) = machine.machine.command_with("status", &["--text"]);
    assert!(text.contains("cellular data"), "{text}");
    drop(agent);
}

fn cell_state(server: &Server) -> String {
    let requests = server.requests();
    let mut beats = requests
        .iter()
        .filter(|request| request.path == "/api/heartbeat");
    let state = beats
        .next_back()
        .map(|beat| beat.body["cell"]["state"].clone());
    state
        .and_then(|state| state.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[test]
fn the_day_is_summed_up_in_an_entry_that_goes_with_the_next_drop() {
    let machine = Cellular::new("send_interval_s = 1\n", "");
    let agent = machine.machine.spawn();
    let sale = |number: u32| {
        format!("Transaction complete: 1 items, $0.8{number} (tax: $0.00, total: $0.8{number})")
    };
    (0..3).for_each(|number| machine.log("INFO", &sale(number)));
    machine.log("ERROR", "Error controlling motor (error 1/5): stuck");
    wait_for("they are read", || machine.local().len() == 4);
    let mut client = machine.connect();
    let mut desk = Desk::default();
    wait_for("they are covered", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.covers_all(&machine.local())
    });
    assert_eq!(agent.terminate().0, Some(0));
    // The machine was off for two days.
    let path = machine.machine.state().join("eport");
    let epoch = machine.local()[0]["epoch"].as_u64().unwrap();
    let mut state = EportState::load(&path, epoch);
    assert_eq!((state.day.sales, state.day.amount_cents), (3, 243));
    let two_days_ago = support::now().0 - 2 * 86_400_000_000;
    state.day.began = Some(Moment {
        boot: 1,
        since_boot_us: 5,
        at: Micros(two_days_ago),
        is_known: true,
    });
    state.save(&path).unwrap();
    let agent = machine.machine.spawn();
    let mut client = machine.connect();
    wait_for("the summary", || {
        desk.ask(&mut client, || 0).unwrap();
        desk.says("daily summary: 3 sales, 2.43 in all; 1 errors (motor 1)")
    });
    let all = desk.entries();
    let summary = all
        .iter()
        .find(|entry| entry.context.get("event") == Some(&"daily_summary".into()));
    let summary = summary.unwrap();
    assert_eq!(
        (summary.level, summary.component.as_str()),
        (Level::Info, "agent")
    );
    assert!(
        summary.seq == Some(5) && summary.context["sales"] == 3,
        "{summary:?}"
    );
    let sales = all
        .iter()
        .filter(|entry| entry.message.contains("Transaction complete"));
    assert_eq!(sales.count(), 0, "INFO stays on the machine otherwise");
    drop(agent);
}

#[test]
fn a_dictionary_comes_with_a_heartbeats_answer_and_a_broken_one_does_no_harm() {
    use base64::Engine as _;
    use wire::drops::dictionary::{Sample, TrainLimits, train};
    let samples = (0..500).map(|n| {
        let line = json!({"machine_id": "VM001", "timestamp": "2026-01-22T14:30:15Z", "level": "ERROR", "component": "pump",
            "message": format!("The pump of line {n} drew {} mA for too long", n * 7)});
        Sample::from_json(&line.to_string()).unwrap()
    });
    let trained = train(samples, &TrainLimits::default());
    let data = base64::engine::general_purpose::STANDARD.encode(trained.to_bytes());
    let id = trained.id().to_string();
    let offered = json!({"id": id, "data": data});
    let broken = json!({"id": "00000001", "data": data});
    let identity = Identity::new();
    let is_broken = Arc::new(AtomicBool::new(true));
    let which = is_broken.clone();
    let server = Server::start(&identity, move |request| {
        let (status, headers, mut body) = accepted(request);
        if request.path == "/api/heartbeat" {
            let is_broken = which.load(Ordering::Relaxed);
            body["dictionary"] = if is_broken {
                broken.clone()
            } else {
                offered.clone()
            };
        }
        (status, headers, body)
    });
    let dir = tempfile::tempdir().unwrap();
    let config = wifi(&server.url(), &identity, &dir.path().join("key"));
    let machine = Cellular::new("", &config);
    let agent = machine.machine.spawn();
    let in_use = || {
        let requests = server.requests();
        let mut beats = requests
            .iter()
            .filter(|request| request.path == "/api/heartbeat");
        beats
            .next_back()
            .map(|beat| beat.body["dictionary"].clone())
    };
    let shipped = Value::from(Dictionary::shipped().id().to_string());
    wait_for("two answers were refused", || {
        let beats = server.requests();
        beats
            .iter()
            .filter(|request| request.path == "/api/heartbeat")
            .count()
            > 2
    });
    assert_eq!(in_use(), Some(shipped));
    is_broken.store(false, Ordering::Relaxed);
    wait_for("it is in use", || in_use() == Some(id.clone().into()));
    agent.kill();
    let (_, out, _) = machine.machine.command("status");
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status["eport"]["dictionary"], id, "it outlives a restart");
}
