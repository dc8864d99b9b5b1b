//! The `soap` pack, line by line as docs/EPORT.md has it.

use serde_json::Map;
use wire::time::SECOND_US;
use wire::{ClockState, Level};

use super::*;

fn soap() -> Arc<Pack> {
    named("soap").unwrap().unwrap()
}

fn entry(at_s: i64, level: Level, message: &str) -> LogEntry {
    LogEntry {
        seq: None,
        timestamp: Micros(at_s * SECOND_US),
        level,
        component: "app".to_owned(),
        message: message.to_owned(),
        context: Map::new(),
        clock: ClockState::Synced,
    }
}

fn classified(level: Level, message: &str) -> LogEntry {
    let mut entry = entry(0, level, message);
    soap().classify(&mut entry, &mut PackState::default());
    entry
}

#[test]
fn every_shipped_pack_can_be_read_and_has_its_name() {
    for name in names() {
        assert_eq!(named(name).unwrap().unwrap().name, name);
    }
    assert!(named("none").is_none());
}

#[test]
fn each_line_of_the_table_gets_its_component_and_level() {
    use Level::*;
    for (logged, message, component, level) in [
        (Info, "[POLL] status=b'7' display=idle", "eport", Debug),
        (Info, "[STATUS-0] idle", "eport", Debug),
        (Info, "[STATUS-6] disabled", "eport", Debug),
        (
            Info,
            "[STATUS-7] ePort enabled, waiting for card tap/swipe",
            "eport",
            Debug,
        ),
        (Info, "[STATUS-8] Authorizing card", "eport", Debug),
        (Info, "[STATUS-9] something", "app", Info),
        (Info, "[DISPLAY] update_counter: 1.0 oz", "display", Debug),
        (
            Warn,
            r"[STATUS-3] Authorization declined (raw=b'3\x1e05')",
            "payment",
            Warn,
        ),
        (
            Warn,
            r"[STATUS-4] ePort warning: b'4\x1eLost Kiosk Comm'",
            "eport",
            Warn,
        ),
        (
            Error,
            "Transaction result failed after 3 attempts",
            "payment",
            Critical,
        ),
        (
            Warn,
            "Failed to send transaction result - resetting",
            "payment",
            Critical,
        ),
        (
            Error,
            "Error controlling motor (error 1/5): GPIO busy",
            "motor",
            Error,
        ),
        (Info, "Transaction ID: #0123456789abcdef", "payment", Info),
        (Info, "Authorization requested for $20.00", "payment", Info),
        (
            Critical,
            "Too many consecutive errors (10). Exiting.",
            "app",
            Critical,
        ),
    ] {
        let entry = classified(logged, message);
        assert_eq!(
            (entry.component.as_str(), entry.level),
            (component, level),
            "{message}"
        );
    }
}

#[test]
fn a_failing_link_is_told_from_a_declined_card() {
    for (raw, fault) in [
        ("30", "FAIL_NETWORK"),
        ("31", "FAIL_MODEM"),
        ("32", "FAIL_SERVER"),
        ("33", "FAIL_TIME_REQUEST"),
    ] {
        let message = format!("[STATUS-3] Authorization declined (raw=b'{raw}')");
        let entry = classified(Level::Warn, &message);
        assert_eq!(
            (entry.component.as_str(), entry.level),
            ("eport-link", Level::Error)
        );
        assert_eq!(entry.context["fault"], fault);
    }
}

#[test]
fn sales_carry_their_amount_and_lost_payments_their_name() {
    let sale = classified(
        Level::Info,
        "Transaction complete: 2 items, $0.76 (tax: $0.06, total: $0.82)",
    );
    assert_eq!(
        (&sale.context["event"], &sale.context["amount_cents"]),
        (&"sale".into(), &82.into())
    );
    let large = classified(
        Level::Info,
        "Transaction complete: 1 items (total: $1,234.50)",
    );
    assert_eq!(large.context["amount_cents"], 123_450);
    let lost = classified(Level::Error, "Transaction result failed after 3 attempts");
    assert_eq!(lost.context["event"], "lost_payment");
}

#[test]
fn only_the_first_line_of_a_record_is_looked_at() {
    let entry = classified(
        Level::Error,
        "Traceback (most recent call last):\n    result = machine.control_motor(True)\nE: 1",
    );
    assert_eq!(entry.component, "app");
}

#[test]
fn a_silent_reader_is_an_error_once_a_run_and_also_across_a_restart() {
    let pack = soap();
    let mut state = PackState::default();
    let mut level = |at_s: i64, message: &str| {
        let mut entry = entry(at_s, Level::Info, message);
        pack.classify(&mut entry, &mut state);
        // As a restart does it: through the text kept in the spool.
        state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        entry.level
    };
    let silent = "[STATUS-?] Unknown status: b'' (hex=N/A)";
    assert_eq!(level(0, silent), Level::Debug);
    assert_eq!(
        level(29, "[POLL] status=b'' display=idle"),
        Level::Debug,
        "no [STATUS-: no end"
    );
    assert_eq!(level(29, silent), Level::Debug);
    assert_eq!(level(30, silent), Level::Error);
    assert_eq!(level(90, silent), Level::Debug, "once a run");
    level(91, "[STATUS-7] ePort enabled");
    assert_eq!(level(92, silent), Level::Debug);
    level(100, "[STATUS-?] Unknown status: b'9'");
    assert_eq!(
        level(125, silent),
        Level::Debug,
        "another unknown status ended the run"
    );
    assert_eq!(level(155, silent), Level::Error);
}
