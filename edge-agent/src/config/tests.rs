//! Every mistake is named with its line.

use std::path::Path;

use wire::Level;

use super::*;

const GOOD: &str = r#"machine_id = "VM001"
state_dir = "/tmp/state"

[[input]]
kind = "file"
path = "/home/pi/soap/last_tx_log.log"
format = "python"
timezone = "America/Los_Angeles"
pack = "soap"

[wifi]
url = "https://ops-pc:4433/"
api_key_file = "/etc/vendlog/api_key"
pin = "sha256/4jFKWTSqu0qZbRsbrorjjA8cauo1i750iwngmQkClwI="
"#;

fn parse(text: &str) -> Result<Config, Mistakes> {
    Config::parse(Path::new("agent.toml"), text)
}

fn mistakes(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn what_is_left_out_has_the_documented_defaults() {
    let config = parse(GOOD).unwrap();
    assert_eq!(
        config.local.path,
        Path::new("/var/log/vendlog/vending_machine.log")
    );
    assert_eq!(
        (config.local.max_bytes, config.local.files),
        (10_485_760, 5)
    );
    assert_eq!(config.heartbeat.interval_s, 300);
    let clock = &config.clock;
    assert!(clock.synced_file.is_none() && clock.server_time && clock.wait_s == 120);
    assert_eq!(
        config.privacy.hash_fields,
        ["transaction_id", "txn", "txn_id"]
    );
    let wifi = config.wifi.unwrap();
    assert_eq!(wifi.url, "https://ops-pc:4433");
    assert_eq!(wifi.mode, Mode::Interval(300));
    assert_eq!(wifi.levels, [true; 5]);
    let immediate = |level: Level| wifi.immediate[usize::from(level.as_u8())];
    assert!(immediate(Level::Critical) && immediate(Level::Error) && !immediate(Level::Warn));
}

#[test]
fn the_whole_documented_file_is_read() {
    let text = include_str!("../../agent.example.toml");
    let config = parse(text).unwrap();
    let names: Vec<&str> = config.inputs.iter().map(|i| i.name.as_str()).collect();
    let expected = [
        "/home/pi/soap/last_tx_log.log",
        "journal:soap.service",
        "/run/vendlog/agent.sock",
        "/run/vendlog/syslog.sock",
    ];
    assert_eq!(names, expected);
    assert!(config.wifi.is_some());
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = GOOD.replace("pack =", "packs =");
    let said = mistakes(&text);
    assert!(
        said.starts_with("agent.toml: line 9: unknown field `packs`"),
        "{said}"
    );
    assert!(!said.contains('\n'), "one line: {said}");
}

#[test]
fn each_wrong_value_is_named_with_its_line_and_what_to_do() {
    for (from, to, expected) in [
        (
            "VM001",
            "VM000000001",
            "line 1: machine_id: machine id \"VM000000001\" is longer",
        ),
        (
            "kind = \"file\"",
            "kind = \"journal\"",
            "line 6: input key path is only for kind file or socket or syslog",
        ),
        (
            "kind = \"file\"",
            "kind = \"socket\"",
            "line 7: input key format is only for kind file or journal or syslog",
        ),
        (
            "kind = \"file\"",
            "kind = \"pipe\"",
            "line 5: input kind \"pipe\" is not known",
        ),
        (
            "\"python\"",
            "\"xml\"",
            "line 7: format \"xml\" is not known",
        ),
        (
            "\"python\"",
            "\"pattern\"",
            "line 4: format \"pattern\" needs pattern",
        ),
        (
            "America/Los_Angeles",
            "America/Los_Angles",
            "line 8: timezone \"America/Los_Angles\"",
        ),
        (
            "\"soap\"",
            "\"soup\"",
            "line 9: pack \"soup\" is not known; there is: soap",
        ),
        (
            "https://ops-pc:4433/",
            "http://ops-pc:4433",
            "line 12: wifi.url is http://",
        ),
        (
            "https://ops-pc:4433/",
            "ops-pc",
            "line 12: wifi.url must be https://",
        ),
        (
            "https://ops-pc:4433/",
            "https://ops-pc/api",
            "line 12: wifi.url must be https://",
        ),
        ("sha256/4j", "sha256/", "line 14: wifi.pin must be sha256/"),
        ("sha256/4j", "sha1/4j", "line 14: wifi.pin must be sha256/"),
    ] {
        let said = mistakes(&GOOD.replace(from, to));
        assert!(said.contains(expected), "{to}: {said}");
    }
    for (added, expected) in [
        (
            "mode = \"often\"",
            "line 15: wifi.mode \"often\" is not known",
        ),
        (
            "send_interval_s = 0",
            "line 15: wifi.send_interval_s must be from 1",
        ),
        (
            "levels = [\"LOUD\"]",
            "line 15: level: level \"LOUD\" is not known",
        ),
        ("[eport]", "line 15: [eport] needs port"),
        (
            "[eport]\nmode = \"handoff\"",
            "line 15: [eport] mode \"handoff\" needs an [[input]] of kind \"socket\"",
        ),
        (
            "[eport]\nport = \"/dev/ttyUSB0\"\nmode = \"usb\"",
            "line 17: eport.mode \"usb\" is not known",
        ),
        (
            "[eport]\nport = \"/dev/ttyUSB0\"\nmax_drop_bytes = 901",
            "line 17: eport.max_drop_bytes must be from 300 to 900, not 901",
        ),
        (
            "[eport]\nport = \"/dev/ttyUSB0\"\ntime = \"hour\"",
            "line 17: eport.time \"hour\" is not known",
        ),
        (
            "[eport]\nport = \"/dev/ttyUSB0\"\nmonthly_budget_bytes = 5",
            "line 17: eport.monthly_budget_bytes must be from 10000",
        ),
        (
            "[spool]\nmax_bytes = 5",
            "line 16: spool.max_bytes must be from 4194304",
        ),
        ("[local]\nfiles = 0", "line 16: local.files must be from 1"),
        (
            "[heartbeat]\ninterval_s = 0",
            "line 16: heartbeat.interval_s must be from 1",
        ),
        (
            "[clock]\nwait_s = 9999",
            "line 16: clock.wait_s must be from 0 to 3600",
        ),
        (
            "[clock]\nsynced_file = \"synchronized\"",
            "line 16: clock.synced_file must be a whole path",
        ),
        ("[privacy]\nhash = []", "line 16: unknown field `hash`"),
        ("enabled = \"yes\"", "line 15: invalid type"),
    ] {
        let said = mistakes(&format!("{GOOD}{added}\n"));
        assert!(said.contains(expected), "{added}: {said}");
    }
    let off = parse(&format!("{GOOD}[eport]\nenabled = false\n")).unwrap();
    assert!(off.eport.is_none());
}

#[test]
fn the_readers_port_is_enough_for_the_cellular_path() {
    let config = parse(&format!("{GOOD}[eport]\nport = \"/dev/ttyUSB0\"\n")).unwrap();
    let eport = config.eport.unwrap();
    assert_eq!(eport.mode, EportMode::Serial("/dev/ttyUSB0".into()));
    assert_eq!((eport.send_interval_s, eport.max_drop_bytes), (3600, 900));
    assert_eq!(eport.levels, [false, false, true, true, true]);
    assert_eq!(eport.immediate, [false, false, false, false, true]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let said = mistakes(
        &GOOD
            .replace("VM001", "")
            .replace("\"soap\"", "\"soup\"")
            .replace("https:", "http:"),
    );
    assert_eq!(said.lines().count(), 3, "{said}");
    let said = mistakes("state_dir = 'x'");
    assert!(
        said.contains("machine_id is missing") && said.contains("no [[input]]"),
        "{said}"
    );
}

#[test]
fn a_section_that_is_absent_or_disabled_is_off() {
    let without = GOOD.split("[wifi]").next().unwrap();
    assert!(parse(without).unwrap().wifi.is_none());
    let disabled = GOOD.replace("[wifi]", "[wifi]\nenabled = false");
    assert!(parse(&disabled).unwrap().wifi.is_none());
}

const BARE: &str = "machine_id = \"VM001\"\nstate_dir = \"/tmp/state\"\n[[input]]\n";

#[test]
fn a_socket_has_defaults_and_each_input_a_name_of_its_own() {
    let config = parse(&format!(
        "{BARE}kind = \"socket\"\n[[input]]\nkind = \"syslog\"\nudp = \"[::1]:5514\"\n\
         [[input]]\nkind = \"journal\"\nunits = [\"b.service\", \"a.service\"]\nunit = \"a.service\"\n"
    ))
    .unwrap();
    let names: Vec<&str> = config.inputs.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "/run/vendlog/agent.sock",
            "udp:[::1]:5514",
            "journal:a.service,b.service"
        ]
    );
    let InputKind::Socket(socket) = &config.inputs[0].kind else {
        panic!("the first is the socket");
    };
    assert_eq!((socket.file.mode, &socket.file.group), (0o660, &None));
}

