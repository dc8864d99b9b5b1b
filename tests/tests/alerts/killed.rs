//! Row 13 of reliability.md: the server is killed at every state of a message. None is missed, and each
//! kill doubles one at most.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tests::Desk;
use tests::desk::taken;
use tests::providers::web::{Says, says};
use tests::wait::{self, seconds};

/// One SMS for each alert: a kill can interrupt one call.
fn by_sms() -> Desk {
    let desk = Desk::start();
    desk.change_rule("hardware-failure", |rule| {
        rule["tell"] = json!([{"who": "person:ann", "by": ["sms"]}]);
    });
    desk
}

/// How often each component was told of.
fn told(desk: &Desk) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for text in desk.texts() {
        let body = text.form().remove("Body").expect("a text");
        let part = body
            .split_whitespace()
            .find(|word| word.starts_with("part-"));
        if let Some(part) = part {
            let part = part.trim_end_matches([':', ',', '.']).to_owned();
            *told.entry(part).or_default() += 1;
        }
    }
    told
}

fn wait_until_told(desk: &Desk, part: &str, times: usize) {
    wait::until(&format!("{part} told {times} times"), seconds(40), || {
        (told(desk).get(part) == Some(&times)).then_some(())
    });
}

#[test]
fn killed_in_the_middle_of_a_call_it_is_told_twice_and_not_a_third_time() {
    let mut desk = by_sms();
    let machine = desk.machine("VM001");
    desk.twilio.then(Says {
        after: seconds(10),
        ..taken()
    });
    machine.say("CRITICAL", "part-a", "part-a does not turn");
    wait_until_told(&desk, "part-a", 1);
    desk.kill_and_restart();
    wait_until_told(&desk, "part-a", 2);
    desk.kill_and_restart();
    std::thread::sleep(seconds(8));
    assert_eq!(told(&desk)["part-a"], 2, "it was marked as sent");
}

#[test]
fn killed_while_it_waits_to_be_tried_again_it_is_tried_again() {
    let mut desk = by_sms();
    let machine = desk.machine("VM001");
    for _ in 0..2 {
        desk.twilio.then(says(503, "{}"));
    }
    machine.say("CRITICAL", "part-a", "part-a does not turn");
    wait_until_told(&desk, "part-a", 1);
    std::thread::sleep(Duration::from_millis(300));
    desk.kill_and_restart();
    wait_until_told(&desk, "part-a", 3);
    std::thread::sleep(seconds(3));
    assert_eq!(told(&desk)["part-a"], 3, "the third was taken");
}

#[test]
fn killed_anywhere_nothing_is_missed_and_each_kill_doubles_one_at_most() {
    const KILLS: u64 = 12;
    let mut desk = by_sms();
    let machine = desk.machine("VM001");
    for kill in 0..KILLS {
        let part = format!("part-{kill}");
        desk.twilio.then(Says {
            after: Duration::from_millis(30),
            ..taken()
        });
        machine.say("CRITICAL", &part, &format!("{part} does not turn"));
        // From before the outbox is looked at until after the answer is kept.
        std::thread::sleep(Duration::from_millis(kill * 6));
        desk.kill_and_restart();
    }
    let all = wait::until("every alert told", seconds(60), || {
        let told = told(&desk);
        (told.len() as u64 == KILLS).then_some(told)
    });
    std::thread::sleep(seconds(3));
    let sent: usize = told(&desk).values().sum();
    let doubled = sent as u64 - KILLS;
    println!("{KILLS} kills: {sent} messages, {doubled} doubled");
    assert!(doubled <= KILLS, "{all:?}");
}
