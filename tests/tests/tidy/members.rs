//! Who may use whom: the table of docs/ARCHITECTURE.md over `cargo metadata`.

use std::process::Command;

use serde_json::Value;
use tests::binaries::root;

/// Stands for every other member.
const ANY: &[&str] = &[
    "wire",
    "eport",
    "alerts",
    "store",
    "drops",
    "vendlog-notify",
    "central",
    "edge-agent",
    "sim",
    "tests",
];
/// Anything that waits, listens or talks.
const ASYNC_OR_IO: &[&str] = &[
    "tokio",
    "reqwest",
    "axum",
    "hyper",
    "rusqlite",
    "notify",
    "libc",
    "serialport",
    "rustix",
];

/// A member, the members that it may use, and the outside crates that it must not.
const TABLE: [(&str, &[&str], &[&str]); 12] = [
    ("wire", &[], ASYNC_OR_IO),
    ("eport", &[], ASYNC_OR_IO),
    ("alerts", &["wire"], ASYNC_OR_IO),
    ("drops", &["wire"], &["rusqlite", "axum"]),
    ("vendlog-notify", &["wire"], &["rusqlite", "axum"]),
    (
        "store",
        &["wire", "alerts"],
        &["tokio", "axum", "reqwest", "hyper"],
    ),
    (
        "central",
        &["wire", "alerts", "store", "drops", "vendlog-notify"],
        &["rusqlite"],
    ),
    ("src-tauri", &["central", "wire"], &["rusqlite"]),
    ("edge-agent", &["wire", "eport"], &["rusqlite", "axum"]),
    ("sim", ANY, &["rusqlite"]),
    ("tests", ANY, &[]),
    ("xtask", &[], ASYNC_OR_IO),
];

#[test]
fn members_use_only_whom_the_table_lets_them() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    for name in &names {
        assert!(
            TABLE.iter().any(|row| row.0 == *name),
            "{name} has no row in the table"
        );
    }
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let (_, may, must_not) = TABLE.iter().find(|row| row.0 == name).expect("a row");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let uses = dependency["name"].as_str().expect("a name");
            let is_member = names.contains(&uses);
            let is_tauri = uses == "tauri" || uses.starts_with("tauri-");
            // What only a member's own tests use is no part of the product.
            let is_product = dependency["kind"] != "dev";
            assert!(
                !is_member || may.contains(&uses),
                "{name} must not use {uses}"
            );
            assert!(
                !is_product || !must_not.contains(&uses),
                "{name} must not use {uses}"
            );
            assert!(
                !is_tauri || name == "src-tauri",
                "only src-tauri uses {uses}"
            );
        }
    }
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata answers JSON")
}
