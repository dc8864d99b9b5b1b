//! The real agent against a real HTTPS server that is kind, slow, full, forgetful or wrong.

#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use server::{Identity, Request, Server, accepted};
use support::{Machine, json_lines, wait_for};

const CONTINUOUS: &str = "mode = \"continuous\"";
/// Nothing but the first send comes by itself.
const RARELY: &str = "mode = \"interval\"\nsend_interval_s = 86400";

fn machine(server: &Server, pin: &str, more: &str) -> Machine {
    machine_at(&server.url(), &format!("pin = \"{pin}\"\n{more}"))
}

fn machine_at(url: &str, more: &str) -> Machine {
    let machine = Machine::new("");
    let key = machine.dir.path().join("key");
    std::fs::write(&key, "vl_test_key\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key = key.display();
    machine.configure(&format!(
        "[wifi]\nurl = \"{url}\"\napi_key_file = \"{key}\"\n{more}"
    ));
    machine
}

fn log(machine: &Machine, level: &str, messages: &[&str]) {
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

fn status(machine: &Machine) -> Value {
    let (code, out, said) = machine.command("status");
    assert_eq!(code, Some(0), "{said}");
    serde_json::from_str(&out).unwrap()
}

fn refused(code: u16, why: &str) -> server::Answer {
    (code, vec![], json!({"code": "no", "message": why}))
}

#[test]
fn entries_arrive_once_with_the_key_and_their_numbers_and_a_heartbeat_comes_at_once() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    log(&machine, "INFO", &["one", "two"]);
    let agent = machine.spawn();
    wait_for("both", || server.messages().len() == 2);
    log(&machine, "ERROR", &["three"]);
    wait_for("three", || server.messages().contains(&"three".to_owned()));
    wait_for("the heartbeat", || {
        server.requests().iter().any(|r| r.path == "/api/heartbeat")
    });
    assert_eq!(agent.terminate().0, Some(0));
    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|r| r.headers["authorization"] == "Bearer vl_test_key")
    );
    let batches: Vec<&Request> = requests.iter().filter(|r| r.path == "/api/logs").collect();
    assert!(
        batches
            .iter()
            .all(|r| r.headers["content-encoding"] == "zstd")
    );
    assert_eq!(batches[0].body["machine_id"], "VM001");
    assert_eq!(batches[0].body["epoch"], status(&machine)["epoch"]);
    assert_eq!(batches[0].body["logs"][0]["seq"], 1);
    let heartbeat = &requests
        .iter()
        .find(|r| r.path == "/api/heartbeat")
        .unwrap()
        .body;
    assert!(heartbeat["uptime_s"].as_u64().unwrap() > 0);
    assert!(heartbeat["memory_available_bytes"].as_u64().unwrap() > 0);
    assert!(heartbeat["disk_free_bytes"].as_u64().unwrap() > 0);
    assert_eq!(heartbeat["machine_id"], "VM001");

    let agent = machine.spawn();
    log(&machine, "INFO", &["four"]);
    wait_for("four", || server.messages().contains(&"four".to_owned()));
    assert_eq!(agent.terminate().0, Some(0));
    let messages = server.messages();
    let once: BTreeSet<&String> = messages.iter().collect();
    assert_eq!(
        once.len(),
        messages.len(),
        "nothing is sent twice: {messages:?}"
    );
    let status = status(&machine);
    assert_eq!(
        (&status["wifi"]["bulk_cursor"], &status["spool"]["entries"]),
        (&4.into(), &0.into())
    );
    assert!(status["wifi"]["last_delivery"].is_string() && status["wifi"]["last_error"].is_null());
}

#[test]
fn in_interval_mode_grave_entries_go_at_once_and_the_end_takes_the_rest_along() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let more = format!("{RARELY}\nlevels = [\"CRITICAL\", \"ERROR\", \"INFO\"]");
    let machine = machine(&server, &identity.pin, &more);
    log(&machine, "INFO", &["first"]);
    let agent = machine.spawn();
    wait_for("the heartbeat", || !server.requests().is_empty());
    // The first bulk send is over now; whatever it did not find waits for a day.
    std::thread::sleep(Duration::from_secs(2));
    log(&machine, "INFO", &["light"]);
    log(&machine, "WARNING", &["not wanted"]);
    log(&machine, "ERROR", &["grave"]);
    wait_for("grave", || server.messages().contains(&"grave".to_owned()));
    assert!(!server.messages().contains(&"light".to_owned()));
    assert_eq!(agent.terminate().0, Some(0));
    let mut messages = server.messages();
    messages.sort();
    assert_eq!(
        messages,
        ["first", "grave", "light"],
        "each once, and no WARN"
    );
}

