//! The rows of the paper that are told in digests, by a clock that is moved to their hour.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use tests::Desk;
use tests::desk::OPS_MAIL;
use tests::providers::Mail;
use tests::wait::seconds;

use super::support::{SOON, errors};

/// Seconds from now to this hour of tomorrow in UTC, a little after it.
fn to_tomorrow(hour: i8) -> i64 {
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let tomorrow = today.tomorrow().expect("a day");
    let at = tomorrow.at(hour, 0, 30, 0).to_zoned(TimeZone::UTC);
    at.expect("an instant").timestamp().as_second() - now.as_second()
}

fn assert_digest(mail: &Mail, issue: &str, facts: &[&str]) {
    assert_eq!(mail.to, [OPS_MAIL]);
    for word in [issue, "VM001", "Lobby left", "Main Street"] {
        assert!(mail.text.contains(word), "{word} is not in {}", mail.text);
    }
    for fact in facts {
        assert!(mail.text.contains(fact), "{fact} is not in {}", mail.text);
    }
}

#[test]
fn low_inventory_is_in_the_daily_digest_once_with_a_chart() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    desk.change_rule("low-inventory", |rule| {
        rule["when"]["limits"] = json!({"dish": 5});
    });
    let stock = |product: &str, left: u32| {
        json!({"event": "inventory", "product": product,
        "remaining": left})
    };
    machine.post(&[
        (3, "INFO", "stock", "Stock", stock("hand", 12)),
        (2, "INFO", "stock", "Stock", stock("dish", 12)),
        (1, "INFO", "stock", "Stock", stock("laundry", 80)),
    ]);
    desk.wait_for_alert("low-inventory");
    std::thread::sleep(seconds(6));
    assert!(desk.mail.mails().is_empty(), "not before the digest");
    desk.move_clock(to_tomorrow(8));
    let mail = desk.mail.wait_for(&["Low Inventory"], SOON);
    assert_digest(
        &mail,
        "Low Inventory",
        &["hand is 12, below 20", "image/png"],
    );
    assert!(!mail.text.contains("dish is"), "its own limit is 5");
    desk.move_clock(to_tomorrow(8) + 24 * 3_600);
    std::thread::sleep(seconds(7));
    assert_eq!(desk.mail.mails().len(), 1, "told once");
}

#[test]
fn elevated_errors_are_in_the_hourly_digest() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    errors(&machine, "flowmeter", 5, 60);
    desk.wait_for_alert("elevated-errors");
    desk.move_clock(3_600);
    let mail = desk.mail.wait_for(&["Elevated Errors"], SOON);
    assert_digest(&mail, "Elevated Errors", &[]);
    assert!(desk.texts().is_empty(), "nothing by SMS");
}

#[test]
fn a_link_that_comes_and_goes_is_in_the_daily_digest() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    let mut ahead_s = 0;
    for _ in 0..2 {
        machine.say("INFO", "app", "Vending machine starting");
        ahead_s = desk.pass(ahead_s, 11 * 60);
    }
    machine.say("INFO", "app", "Vending machine starting");
    desk.wait_for_alert("connectivity-issues");
    assert!(desk.mail.mails().is_empty(), "not before the digest");
    desk.move_clock(to_tomorrow(8).max(ahead_s));
    let mail = desk.mail.wait_for(&["Connectivity Issues"], SOON);
    assert_digest(&mail, "Connectivity Issues", &[]);
}
