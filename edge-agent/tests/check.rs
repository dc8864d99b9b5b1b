//! `check`, and what `run` refuses.

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use support::Machine;

#[test]
fn a_sound_configuration_passes_and_a_missing_log_is_only_remarked() {
    let machine = Machine::new("");
    let (code, out, said) = machine.command("check");
    // As a value: the order of the keys changes with what else is built beside.
    let out: serde_json::Value = serde_json::from_str(&out).expect("one line of JSON");
    assert_eq!(
        (code, out),
        (Some(0), serde_json::json!({"mistakes": 0, "ok": true})),
        "{said}"
    );
    assert!(
        said.contains("line 3: input") && said.contains("not there yet"),
        "{said}"
    );
}

#[test]
fn each_mistake_in_the_surroundings_is_named_with_its_line() {
    let machine = Machine::new("[wifi]\nurl = \"https://127.0.0.1:1\"\napi_key_file = \"KEY\"");
    let key = machine.dir.path().join("key");
    let text = std::fs::read_to_string(machine.config_path()).unwrap();
    let text = text.replace("KEY", key.to_str().unwrap());
    let blocked = machine.dir.path().join("blocked");
    std::fs::write(&blocked, "").unwrap();
    let text = text.replace("/local/vending.log", "/blocked/vending.log");
    std::fs::write(
        machine.config_path(),
        format!("{text}ca_file = \"/no/such/ca.pem\"\n"),
    )
    .unwrap();
    std::fs::create_dir(machine.log()).unwrap();
    let (code, _, said) = machine.command("check");
    assert_eq!(code, Some(1), "{said}");
    for expected in [
        "line 3: input",
        "is not a file",
        "local.path",
        "is not a directory",
        "line 14: wifi.api_key_file",
        "line 15: wifi.ca_file /no/such/ca.pem cannot be read",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    std::fs::write(&key, "vl_x_y\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (_, _, said) = machine.command("check");
    assert!(
        said.contains("line 14") && said.contains("chmod 600"),
        "{said}"
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (_, _, said) = machine.command("check");
    assert!(!said.contains("api_key_file"), "{said}");
}

#[test]
fn run_refuses_what_check_refuses_and_wrong_use_is_2() {
    let machine = Machine::new("[wifi]\nurl = \"http://ops-pc\"\napi_key_file = \"/k\"");
    let (code, _, said) = machine.command("run");
    assert_eq!(code, Some(1));
    assert!(said.contains("line 13: wifi.url is http://"), "{said}");
    assert_eq!(machine.command("no-such-command").0, Some(2));
    machine.configure("[eport]\nenabled = true");
    let (code, _, said) = machine.command("run");
    assert_eq!(code, Some(1));
    assert!(said.contains("[eport] needs port"), "{said}");
}

/// Makes everything of this machine belong to `nobody` but its log, which only we may read. As
/// anybody but root the log is what nobody may read.
fn give_to_nobody(machine: &Machine) -> bool {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    std::fs::create_dir(machine.state()).unwrap();
    std::fs::write(machine.log(), "").unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    if is_root {
        mode(machine.dir.path(), 0o755);
        chown(machine.state(), Some(65534), Some(65534)).unwrap();
        mode(&machine.log(), 0o600);
    } else {
        mode(&machine.log(), 0o000);
    }
    is_root
}

#[test]
fn it_looks_with_the_rights_of_the_services_user_and_says_which_command_helps() {
    let machine = Machine::new("");
    let is_root = give_to_nobody(&machine);
    let (code, _, said) = machine.command("check");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("line 3: input"), "{said}");
    if is_root {
        for expected in [
            "looking with the rights of nobody",
            "nobody may not read",
            "(mode 600, of root:root); run: sudo setfacl -m u:nobody:r",
            "cannot be written by nobody",
            "run: sudo install -d -o nobody -g nobody",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}

#[test]
fn what_an_input_needs_is_named_and_a_file_of_another_user_in_the_state_directory() {
    let machine = Machine::new(
        "[[input]]\nkind = \"socket\"\npath = \"/no/such/dir/agent.sock\"\ngroup = \"nosuchgroup\"\n\
         [[input]]\nkind = \"journal\"\nunits = [\"soap.service\"]\ndirectory = \"/no/such/journal\"",
    );
    let is_root = give_to_nobody(&machine);
    std::fs::write(machine.state().join("hash.key"), "").unwrap();
    let (code, out, said) = machine.command("check");
    assert_eq!(code, Some(1), "{said}");
    for expected in [
        "line 12: socket: there is no group nosuchgroup; run: sudo addgroup nosuchgroup",
        "line 16: journal /no/such/journal cannot be read",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    if is_root {
        assert!(said.contains("hash.key is not nobody's own"), "{said}");
        assert!(said.contains("run: sudo chown -R nobody:"), "{said}");
    }
    let out: serde_json::Value = serde_json::from_str(&out).expect("one line of JSON");
    let lines = said.lines().filter(|line| line.contains("agent.toml: "));
    let mistakes = lines.filter(|line| !line.contains("note:")).count();
    assert_eq!(
        out,
        serde_json::json!({"ok": false, "mistakes": mistakes}),
        "{said}"
    );
}

#[test]
fn online_says_what_came_back_from_the_server() {
    let machine = Machine::new(
        "[wifi]\nurl = \"https://127.0.0.1:1\"\napi_key_file = \"KEY\"\n\
         pin = \"sha256/4jFKWTSqu0qZbRsbrorjjA8cauo1i750iwngmQkClwI=\"",
    );
    let key = machine.dir.path().join("key");
    std::fs::write(&key, "vl_x_y\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = std::fs::read_to_string(machine.config_path()).unwrap();
    let text = text.replace("KEY", key.to_str().unwrap());
    std::fs::write(machine.config_path(), text).unwrap();
    assert_eq!(machine.command("check").0, Some(0));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
        .args(["check", "--online", "--config"])
        .arg(machine.config_path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("wifi: https://127.0.0.1:1: "), "{said}");
    assert!(said.contains("is the operations PC on"), "{said}");
}