#[test]
fn a_batch_that_is_refused_is_halved_until_the_bad_entry_stands_aside() {
    let identity = Identity::new();
    let server = Server::start(&identity, |request| {
        if request
            .messages()
            .iter()
            .any(|message| message.contains("poison"))
        {
            return refused(413, "too large");
        }
        accepted(request)
    });
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    let texts: Vec<String> = (0..499).map(|number| format!("entry {number}")).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.insert(123, "poison");
    log(&machine, "INFO", &texts);
    let agent = machine.spawn();
    wait_for("everything judged", || {
        status(&machine)["wifi"]["bulk_cursor"].as_u64() >= Some(500)
    });
    assert_eq!(agent.terminate().0, Some(0));
    let delivered: BTreeSet<String> = server
        .requests()
        .iter()
        .map(Request::messages)
        .filter(|messages| !messages.iter().any(|message| message.contains("poison")))
        .flatten()
        .collect();
    assert_eq!(delivered.len(), 499);
    let aside = json_lines(&machine.state().join("put-aside.ndjson"));
    assert_eq!(aside.len(), 1);
    assert_eq!(
        (&aside[0]["entry"]["message"], &aside[0]["code"]),
        (&"poison".into(), &"no".into())
    );
    assert_eq!(status(&machine)["wifi"]["put_aside"], 1);
}

#[test]
fn what_refuses_everything_in_foreign_words_costs_no_entry_and_one_bad_entry_still_goes() {
    let identity = Identity::new();
    let is_in_the_way = Arc::new(AtomicBool::new(true));
    let in_the_way = is_in_the_way.clone();
    let server = Server::start(&identity, move |request| {
        let has_poison = request.messages().iter().any(|text| text == "poison");
        match in_the_way.load(Ordering::Relaxed) || has_poison {
            true => (400, vec![], json!("<html>400 Bad Request</html>")),
            false => accepted(request),
        }
    });
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    log(&machine, "INFO", &["one", "poison", "two"]);
    let agent = machine.spawn();
    wait_for("the reason", || {
        status(&machine)["wifi"]["last_error"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("not by the server itself"))
    });
    assert_eq!(status(&machine)["wifi"]["put_aside"], 0);
    is_in_the_way.store(false, Ordering::Relaxed);
    wait_for("everything judged", || {
        status(&machine)["wifi"]["bulk_cursor"].as_u64() >= Some(3)
    });
    assert_eq!(agent.terminate().0, Some(0));
    assert_eq!(status(&machine)["wifi"]["put_aside"], 1);
    let aside = json_lines(&machine.state().join("put-aside.ndjson"));
    assert_eq!(aside[0]["entry"]["message"], "poison");
}

#[test]
fn an_entry_rejected_in_a_good_answer_is_put_aside() {
    let identity = Identity::new();
    let server = Server::start(&identity, |request| {
        let bad = request
            .messages()
            .iter()
            .position(|message| message == "bad");
        let rejected: Vec<Value> = bad
            .map(|index| json!({"index": index, "code": "bad_timestamp", "message": "cannot be read"}))
            .into_iter()
            .collect();
        match request.path.as_str() {
            "/api/logs" => (
                200,
                vec![],
                json!({"accepted": 0, "duplicates": 0, "rejected": rejected}),
            ),
            _ => accepted(request),
        }
    });
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    log(&machine, "INFO", &["good", "bad", "good too"]);
    let agent = machine.spawn();
    wait_for("everything judged", || {
        status(&machine)["wifi"]["bulk_cursor"].as_u64() >= Some(3)
    });
    assert_eq!(agent.terminate().0, Some(0));
    let aside = json_lines(&machine.state().join("put-aside.ndjson"));
    assert_eq!(aside.len(), 1);
    assert_eq!(
        (&aside[0]["entry"]["seq"], &aside[0]["code"]),
        (&2.into(), &"bad_timestamp".into())
    );
}

#[test]
fn a_server_that_fails_or_asks_for_time_gets_the_same_entries_later() {
    let identity = Identity::new();
    let tries = AtomicUsize::new(0);
    let server = Server::start(&identity, move |request| {
        if request.path == "/api/heartbeat" {
            return accepted(request);
        }
        match tries.fetch_add(1, Ordering::Relaxed) {
            0 => refused(503, "busy"),
            1 => (429, vec![("Retry-After", "3".to_owned())], json!({})),
            2 => (404, vec![], json!("not JSON of ours")),
            _ => accepted(request),
        }
    });
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    log(&machine, "INFO", &["one"]);
    let agent = machine.spawn();
    wait_for("the fourth try", || {
        status(&machine)["wifi"]["bulk_cursor"].as_u64() >= Some(1)
    });
    assert_eq!(agent.terminate().0, Some(0));
    let batches: Vec<Request> = server
        .requests()
        .into_iter()
        .filter(|r| r.path == "/api/logs")
        .collect();
    assert_eq!(batches.len(), 4);
    assert!(
        batches[2].at - batches[1].at >= Duration::from_secs(3),
        "Retry-After is kept"
    );
    assert!(
        !machine.state().join("put-aside.ndjson").exists(),
        "a 404 is no entry's fault"
    );
}

