//! What lasts: a reader that stays silent, stock that is low, no sale. Late beginnings and ends.

use crate::fleet::{Fleet, Line, NOON, after, ready_rules};
use alerts::Phase;
use serde_json::json;
use wire::Level;
use wire::time::{HOUR_US, MINUTE_US};

const READER: &str = "payment-system-down-reader";

#[test]
fn a_silence_of_the_reader_that_is_known_late_and_still_lasts_is_told() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    fleet.entry(&Line::new(
        1,
        Level::Error,
        "reader",
        NOON.plus_us(-2 * HOUR_US),
    ));
    fleet.run_to(after(1));
    assert!(fleet.messages().is_empty(), "its end may be on the way");
    fleet.run_to(after(10));
    let open = fleet.open(READER).expect("it lasts");
    assert!(open.is_late && open.phase == Phase::Firing);
    let told = fleet.messages();
    assert!(
        told.contains(&"Payment System Down VM001 sms alert:first".into()),
        "{told:?}"
    );
    // A warning of the same kind is history.
    assert!(fleet.open("reader-silent").is_none());
}

#[test]
fn one_that_ended_in_the_same_backlog_or_is_older_than_a_day_is_history() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    let ended = Line::new(1, Level::Error, "reader", NOON.plus_us(-3 * HOUR_US));
    fleet.entry(&ended);
    fleet.run_to(after(1));
    let end = Line::new(1, Level::Info, "eport", NOON.plus_us(-2 * HOUR_US));
    fleet.entry(&end.saying("[STATUS-7] up"));
    fleet.entry(&Line::new(
        2,
        Level::Error,
        "reader",
        NOON.plus_us(-25 * HOUR_US),
    ));
    fleet.run_to(after(60));
    let told = fleet.messages();
    assert_eq!(told, ["Late entries VM001+VM002 sms late_entries"]);
}

#[test]
fn each_of_a_hundred_products_is_judged_by_itself() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    for round in 0..2 {
        for n in 0..100 {
            let remaining = if n == 99 && round == 1 { 3 } else { 80 };
            let event = NOON.plus_us(-20 * MINUTE_US + round * MINUTE_US);
            let line = Line::new(1, Level::Info, "inventory", event).with(json!({
                "event": "inventory", "product": format!("p{n}"), "remaining": remaining}));
            fleet.entry(&line);
        }
    }
    fleet.run_to(after(1));
    let open: Vec<_> = fleet
        .engine
        .open()
        .map(|alert| alert.part.clone())
        .collect();
    assert_eq!(open, ["p99"]);
}

#[test]
fn an_old_sale_that_comes_late_does_not_end_no_sale_but_a_new_one_does() {
    let mut config = ready_rules();
    let rule = config.rules.iter_mut().find(|rule| rule.id == "no-sale");
    rule.unwrap().enabled = true;
    let mut fleet = Fleet::new(config, 1);
    let sale = |event| Line::new(1, Level::Info, "sale", event).with(json!({"event": "sale"}));
    fleet.entry(&sale(NOON.plus_us(-2 * HOUR_US)));
    fleet.run_to(after(7 * 60));
    let id = fleet.open("no-sale").expect("nine hours without").id;
    // Made before the one that is known.
    fleet.entry(&sale(NOON.plus_us(-4 * HOUR_US)));
    // Made after it, and still too long ago.
    fleet.entry(&sale(NOON.plus_us(-90 * MINUTE_US)));
    fleet.run_to(after(7 * 60 + 10));
    assert_eq!(fleet.open("no-sale").map(|alert| alert.id), Some(id));
    fleet.entry(&sale(fleet.now));
    fleet.run_to(after(7 * 60 + 11));
    assert!(fleet.open("no-sale").is_none());
}
