//! The real agent and its socket: acknowledged is durable, refused is said, nothing comes twice.

mod support;

use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::client::{Client, Sender, entry};
use support::{Agent, Machine, json_lines, messages, wait_for};

/// The deadline of the protocol, and some time for a busy machine.
const IN_TIME: Duration = Duration::from_secs(4);

struct SocketMachine {
    machine: Machine,
    path: PathBuf,
}

impl SocketMachine {
    fn new(more: &str) -> SocketMachine {
        let machine = Machine::new("");
        let path = machine.dir.path().join("run/agent.sock");
        let keys = "mode = \"0600\"\npack = \"soap\"";
        machine.configure(&format!(
            "[[input]]\nkind = \"socket\"\npath = \"{}\"\n{keys}\n{more}",
            path.display()
        ));
        SocketMachine { machine, path }
    }

    fn start(&self) -> (Agent, Client) {
        let agent = self.machine.spawn();
        (agent, self.connect())
    }

    fn connect(&self) -> Client {
        wait_for("the socket", || Client::connect(&self.path).is_ok());
        Client::connect(&self.path).unwrap()
    }

    /// Ends the agent in order; the entries it has.
    fn end(&self, agent: Agent) -> Vec<Value> {
        let (code, said) = agent.terminate();
        assert_eq!(code, Some(0), "{said}");
        assert!(!self.path.exists(), "the socket is removed");
        json_lines(&self.machine.local())
    }
}