#[test]
fn a_refused_key_is_said_and_a_new_one_is_used_without_a_restart() {
    let identity = Identity::new();
    let server = Server::start(
        &identity,
        |request| match request.headers["authorization"].as_str() {
            "Bearer vl_new_key" => accepted(request),
            _ => refused(401, "unknown key"),
        },
    );
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    log(&machine, "INFO", &["one"]);
    let agent = machine.spawn();
    wait_for("the refusal in the status", || {
        let error = status(&machine)["wifi"]["last_error"]["text"].to_string();
        error.contains("does not accept the key") && error.contains("unknown key")
    });
    std::fs::write(machine.dir.path().join("key"), "vl_new_key").unwrap();
    wait_for("the delivery", || {
        status(&machine)["wifi"]["bulk_cursor"].as_u64() >= Some(1)
    });
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0));
    assert!(
        !said.contains("vl_new_key") && !said.contains("vl_test_key"),
        "no key in the log"
    );
}

#[test]
fn a_server_that_comes_up_later_is_found() {
    let identity = Identity::new();
    let address = Server::start(&identity, accepted).address();
    let machine = machine_at(
        &format!("https://{address}"),
        &format!("pin = \"{}\"\n{CONTINUOUS}", identity.pin),
    );
    log(&machine, "CRITICAL", &["one"]);
    let agent = machine.spawn();
    wait_for("an error in the status", || {
        status(&machine)["wifi"]["last_error"].is_object()
    });
    wait_for("the local file, which does not wait", || {
        json_lines(&machine.local()).len() == 1
    });
    let server = Server::start_on(address, &identity, accepted);
    wait_for("the entry", || server.messages() == ["one"]);
    assert_eq!(agent.terminate().0, Some(0));
}

#[test]
fn a_local_file_that_cannot_be_written_does_not_stop_the_shipping() {
    let identity = Identity::new();
    let server = Server::start(&identity, accepted);
    let machine = machine(&server, &identity.pin, CONTINUOUS);
    std::fs::write(machine.dir.path().join("local"), "a file in the way").unwrap();
    log(&machine, "INFO", &["one"]);
    let agent = machine.spawn();
    wait_for("the entry", || server.messages() == ["one"]);
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0));
    assert!(said.contains("local file cannot be written"), "{said}");
}

/// What reaches the server, and the error that the status tells, when trust is in doubt.
fn distrusted(shown: &Identity, trust: &str) -> String {
    let server = Server::start(shown, accepted);
    let machine = machine_at(&server.url(), &format!("{trust}\n{CONTINUOUS}"));
    log(&machine, "CRITICAL", &["secret"]);
    let agent = machine.spawn();
    wait_for("an error in the status", || {
        status(&machine)["wifi"]["last_error"].is_object()
    });
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(agent.terminate().0, Some(0));
    assert!(server.requests().is_empty(), "not one request may pass");
    status(&machine)["wifi"]["last_error"]["text"].to_string()
}

#[test]
fn a_wrong_pin_sends_nothing_and_says_which_key_it_saw() {
    let (shown, other) = (Identity::new(), Identity::new());
    let said = distrusted(&shown, &format!("pin = \"{}\"", other.pin));
    assert!(
        said.contains("is not the pinned one") && said.contains(&shown.pin),
        "{said}"
    );
}

#[test]
fn the_right_certificate_with_another_private_key_sends_nothing() {
    let owner = Identity::new();
    let said = distrusted(
        &Identity::stolen_from(&owner),
        &format!("pin = \"{}\"", owner.pin),
    );
    assert!(
        said.contains("BadSignature") || said.contains("signature"),
        "{said}"
    );
}

#[test]
fn an_expired_certificate_sends_nothing_though_its_pin_is_right() {
    let shown = Identity::expired();
    let said = distrusted(&shown, &format!("pin = \"{}\"", shown.pin));
    assert!(said.to_lowercase().contains("expired"), "{said}");
}

#[test]
fn a_certificate_that_no_authority_signed_sends_nothing_without_a_pin() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, Identity::new().pem).unwrap();
    let said = distrusted(&Identity::new(), &format!("ca_file = \"{}\"", ca.display()));
    assert!(said.contains("certificate"), "{said}");
}

#[test]
fn a_backup_pin_and_a_file_of_authorities_are_trusted_too() {
    let (old, new) = (Identity::new(), Identity::new());
    let server = Server::start(&new, accepted);
    let backup = format!(
        "pin = \"{}\"\nbackup_pin = \"{}\"\n{CONTINUOUS}",
        old.pin, new.pin
    );
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, &new.pem).unwrap();
    let authority = format!("ca_file = \"{}\"\n{CONTINUOUS}", ca.display());
    for (count, trust) in [(1, backup), (2, authority)] {
        let machine = machine_at(&server.url(), &trust);
        log(&machine, "INFO", &["one"]);
        let agent = machine.spawn();
        wait_for("the entry", || server.messages().len() == count);
        assert_eq!(agent.terminate().0, Some(0));
    }
}
