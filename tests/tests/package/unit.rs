//! The unit in the package, as systemd itself judges it.

use std::process::Command;

use tests::package::{must, package, unpack};

/// How much a compromised agent could do, from 0 (nothing) to 10; systemd calls up to 2.0 "OK".
/// What is left: it reads others' logs, speaks to the network, and may use the serial line.
const EXPOSURE_MOST: f64 = 2.0;

#[test]
fn systemd_understands_the_unit_and_finds_little_that_it_exposes() {
    let dir = tempfile::tempdir().expect("a directory");
    unpack(&package("amd64"), dir.path());
    let packed = dir.path().join("lib/systemd/system/vendlog-agent.service");
    let text = std::fs::read_to_string(packed).expect("the unit");
    // Verifying looks for the program where the unit says.
    let agent = dir.path().join("usr/bin/vendlog-agent");
    let text = text.replace("/usr/bin/vendlog-agent", &agent.to_string_lossy());
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("Documentation="))
        .map(|line| format!("{line}\n"))
        .collect();
    let unit = dir.path().join("vendlog-agent.service");
    std::fs::write(&unit, text).expect("the unit");
    let said = must(Command::new("systemd-analyze").arg("verify").arg(&unit));
    assert!(!said.contains("vendlog-agent.service"), "{said}");

    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--no-pager"]);
    let said = must(security.arg(&unit).env("LC_ALL", "C.UTF-8"));
    let verdict = said
        .lines()
        .find_map(|line| line.split_once("exposure level for vendlog-agent.service: "))
        .unwrap_or_else(|| panic!("no verdict: {said}"))
        .1;
    let number = verdict.split(' ').next().unwrap_or_default();
    let exposure: f64 = number.parse().unwrap_or_else(|_| panic!("{verdict}"));
    println!("systemd-analyze security: {exposure} (from 0 to 10; at most {EXPOSURE_MOST})");
    assert!(exposure <= EXPOSURE_MOST, "{said}");
}
