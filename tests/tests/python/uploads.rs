//! An application that owns the reader's port and uploads drops between sales: a real Python on a real
//! pseudo terminal, the simulated reader behind it. A sale always wins.

use std::process::Command;

use serde_json::Value;
use tests::binaries::{binary, root};
use tests::process::run;

/// What the application may wait for the reader, in milliseconds.
pub const READER_WITHIN_MS: u64 = 300;

/// Plays a scene of `uploads.py`, and once more without uploads.
fn play(scene: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("python3");
    command
        .arg(root().join("tests/tests/python/uploads.py"))
        .arg(binary("vendlog-sim"))
        .arg(scene)
        .arg(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let measured = run(command).json();
    println!("{scene}: {measured}");
    measured
}

/// Every customer was served, and the application heard what it would have heard without uploads.
fn assert_sales_are_unharmed(measured: &Value) {
    assert_eq!(
        measured["sales"], measured["customers"],
        "every customer pays"
    );
    assert_eq!(measured["same_dialogue"], true, "{measured}");
    assert_eq!(measured["whole"], true, "a file is whole or not there");
    assert_eq!(
        measured["files"], measured["uploaded"],
        "what was told is true"
    );
    let wait = measured["longest_wait_ms"].as_u64().expect("a number");
    assert!(wait <= READER_WITHIN_MS, "the reader came after {wait} ms");
}

#[test]
fn a_customer_at_any_moment_of_an_upload_gets_the_reader_within_300_ms() {
    let measured = play("sales");
    assert_sales_are_unharmed(&measured);
    assert!(
        measured["aborted"].as_u64() >= Some(6),
        "sales come into uploads"
    );
    assert!(
        measured["uploaded"].as_u64() >= Some(1),
        "and uploads between sales"
    );
    let sent = (&measured["told_sent"], &measured["uploaded"]);
    assert_eq!(
        sent.0, sent.1,
        "the agent is told of every drop that the reader took"
    );
}

#[test]
fn a_reader_that_cancels_uploads_or_has_no_network_still_sells() {
    let measured = play("failing");
    assert_sales_are_unharmed(&measured);
    assert!(measured["failed"].as_u64() > measured["aborted"].as_u64());
}

#[test]
fn a_reader_that_waits_for_cards_is_left_alone_unless_the_application_lets_us_pause_it() {
    let measured = play("no_pause");
    assert_sales_are_unharmed(&measured);
    assert_eq!(
        measured["uploaded"], 0,
        "in status 7 a customer may be about to swipe"
    );
    assert_eq!(measured["pauses"], 0);
    let measured = play("pause");
    assert_sales_are_unharmed(&measured);
    assert!(measured["uploaded"].as_u64() >= Some(2), "{measured}");
    let pause = measured["longest_pause_ms"].as_u64().expect("a number");
    assert!(
        pause < 4_300,
        "disabled for {pause} ms, though 4 s were allowed"
    );
}
