//! An agent with a wrong pin, a wrong key, a wrong file or a wrong configuration, and a log with
//! lines that no one expects: it says so, holds what it has, and delivers it when all is well.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde_json::Value;
use tests::wait::{self, seconds};
use tests::{Agent, AgentSetup, Api, Server};

const LINE: &str = "2026-01-22 14:30:15 - __main__ - INFO - Vending machine starting\n";

struct Site {
    dir: tempfile::TempDir,
    server: Server,
    api: Api,
    setup: AgentSetup,
}

fn site(log: &str) -> Site {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&dir.path().join("server"));
    let path = dir.path().join("app.log");
    fs::write(&path, log).expect("the log");
    let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &path);
    Site {
        api: server.api(),
        dir,
        server,
        setup,
    }
}

/// Waits until the agent has said all these words in one line.
fn wait_for_words(agent: &Agent, words: &[&str]) {
    wait::until(&format!("the agent to say {words:?}"), seconds(30), || {
        let messages = agent.process.messages().to_lowercase();
        messages
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
            .then_some(())
    });
}

/// Of the application: what was wrong, the agent says itself.
fn messages(api: &Api) -> Vec<String> {
    let mut entries = api.entries("");
    entries.retain(|entry| entry["component"] != "agent");
    entries.sort_by_key(|entry| entry["seq"].as_u64());
    entries
        .iter()
        .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
        .collect()
}

/// Nothing arrives while something is wrong; all of it once that is put right.
fn holds_then_delivers(site: &mut Site, mut agent: Agent, words: &[&str], right: &AgentSetup) {
    wait_for_words(&agent, words);
    assert!(
        agent.process.is_running(),
        "a wrong setting never ends the agent's reading"
    );
    assert_eq!(site.api.total(), Some(0), "nothing is taken from it");
    let mut log = File::options()
        .append(true)
        .open(&right.log)
        .expect("the log");
    log.write_all(LINE.repeat(2).as_bytes())
        .expect("the log grows");
    agent.stop();
    let agent = right.start();
    site.api.wait_for_entries(3, seconds(30));
    assert_eq!(messages(&site.api).len(), 3, "all of it, once");
    drop(agent);
}

#[test]
fn a_wrong_pin_sends_nothing_and_loses_nothing() {
    let mut site = site(LINE);
    let right = site.setup.clone();
    let other = Server::start(&site.dir.path().join("other"));
    let agent = AgentSetup {
        pin: other.pin.clone(),
        ..right.clone()
    }
    .start();
    holds_then_delivers(&mut site, agent, &["pin"], &right);
}

#[test]
fn a_key_that_the_server_does_not_know_holds_the_entries() {
    let mut site = site(LINE);
    let right = site.setup.clone();
    let key = fs::read_to_string(right.folder.join("api_key")).expect("the key");
    right.write_key("vl_0123456789_wrong");
    let agent = right.start();
    wait_for_words(&agent, &["401"]);
    right.write_key(&key);
    holds_then_delivers(&mut site, agent, &["401"], &right);
}

#[test]
fn another_machines_key_holds_the_entries() {
    let mut site = site(LINE);
    let right = site.setup.clone();
    let key = fs::read_to_string(right.folder.join("api_key")).expect("the key");
    right.write_key(&site.server.add_machine("VM002"));
    let agent = right.start();
    wait_for_words(&agent, &["403"]);
    right.write_key(&key);
    holds_then_delivers(&mut site, agent, &["403"], &right);
}

#[test]
fn a_log_that_cannot_be_read_is_named_and_read_once_it_can_be() {
    let site = site(LINE);
    fs::remove_file(&site.setup.log).expect("removed");
    // A directory in its place: unreadable for root as well.
    fs::create_dir(&site.setup.log).expect("a directory");
    let check = site.setup.run("check");
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(check.stderr.contains("app.log"), "{check:?}");

    let agent = site.setup.start();
    wait_for_words(&agent, &["app.log"]);
    fs::remove_dir(&site.setup.log).expect("removed");
    fs::write(&site.setup.log, LINE).expect("the log");
    site.api.wait_for_entries(1, seconds(30));
}

#[test]
fn a_right_configuration_is_found_good() {
    let site = site(LINE);
    let check = site.setup.run("check");
    assert_eq!(check.code, Some(0), "{check:?}");
}

#[test]
fn a_line_of_two_megabytes_arrives_in_marked_pieces_and_the_next_line_whole() {
    let long: String = (0..2 * 1024 * 1024 / 8)
        .map(|n| format!("{n:07} "))
        .collect();
    let log = format!("{LINE}2026-01-22 14:30:16 - __main__ - ERROR - {long}\n{LINE}");
    let site = site(&log);
    let _agent = site.setup.start();
    wait::until("the line after the long one", seconds(60), || {
        let all = messages(&site.api);
        (all.len() > 2 && all.last()?.contains("Vending machine starting")).then_some(())
    });
    let mut entries = site.api.entries("");
    entries.sort_by_key(|entry| entry["seq"].as_u64());
    let pieces = &entries[1..entries.len() - 1];
    assert!(
        pieces.len() >= 32,
        "an entry holds at most 64 KiB: {} pieces",
        pieces.len()
    );
    let text: String = pieces
        .iter()
        .filter_map(|piece| piece["message"].as_str())
        .collect();
    assert_eq!(text.len(), long.len(), "nothing of it is lost");
    assert!(text == long, "and it is in order");
    let marked = |piece: &Value| {
        piece["context"]
            .as_object()
            .is_some_and(|map| !map.is_empty())
    };
    assert!(
        pieces.iter().all(marked),
        "each piece says that it is one: {}",
        pieces[0]["context"]
    );
}

#[test]
fn bytes_that_are_no_text_are_kept_as_escapes() {
    let site = site("");
    let mut line = b"2026-01-22 14:30:16 - __main__ - INFO - caf\xe9 ".to_vec();
    line.extend(b"\x00 \xff end\n");
    fs::write(&site.setup.log, line).expect("the log");
    let _agent = site.setup.start();
    site.api.wait_for_total(1, seconds(30));
    assert_eq!(messages(&site.api), ["caf\\xe9 \\x00 \\xff end"]);
}

#[test]
fn faults_of_the_configuration_are_named_with_their_place() {
    let site = site(LINE);
    let too_long = AgentSetup {
        machine_id: "VM000000001".into(),
        ..site.setup.clone()
    };
    let check = too_long.run("check");
    assert!(
        check.code != Some(0) && check.stderr.contains("10 characters"),
        "{check:?}"
    );

    let unknown = AgentSetup {
        wifi: "moode = \"continuous\"".into(),
        ..site.setup.clone()
    };
    let check = unknown.run("check");
    assert!(
        check.code != Some(0) && check.stderr.contains("moode"),
        "{check:?}"
    );
    let toml = fs::read_to_string(site.setup.write_toml()).expect("agent.toml");
    let line = toml
        .lines()
        .position(|line| line.contains("mode ="))
        .expect("the line")
        + 1;
    assert!(
        check.stderr.contains(&format!("line {line}")),
        "line {line}: {check:?}"
    );
}

#[test]
fn a_second_agent_on_the_same_state_is_refused() {
    let site = site(LINE);
    let _first = site.setup.start();
    site.api.wait_for_total(1, seconds(30));
    let second = site.setup.run("run");
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(
        second.stderr.contains(&*state_name(&site.setup)),
        "{second:?}"
    );
}

fn state_name(setup: &AgentSetup) -> std::borrow::Cow<'_, str> {
    let state: &Path = setup.folder.as_path();
    state.to_string_lossy()
}
