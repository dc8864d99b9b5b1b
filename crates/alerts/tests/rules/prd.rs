//! The rules of the product requirements, each as somebody would see it happen.

use crate::fleet::{Fleet, Line, NOON, after, id, ready_rules};
use alerts::{Act, Phase};
use serde_json::json;
use wire::Level;
use wire::time::{MINUTE_US, SECOND_US};

/// So many payment errors, one every `apart_s`, arriving at once.
fn payment_errors(fleet: &mut Fleet, count: i64, apart_s: i64) {
    let components = ["payment", "eport-link", "reader"];
    for n in 0..count {
        let event = fleet.now.plus_us((n - count) * apart_s * SECOND_US);
        let component = components[n as usize % 3];
        fleet.entry(&Line::new(1, Level::Error, component, event));
    }
}

#[test]
fn hardware_failure_is_told_at_once_by_sms_and_email_until_somebody_takes_it() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    let jam = Line::new(1, Level::Critical, "motor", NOON).saying("Motor jam on product 2");
    fleet.entry(&jam);
    let first = fleet.told[0].clone();
    assert_eq!(first.machines, [id(1)]);
    assert_eq!(
        (first.issue.as_str(), first.since),
        ("Hardware Failure", NOON)
    );
    assert!(
        first.facts.contains("Motor jam on product 2"),
        "{}",
        first.facts
    );
    let both = ["sms", "email"].map(|by| format!("Hardware Failure VM001 {by} alert:first"));
    assert_eq!(fleet.messages(), both);
    // The same again is the same alert; another part of the machine is another one.
    fleet.entry(&jam);
    assert!(fleet.messages().is_empty());
    fleet.entry(&Line::new(1, Level::Critical, "pump", NOON));
    assert_eq!(fleet.messages().len(), 2);
    fleet.run_to(after(35));
    let repeats = fleet.messages();
    assert_eq!(repeats.len(), 4, "{repeats:?}");
    assert!(repeats[0].ends_with("alert:repeat:1"), "{repeats:?}");
    for alert in [1, 2] {
        fleet.act(alert, Act::Acknowledge);
    }
    fleet.run_to(after(30 * 60));
    assert!(
        fleet.messages().is_empty(),
        "nobody is told of what is taken"
    );
    assert_eq!(fleet.alerts[&1].phase, Phase::Resolved, "it ends by itself");
    fleet.entry(&Line::new(1, Level::Critical, "motor", fleet.now));
    assert_eq!(fleet.messages().len(), 2, "and it is armed again");
}

#[test]
fn an_unacknowledged_failure_does_not_end_by_itself() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.run_to(after(24 * 60));
    assert!(fleet.open("hardware-failure").unwrap().is_firing());
}

#[test]
fn payment_system_down_takes_ten_errors_in_five_minutes() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    payment_errors(&mut fleet, 9, 30);
    assert!(fleet.open("payment-system-down").is_none());
    payment_errors(&mut fleet, 1, 30);
    let told = fleet.messages();
    for by in ["sms", "email"] {
        let expected = format!("Payment System Down VM001 {by} alert:first");
        assert!(told.contains(&expected), "{told:?}");
    }
    let mut slow = Fleet::new(ready_rules(), 1);
    payment_errors(&mut slow, 12, 34);
    assert!(slow.open("payment-system-down").is_none());
}

#[test]
fn payment_system_down_when_the_reader_is_silent_for_five_minutes() {
    let silent = |event| {
        Line::new(1, Level::Error, "reader", event).saying("[STATUS-?] Unknown status: b''")
    };
    let polled = |event| Line::new(1, Level::Debug, "eport", event).saying("[STATUS-7] enabled");
    let mut fleet = Fleet::new(ready_rules(), 1);
    fleet.entry(&silent(NOON));
    fleet.run_to(after(4));
    assert!(
        !fleet
            .messages()
            .iter()
            .any(|m| m.starts_with("Payment System Down"))
    );
    fleet.run_to(after(6));
    let told = fleet.messages();
    let down: Vec<_> = told
        .iter()
        .filter(|m| m.starts_with("Payment System Down"))
        .collect();
    assert_eq!(down.len(), 2, "{told:?}");
    // It speaks again: over. The two lines may come in either order.
    fleet.entry(&polled(fleet.now));
    fleet.run_to(after(7));
    assert!(fleet.open("payment-system-down-reader").is_none());
    fleet.entry(&polled(fleet.now.plus_us(-SECOND_US)));
    fleet.entry(&silent(fleet.now.plus_us(-2 * SECOND_US)));
    fleet.run_to(after(30));
    assert!(fleet.open("payment-system-down-reader").is_none());
}

#[test]
fn five_payment_failures_in_ten_minutes_are_mailed_within_five_minutes() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    payment_errors(&mut fleet, 5, 120);
    fleet.run_to(after(5));
    let told = fleet.messages();
    assert!(
        told.contains(&"Multiple Payment Failures VM001 email alert:first".into()),
        "{told:?}"
    );
    assert!(
        !told
            .iter()
            .any(|m| m.contains("Failures") && m.contains("sms"))
    );
}