#[test]
fn each_mistake_of_a_live_input_is_named_with_its_line() {
    for (keys, expected) in [
        (
            "kind = \"socket\"\nmode = \"0999\"",
            "line 5: mode \"0999\" is none",
        ),
        (
            "kind = \"socket\"\nformat = \"json\"",
            "line 5: input key format is only for kind file",
        ),
        ("kind = \"syslog\"", "line 3: syslog input needs path = "),
        (
            "kind = \"syslog\"\nudp = \"0.0.0.0:514\"",
            "line 5: udp 0.0.0.0:514: anyone on the network could write into the log",
        ),
        ("kind = \"syslog\"\nudp = \"localhost\"", "line 5: udp: "),
        (
            "kind = \"syslog\"\npath = \"/a\"\ntimezone = \"UTC\"",
            "line 6: this key is only for an input with a format",
        ),
        (
            "kind = \"journal\"",
            "line 3: journal input needs its units",
        ),
        (
            "kind = \"socket\"\npath = \"/a\"\n[[input]]\nkind = \"syslog\"\npath = \"/a\"",
            "line 6: this is the input of an earlier section already",
        ),
    ] {
        let said = mistakes(&format!("{BARE}{keys}\n"));
        assert!(said.contains(expected), "{keys}: {said}");
    }
    let allowed = "kind = \"syslog\"\nudp = \"0.0.0.0:514\"\nallow_network = true";
    assert!(parse(&format!("{BARE}{allowed}\n")).is_ok());
}
