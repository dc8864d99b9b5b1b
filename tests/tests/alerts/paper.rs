//! The rows of the paper's two tables that are told at once, and its three example rules
//! (docs/PRD.md, "Alert Rules" and US-3).

use serde_json::json;
use tests::Desk;
use tests::desk::{OPS_MAIL, OPS_NUMBER};
use tests::wait::{self, seconds};

use super::support::{SOON, assert_carries, assert_mail, errors, wait_for_call, wait_for_text};

#[test]
fn hardware_failure_is_told_at_once_by_sms_and_email() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    let before = std::time::Instant::now();
    machine.say("CRITICAL", "motor", "Motor 2 does not turn");
    let (asked, text) = wait_for_text(&desk, &["Hardware Failure"]);
    assert!(asked.at.duration_since(before) < seconds(10), "at once");
    assert_eq!(asked.form()["To"], OPS_NUMBER);
    assert_carries(&text, "VM001", "Hardware Failure");
    let mail = desk.mail.wait_for(&["Hardware Failure"], SOON);
    assert_mail(&mail, OPS_MAIL, "VM001", "Hardware Failure");
    let alert = desk.wait_for_alert("hardware-failure");
    let no = alert["id"].as_u64().expect("a number");
    assert!(text.contains(&format!("ACK {no}")), "{text}");
    let link = format!("/alerts/{no}");
    assert!(mail.text.contains(&link), "{link} is not in {}", mail.text);
    assert!(desk.calls().is_empty(), "nobody is called for it");
}

#[test]
fn payment_system_down_is_told_within_a_minute_of_ten_errors_in_five() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    errors(&machine, "payment", 9, 25);
    std::thread::sleep(seconds(2));
    assert!(desk.texts().is_empty(), "nine are not ten");
    let before = std::time::Instant::now();
    errors(&machine, "reader", 1, 0);
    let (asked, text) = wait_for_text(&desk, &["Payment System Down"]);
    assert!(
        asked.at.duration_since(before) < seconds(60),
        "within 1 min"
    );
    assert_carries(&text, "VM001", "Payment System Down");
    let mail = desk.mail.wait_for(&["Payment System Down"], SOON);
    assert_mail(&mail, OPS_MAIL, "VM001", "Payment System Down");
}

#[test]
fn a_reader_that_stays_silent_for_five_minutes_is_payment_system_down() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    let silent = [(301, "ERROR", "reader", "No poll for 30 s", json!({}))];
    machine.post(&silent);
    let (_, text) = wait_for_text(&desk, &["Payment System Down"]);
    assert_carries(&text, "VM001", "Payment System Down");
}

#[test]
fn a_machine_that_is_silent_for_half_an_hour_is_told_by_sms_with_its_end() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    machine.say("INFO", "app", "Vending machine starting");
    // Two and a half minutes more go by meanwhile.
    let ahead_s = desk.pass(0, 25 * 60);
    assert!(desk.open().is_empty(), "less than 30 minutes");
    desk.pass(ahead_s, 9 * 60);
    let (_, text) = wait_for_text(&desk, &["Machine Offline"]);
    assert_carries(&text, "VM001", "Machine Offline");
    assert!(desk.mail.mails().is_empty(), "by SMS only");
    machine.say("INFO", "app", "Vending machine starting");
    let (_, text) = wait_for_text(&desk, &["Machine Offline", "Resolved"]);
    assert_carries(&text, "VM001", "Machine Offline");
}

#[test]
fn tampering_is_told_at_once_by_sms_email_and_call() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    let door = json!({"event": "tamper"});
    machine.post(&[(0, "WARN", "door", "Door opened", door)]);
    let (_, text) = wait_for_text(&desk, &["Security Breach"]);
    assert_carries(&text, "VM001", "Security Breach");
    let mail = desk.mail.wait_for(&["Security Breach"], SOON);
    assert_mail(&mail, OPS_MAIL, "VM001", "Security Breach");
    let call = wait_for_call(&desk, OPS_NUMBER, "Security Breach");
    for word in ["VM001", "Lobby left", "Main Street"] {
        assert!(call.contains(word), "{word} is not in {call}");
    }
    // Once each.
    std::thread::sleep(seconds(3));
    let sent = (
        desk.texts().len(),
        desk.mail.mails().len(),
        desk.calls().len(),
    );
    assert_eq!(sent, (1, 1, 1));
}

#[test]
fn five_payment_failures_in_ten_minutes_are_mailed_to_operations() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    desk.change_rule("payment-failures", |rule| {
        rule["deliver"] = json!({"how": "within", "s": 5});
    });
    errors(&machine, "eport-link", 4, 120);
    std::thread::sleep(seconds(7));
    let failures = |desk: &Desk| {
        let mut mails = desk.mail.mails();
        mails.retain(|mail| mail.text.contains("Multiple Payment Failures"));
        mails
    };
    assert!(failures(&desk).is_empty(), "four are not five");
    errors(&machine, "payment", 1, 0);
    let mail = wait::until("the mail", SOON, || failures(&desk).into_iter().next());
    assert_mail(&mail, OPS_MAIL, "VM001", "Multiple Payment Failures");
    let texts = desk.texts();
    let is_text = |asked: &tests::providers::Asked| asked.form()["Body"].contains("Failures");
    assert!(!texts.iter().any(is_text), "by e-mail only");
}
