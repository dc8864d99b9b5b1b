//! `status`, for a program and for a person.

mod support;

use std::io::Write;

use support::{Machine, wait_for};

fn status(machine: &Machine, flag: &str) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
        .args(["status", flag, "--config"])
        .arg(machine.config_path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(machine: &Machine) -> serde_json::Value {
    serde_json::from_str(&status(machine, "--json")).unwrap()
}

#[test]
fn before_the_first_start_it_says_what_to_do() {
    let machine = Machine::new("");
    let said = status(&machine, "--text");
    for expected in [
        "machine        VM001",
        "does not run; start it with: sudo systemctl start vendlog-agent",
        "none was read yet",
        "[wifi] is off",
        "the machine's own file",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(json(&machine)["is_running"], false);
    assert!(!machine.state().exists(), "looking makes nothing");
}

#[test]
fn beside_a_running_agent_it_tells_the_last_entry_and_what_waits() {
    let machine = Machine::new(
        "[wifi]\nurl = \"https://127.0.0.1:1\"\napi_key_file = \"/no/such/key\"\n\
         pin = \"sha256/4jFKWTSqu0qZbRsbrorjjA8cauo1i750iwngmQkClwI=\"",
    );
    let mut log = std::fs::File::create(machine.log()).unwrap();
    writeln!(
        log,
        "2026-01-22 14:30:15,123 - payment - ERROR - Link \x1b[31mlost"
    )
    .unwrap();
    let agent = machine.spawn();
    // The agent may say something of itself beside.
    wait_for("the entry is spooled", || {
        json(&machine)["spool"]["entries"].as_u64() >= Some(1)
    });
    wait_for("the shipper tried", || {
        !json(&machine)["wifi"]["last_error"].is_null()
    });
    let seen = json(&machine);
    assert_eq!(seen["is_running"], true);
    assert!(seen["last_entry"]["message"].is_string(), "{seen}");
    assert_eq!(
        seen["wifi"]["advice"],
        "look with: sudo vendlog-agent check"
    );
    let said = status(&machine, "--text");
    for expected in [
        "agent          runs",
        "waiting        ",
        "last error     since ",
        "what to do",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(
        !said.contains('\x1b'),
        "a log must not colour the terminal: {said}"
    );
    // Not a terminal: a program reads it.
    let (_, out, _) = machine.command("status");
    assert!(
        serde_json::from_str::<serde_json::Value>(&out).is_ok(),
        "{out}"
    );
    assert_eq!(agent.terminate().0, Some(0));
    assert_eq!(json(&machine)["is_running"], false);
}

#[test]
fn sighup_takes_an_edited_configuration_and_runs_on_when_it_has_mistakes() {
    let machine = Machine::new("");
    let agent = machine.spawn();
    wait_for("it runs", || json(&machine)["is_running"] == true);
    let hangup = || {
        let pid = agent.pid().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-HUP", &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    // The agent hears signals before it takes its lock.
    machine.configure("[heartbeat]\ninterval_s = 0");
    hangup();
    // Its own words are entries too; before them the file may not be changed again.
    wait_for("it says that the file has mistakes", || {
        std::fs::read_to_string(machine.local())
            .is_ok_and(|said| said.contains("running on as before"))
    });
    machine.configure("[[input]]\nkind = \"file\"\npath = \"OTHER\"\nformat = \"json\"");
    let other = machine.dir.path().join("other.log");
    let text = std::fs::read_to_string(machine.config_path()).unwrap();
    let good = text.replace("OTHER", other.to_str().unwrap());
    std::fs::write(machine.config_path(), good).unwrap();
    std::fs::write(
        &other,
        "{\"timestamp\": \"2026-01-22T14:30:15Z\", \"message\": \"read after the edit\"}\n",
    )
    .unwrap();
    assert!(json(&machine)["last_entry"]["message"] != "read after the edit");
    hangup();
    wait_for("the new input is read", || {
        json(&machine)["last_entry"]["message"] == "read after the edit"
    });
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("running on as before, the file has mistakes"),
        "{said}"
    );
    assert!(
        said.contains("heartbeat.interval_s must be from 1"),
        "{said}"
    );
}
