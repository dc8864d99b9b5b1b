//! `check`, and what `run` refuses.

mod support;

use std::os::unix::fs::PermissionsExt;

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
    assert!(said.contains("[eport] is not in this version"), "{said}");
}