#[test]
fn machine_offline_is_told_by_sms_within_five_minutes_of_the_thirty() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    fleet.silent = vec![1];
    fleet.run_to(after(30));
    assert!(
        fleet.open("machine-offline").is_none(),
        "thirty minutes are not more than thirty"
    );
    fleet.run_to(after(35));
    assert_eq!(fleet.messages(), ["Machine Offline VM001 sms alert:first"]);
    fleet.silent.clear();
    fleet.run_to(after(40));
    assert_eq!(
        fleet.messages(),
        ["Machine Offline VM001 sms alert:resolved"]
    );
}

#[test]
fn a_contact_at_the_very_instant_of_the_timeout_is_a_contact() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    fleet.silent = vec![1];
    fleet.run_to(after(30));
    fleet.hear(1);
    fleet.run_to(after(60));
    assert!(fleet.messages().is_empty());
    fleet.run_to(after(61));
    assert!(fleet.open("machine-offline").is_some());
}

#[test]
fn a_machine_that_comes_back_while_its_message_is_held_is_not_told_of() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    fleet.silent = vec![1];
    fleet.run_to(after(31));
    assert!(fleet.open("machine-offline").is_some());
    fleet.silent.clear();
    fleet.run_to(after(60));
    assert!(fleet.messages().is_empty());
}

#[test]
fn tampering_is_told_by_sms_email_and_call() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    let open = Line::new(1, Level::Warn, "door", NOON).with(json!({"event": "tamper"}));
    fleet.entry(&open);
    let all = ["sms", "email", "voice"].map(|by| format!("Security Breach VM001 {by} alert:first"));
    assert_eq!(fleet.messages(), all);
}

#[test]
fn low_inventory_is_in_the_daily_digest_each_product_by_its_own_limit() {
    let mut config = ready_rules();
    let rule = config
        .rules
        .iter_mut()
        .find(|rule| rule.id == "low-inventory")
        .unwrap();
    let alerts::config::condition::Condition::Value { limits, .. } = &mut rule.when else {
        panic!("low inventory is a value")
    };
    limits.insert("dish".into(), 5.0);
    let mut fleet = Fleet::new(config, 1);
    for (product, left) in [("hand", 12), ("dish", 12), ("laundry", 80)] {
        let context = json!({"event": "inventory", "product": product, "remaining": left});
        fleet.entry(&Line::new(1, Level::Info, "stock", NOON).with(context));
    }
    fleet.run_to(after(19 * 60));
    assert!(fleet.messages().is_empty(), "07:00 is before the digest");
    fleet.run_to(after(21 * 60));
    assert_eq!(fleet.told.len(), 1);
    let digest = fleet.told[0].clone();
    assert_eq!(digest.channel, "email");
    assert_eq!(digest.items.len(), 1);
    assert_eq!(digest.items[0].facts, "hand is 12, below 20");
    let refilled = json!({"event": "inventory", "product": "hand", "remaining": "95"});
    fleet.entry(&Line::new(1, Level::Info, "stock", fleet.now).with(refilled));
    assert!(fleet.open("low-inventory").is_none());
}

#[test]
fn elevated_errors_are_in_the_hourly_digest() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    for minute in 0..5 {
        fleet.entry(&Line::new(1, Level::Error, "flowmeter", after(-minute * 5)));
    }
    fleet.run_to(after(59));
    assert!(fleet.messages().is_empty());
    fleet.run_to(after(61));
    assert_eq!(
        fleet.messages(),
        ["Elevated Errors VM001 email hourly_digest"]
    );
    fleet.run_to(after(181));
    assert!(fleet.messages().is_empty(), "told once");
}

#[test]
fn an_intermittent_network_is_in_the_daily_digest() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    for _ in 0..2 {
        fleet.silent = vec![1];
        let until = fleet.now.plus_us(20 * MINUTE_US);
        fleet.run_to(until);
        fleet.silent.clear();
        fleet.run_to(until.plus_us(10 * MINUTE_US));
    }
    assert!(fleet.open("connectivity-issues").is_some());
    fleet.run_to(after(21 * 60));
    assert_eq!(
        fleet.messages(),
        ["Connectivity Issues VM001 email daily_digest"]
    );
}

#[test]
fn lost_money_and_a_crash_loop_are_told_at_once() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    let lost = json!({"event": "lost_payment"});
    fleet.entry(&Line::new(1, Level::Critical, "payment", NOON).with(lost));
    assert!(fleet.open("lost-money").is_some());
    for n in 0..3 {
        let event = NOON.plus_us(n * 30 * SECOND_US);
        let exits = "Too many consecutive errors (10). Exiting.";
        fleet.entry(&Line::new(1, Level::Critical, "app", event).saying(exits));
    }
    assert!(fleet.open("crash-loop").is_some());
    let told = fleet.messages();
    assert_eq!(
        told.iter().filter(|m| m.starts_with("Crash Loop")).count(),
        2,
        "{told:?}"
    );
}