#[test]
fn an_entry_is_acknowledged_and_redacted_and_classified_as_a_files_would_be() {
    let machine = SocketMachine::new("");
    let (agent, mut client) = machine.start();
    let card = "paid with 4111 1111 1111 1111 [STATUS-7] x";
    let asked = json!({"level": "warning", "component": "pay", "message": card,
        "timestamp": "2026-01-22T14:30:15.123-08:00",
        "context": {"transaction_id": "1573124782", "email": "a@b.c", "retry": 3}});
    assert_eq!(client.ask(&asked), json!({"ok": true, "seq": 1}));
    let asked = json!({"level": "INFO", "component": "app", "message": "[STATUS-7] ready"});
    client.send(&format!("{asked}\n")).unwrap();
    assert_eq!(
        client.ask(&json!({"cmd": "sync"}))["seq"],
        2,
        "answers come in order"
    );
    assert_eq!(client.answer().unwrap(), json!({"ok": true}));
    let status = client.ask(&json!({"cmd": "status"}));
    assert_eq!(status["status"]["last_seq"], 2, "{status}");
    assert_eq!(status["status"]["accepting"], "yes");

    let entries = machine.end(agent);
    assert_eq!(entries[0]["timestamp"], "2026-01-22T22:30:15.123Z");
    assert_eq!(
        (&entries[0]["level"], &entries[0]["component"]),
        (&"WARN".into(), &"pay".into())
    );
    let text = entries[0].to_string();
    for secret in ["4111 1111", "1573124782", "a@b.c"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(entries[0]["context"]["retry"], 3);
    assert_eq!(
        (&entries[1]["level"], &entries[1]["component"]),
        (&"DEBUG".into(), &"eport".into())
    );
}

#[test]
fn what_cannot_be_stored_is_refused_with_its_reason_and_the_connection_goes_on() {
    let machine = SocketMachine::new("");
    let (agent, mut client) = machine.start();
    let long = "x".repeat(70_000);
    let longer = "y".repeat(300_000);
    for (line, code) in [
        ("{", "bad_entry"),
        ("[]", "bad_entry"),
        (r#"{"level":"INFO","message":"m"}"#, "bad_entry"),
        (
            r#"{"level":"INFO","component":"a","message":"m","n":1}"#,
            "bad_entry",
        ),
        (r#"{"cmd":"next_drop"}"#, "no_handoff"),
        (&entry(&long).to_string(), "too_large"),
        (&entry(&longer).to_string(), "too_large"),
    ] {
        client.send(&format!("{line}\n")).unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(
            (&answer["ok"], &answer["code"]),
            (&false.into(), &code.into()),
            "{answer}"
        );
        assert_eq!(answer["retry"], false, "{answer}");
    }
    assert_eq!(client.ask(&entry("one"))["seq"], 1);
    let clients: Vec<Client> = (0..31)
        .map(|_| Client::connect(&machine.path).unwrap())
        .collect();
    let answer = Client::connect(&machine.path).unwrap().answer().unwrap();
    assert_eq!(answer["code"], "too_many_connections");
    drop(clients);
    wait_for("room for another", || {
        let mut client = Client::connect(&machine.path).unwrap();
        client.send("{\"cmd\":\"status\"}\n").is_ok()
            && client.answer().is_ok_and(|answer| answer["ok"] == true)
    });
    let entries = own_excluded(machine.end(agent));
    assert_eq!(messages(&entries), ["one"]);
}

#[test]
fn many_entries_are_answered_in_order_and_those_of_a_client_that_went_are_kept() {
    const COUNT: usize = 5_000;
    let machine = SocketMachine::new("");
    let (agent, client) = machine.start();
    let lines = |name: &str| -> String {
        let line = |n| format!("{}\n", entry(&format!("{name} {n}")));
        (0..COUNT).map(line).collect()
    };
    let answers = client.ask_all(lines("asked"), COUNT);
    let seqs: Vec<u64> = answers.iter().map(|a| a["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=COUNT as u64).collect::<Vec<_>>());
    // Gone without having read one answer.
    let mut gone = machine.connect();
    gone.send(&lines("gone")).unwrap();
    drop(gone);
    wait_for("all entries", || json_lines_so_far(&machine) >= 2 * COUNT);
    let entries = own_excluded(machine.end(agent));
    let expected: Vec<String> = ["asked", "gone"]
        .iter()
        .flat_map(|name| (0..COUNT).map(move |n| format!("{name} {n}")))
        .collect();
    assert!(messages(&entries) == expected, "{} entries", entries.len());
}

#[test]
fn numbered_entries_come_once_and_in_order_though_the_agent_is_killed_again_and_again() {
    const KILLS: u64 = 15;
    let machine = SocketMachine::new("");
    let path = machine.path.clone();
    let (stop, stopped) = std::sync::mpsc::channel();
    let sending = std::thread::spawn(move || {
        let mut sender = Sender::new(&path, "a5b2c7d90e1f4a33");
        let mut expected = Vec::new();
        while stopped.try_recv().is_err() {
            let message = format!("entry {}", expected.len());
            let mut entry = entry(&message);
            if expected.len() % 50 == 7 {
                entry["level"] = "ERROR".into();
            }
            expected.push(message);
            sender.log(entry, 300);
        }
        sender.settle(1);
        (expected, sender.connected)
    });
    let mut random = 99_u64;
    for _ in 0..KILLS {
        let agent = machine.machine.spawn();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_millis(80 + (random >> 33) % 250));
        agent.kill();
    }
    let agent = machine.machine.spawn();
    stop.send(()).unwrap();
    let (expected, connected) = sending.join().unwrap();
    let entries = own_excluded(machine.end(agent));
    let got = messages(&entries);
    let unique: BTreeSet<&String> = got.iter().collect();
    println!(
        "{KILLS} kills, {connected} connections: {} acknowledged, {} lost, {} twice",
        expected.len(),
        expected
            .iter()
            .filter(|message| !unique.contains(message))
            .count(),
        got.len() - unique.len()
    );
    assert!(connected > 5, "the kills were felt: {connected}");
    assert!(
        got == expected,
        "{} of {} entries",
        got.len(),
        expected.len()
    );
}

#[test]
fn a_number_that_is_not_the_next_one_is_refused_and_a_known_one_is_not_stored_again() {
    let machine = SocketMachine::new("");
    let (agent, mut client) = machine.start();
    let numbered = |n: u64| {
        let mut entry = entry(&format!("entry {n}"));
        entry["n"] = n.into();
        entry
    };
    let hello = |next: u64| json!({"cmd": "hello", "sender": "s-1", "next": next});
    assert_eq!(client.ask(&hello(1)), json!({"ok": true, "last": 0}));
    assert_eq!(
        client.ask(&numbered(1)),
        json!({"ok": true, "n": 1, "seq": 1})
    );
    let answer = client.ask(&numbered(3));
    assert_eq!(
        (&answer["code"], &answer["last"]),
        (&"out_of_order".into(), &1.into())
    );
    let mut wrong = numbered(2);
    wrong["message"] = 5.into();
    let answer = client.ask(&wrong);
    assert_eq!(
        (&answer["code"], &answer["n"]),
        (&"bad_entry".into(), &2.into())
    );
    assert_eq!(
        client.ask(&numbered(3))["seq"],
        2,
        "the wrong one has used up its number"
    );
    assert_eq!(
        client.ask(&numbered(3)),
        json!({"ok": true, "n": 3, "duplicate": true})
    );
    agent.kill();
    assert!(
        machine.path.exists(),
        "a killed agent leaves its socket behind"
    );

    let agent = machine.machine.spawn();
    wait_for("the socket", || Client::connect(&machine.path).is_ok());
    let mut client = machine.connect();
    assert_eq!(client.ask(&hello(2)), json!({"ok": true, "last": 3}));
    assert_eq!(client.ask(&numbered(4))["seq"], 3);
    let entries = own_excluded(machine.end(agent));
    assert_eq!(messages(&entries), ["entry 1", "entry 3", "entry 4"]);
}

#[test]
fn a_full_spool_refuses_in_time_and_takes_entries_again_when_there_is_room() {
    // Nothing can be delivered there, so nothing is removed.
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "vl_key").unwrap();
    let wifi = |enabled: bool| {
        format!(
            "[spool]\nmax_bytes = 4194304\n[wifi]\nenabled = {enabled}\n\
             url = \"https://127.0.0.1:9\"\napi_key_file = \"{}\"\n",
            key.path().display()
        )
    };
    let machine = SocketMachine::new(&wifi(true));
    let (agent, mut client) = machine.start();
    let mut stored = 0;
    let mut random = 7_u64;
    let refused = loop {
        // Such text does not become smaller by packing.
        let words = std::iter::repeat_with(|| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            format!("{:x}", random >> 8)
        });
        let text: String = words.take(2_000).collect();
        let began = Instant::now();
        client
            .send(&format!("{}\n{{\"cmd\":\"sync\"}}\n", entry(&text)))
            .unwrap();
        let answer = client.answer().unwrap();
        assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
        client.answer().unwrap();
        if answer["ok"] == false {
            break answer;
        }
        stored += 1;
    };
    println!("{stored} entries stored before the spool was full");
    assert_eq!(
        (&refused["code"], &refused["retry"]),
        (&"spool_full".into(), &true.into())
    );
    let began = Instant::now();
    assert_eq!(client.ask(&entry("again"))["code"], "spool_full");
    assert!(began.elapsed() < IN_TIME);
    assert_eq!(
        client.ask(&json!({"cmd": "status"}))["status"]["accepting"],
        "spool_full"
    );
    agent.kill();

    // Without WiFi nobody waits for the entries that the local file has.
    let text = std::fs::read_to_string(machine.machine.config_path()).unwrap();
    let text = text.replace(&wifi(true), &wifi(false));
    std::fs::write(machine.machine.config_path(), text).unwrap();
    let (agent, mut client) = machine.start();
    wait_for("room", || client.ask(&entry("after"))["ok"] == true);
    let entries = own_excluded(machine.end(agent));
    assert_eq!(entries.len(), stored + 1, "what was refused is not there");
}

#[test]
fn a_socket_that_another_program_listens_on_is_left_alone_and_taken_when_it_is_free() {
    let machine = SocketMachine::new("");
    std::fs::create_dir_all(machine.path.parent().unwrap()).unwrap();
    let other = UnixListener::bind(&machine.path).unwrap();
    std::fs::write(
        machine.machine.log(),
        "2026-01-22 14:30:15 - a - INFO - read\n",
    )
    .unwrap();
    let agent = machine.machine.spawn();
    wait_for("the file's entry", || json_lines_so_far(&machine) > 0);
    assert!(machine.path.exists(), "the file is read all the same");
    drop(other);
    wait_for("the socket", || Client::connect(&machine.path).is_ok());
    assert!(machine.connect().ask(&entry("now"))["ok"] == true);
    machine.end(agent);
}

fn json_lines_so_far(machine: &SocketMachine) -> usize {
    let text = std::fs::read_to_string(machine.machine.local()).unwrap_or_default();
    text.matches('\n').count()
}

/// Without what the agent says of itself.
fn own_excluded(mut entries: Vec<Value>) -> Vec<Value> {
    entries.retain(|entry| entry["component"] != "agent");
    entries
}
