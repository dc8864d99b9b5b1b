//! No false night calls, no missed ones: sleep, backlogs, quiet hours, maintenance, storms.

use crate::fleet::{Fleet, Line, NOON, after, at, id, person, ready_rules};
use alerts::config::Maintenance;
use alerts::config::condition::Way;
use alerts::config::rule::{Escalation, Tell};
use alerts::{Act, AlertKind, WayNow};
use wire::Level;
use wire::time::{DAY_US, HOUR_US, MINUTE_US};

#[test]
fn after_a_sleep_of_two_hours_nobody_is_called_and_the_span_is_kept() {
    let mut fleet = Fleet::new(ready_rules(), 50);
    fleet.run_to(after(10));
    fleet.silent = (1..=50).collect();
    fleet.sleep_to(after(130));
    // They come back one after another, some only after twenty minutes.
    for n in 1..=50 {
        fleet.run_to(after(130 + (n as i64) * 25 / 50));
        fleet.silent.retain(|silent| *silent != n);
        fleet.hear(n);
    }
    fleet.run_to(after(300));
    assert_eq!(fleet.messages(), Vec::<String>::new());
    assert_eq!(fleet.away.len(), 1);
    assert_eq!(
        (fleet.away[0].from, fleet.away[0].to),
        (after(10), after(130))
    );
}

#[test]
fn a_machine_that_is_dead_after_the_sleep_is_told_a_whole_limit_later() {
    let mut fleet = Fleet::new(ready_rules(), 5);
    fleet.silent = vec![3];
    fleet.sleep_to(after(600));
    fleet.run_to(after(629));
    assert!(fleet.open("machine-offline").is_none());
    fleet.run_to(after(640));
    assert_eq!(fleet.messages(), ["Machine Offline VM003 sms alert:first"]);
}

#[test]
fn a_clock_that_jumps_makes_no_alarm() {
    for jump in [DAY_US, -DAY_US, 3 * HOUR_US] {
        let mut fleet = Fleet::new(ready_rules(), 10);
        fleet.run_to(after(7));
        fleet.sleep_to(fleet.now.plus_us(jump));
        for n in 1..=10 {
            fleet.hear(n);
        }
        fleet.run_to(fleet.now.plus_us(2 * HOUR_US));
        assert_eq!(fleet.messages(), Vec::<String>::new(), "jumped by {jump}");
        assert_eq!(fleet.away.len(), 1);
    }
}

#[test]
fn a_week_of_backlog_is_history_one_summary_and_the_critical_of_last_night() {
    let mut fleet = Fleet::new(ready_rules(), 3);
    for hour in (1..=7 * 24).rev() {
        for component in ["payment", "reader", "motor"] {
            for n in 0..10 {
                let event = NOON.plus_us(-hour * HOUR_US + n * 10_000_000);
                fleet.entry(&Line::new(1, Level::Error, component, event));
            }
        }
    }
    // The reader came back; its silence of last night is over with the backlog.
    let back = Line::new(1, Level::Info, "eport", NOON.plus_us(-30 * MINUTE_US));
    fleet.entry(&back.saying("[STATUS-7] up"));
    fleet.entry(&Line::new(
        1,
        Level::Critical,
        "motor",
        NOON.plus_us(-30 * HOUR_US),
    ));
    assert!(fleet.messages().is_empty(), "older than a day");
    fleet.entry(&Line::new(
        1,
        Level::Critical,
        "motor",
        NOON.plus_us(-10 * HOUR_US),
    ));
    let failure = fleet.open("hardware-failure").unwrap();
    assert!(failure.is_late);
    let failure = failure.id;
    assert_eq!(
        fleet.messages().len(),
        2,
        "a CRITICAL of the last day always does"
    );
    fleet.act(failure, Act::Acknowledge);
    fleet.run_to(after(5 * 60));
    let told = fleet.told.clone();
    assert_eq!(fleet.messages(), ["Late entries VM001 sms late_entries"]);
    assert!(told[0].facts.contains("came too late"), "{}", told[0].facts);
}

#[test]
fn quiet_hours_hold_back_all_but_the_first_message_of_a_critical() {
    let mut config = ready_rules();
    config.people[0].quiet = Some("22:00-06:00".parse().unwrap());
    config.people[0].timezone = "Europe/Berlin".into();
    let mut fleet = Fleet::new(config, 2);
    let night = at("2026-11-20T23:00:00Z");
    fleet.run_to(night);
    fleet.entry(&Line::new(1, Level::Critical, "motor", night));
    fleet.silent = vec![2];
    assert_eq!(fleet.messages().len(), 2, "at midnight");
    fleet.run_to(at("2026-11-21T04:59:00Z"));
    assert_eq!(
        fleet.messages(),
        Vec::<String>::new(),
        "nothing else until six"
    );
    fleet.run_to(at("2026-11-21T05:01:00Z"));
    let told = fleet.messages();
    assert!(
        told.contains(&"Machine Offline VM002 sms alert:first".into()),
        "{told:?}"
    );
    assert!(
        told.contains(&"Hardware Failure VM001 sms alert:repeat:1".into()),
        "{told:?}"
    );
}

#[test]
fn what_is_over_before_the_quiet_hours_end_is_not_told() {
    let mut config = ready_rules();
    config.people[0].quiet = Some("00:00-24:00".parse().unwrap());
    let mut fleet = Fleet::new(config, 2);
    fleet.silent = vec![1];
    fleet.run_to(after(60));
    fleet.silent.clear();
    fleet.run_to(after(24 * 60));
    assert_eq!(fleet.messages(), Vec::<String>::new());
}

#[test]
fn twenty_of_a_hundred_are_one_message_that_lists_them() {
    let mut fleet = Fleet::new(ready_rules(), 100);
    fleet.silent = (1..=20).collect();
    fleet.run_to(after(40));
    let told = fleet.told.clone();
    assert_eq!(fleet.messages().len(), 1);
    assert_eq!(told[0].machines.len(), 20);
    assert_eq!(told[0].items.len(), 20);
    fleet.silent.clear();
    fleet.run_to(after(50));
    assert_eq!(fleet.messages().len(), 1, "its end");
    assert_eq!(fleet.engine.open().count(), 0);
}

#[test]
fn when_all_of_a_path_fall_silent_one_message_names_the_path() {
    let mut fleet = Fleet::new(ready_rules(), 40);
    // A machine that is dead for its own reasons was told before.
    fleet.silent = vec![7];
    fleet.run_to(after(60));
    assert_eq!(fleet.messages(), ["Machine Offline VM007 sms alert:first"]);
    fleet.silent = (1..=40).collect();
    fleet.run_to(after(180));
    let told = fleet.told.clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].issue, "Machine Offline: all machines on WiFi");
    assert!(
        told[0].facts.contains("our own internet connection"),
        "{}",
        told[0].facts
    );
    fleet.told.clear();
    // It comes back; one machine does not.
    fleet.silent = vec![7, 8];
    fleet.run_to(after(205));
    assert_eq!(fleet.messages().len(), 1, "the end of the outage");
    fleet.run_to(after(240));
    assert_eq!(fleet.messages(), ["Machine Offline VM008 sms alert:first"]);
}

#[test]
fn a_path_that_is_down_does_not_hide_a_machine_on_the_other() {
    let mut fleet = Fleet::new(ready_rules(), 8);
    for n in 5..=8 {
        fleet.machines[n - 1].ways = vec![WayNow {
            way: Way::Cell,
            last: NOON,
            late_us: 90 * MINUTE_US,
            lost_us: 3 * HOUR_US,
        }];
    }
    fleet.silent = vec![1, 2, 3, 4, 8];
    fleet.run_to(after(4 * 60));
    let told = fleet.messages();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("all machines on WiFi"), "{told:?}");
    assert!(told[1].starts_with("Machine Offline VM008"), "{told:?}");
}

#[test]
fn a_thousand_criticals_are_told_one_by_one_and_listed_as_one() {
    let mut fleet = Fleet::new(ready_rules(), 30);
    for n in 1..=30 {
        fleet.entry(&Line::new(n, Level::Critical, "motor", NOON));
    }
    assert_eq!(
        fleet.messages().len(),
        60,
        "no first message of a CRITICAL is held back"
    );
    let group = fleet
        .engine
        .open()
        .find(|alert| alert.kind == AlertKind::Group)
        .unwrap()
        .id;
    assert_eq!(fleet.engine.open().count(), 31);
    fleet.act(group, Act::Acknowledge);
    fleet.run_to(after(90));
    assert_eq!(fleet.messages(), Vec::<String>::new(), "taken as one");
}

#[test]
fn while_a_machine_is_worked_on_nobody_is_told_and_afterwards_what_is_left() {
    let mut config = ready_rules();
    config.maintenance = vec![Maintenance {
        id: "m".into(),
        machines: vec![id(1)],
        from: NOON,
        until: after(60),
        by: "Bob".into(),
        note: "new pump".into(),
    }];
    let mut fleet = Fleet::new(config, 2);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.entry(&Line::new(2, Level::Critical, "motor", NOON));
    assert_eq!(
        fleet.messages().len(),
        2,
        "the other machine is not worked on"
    );
    fleet.act(2, Act::Acknowledge);
    fleet.run_to(after(59));
    assert!(fleet.messages().is_empty());
    fleet.run_to(after(61));
    let told = fleet.messages();
    assert!(
        told[0].starts_with("Hardware Failure VM001 sms alert:first"),
        "{told:?}"
    );
}

#[test]
fn when_nobody_acknowledges_the_next_one_is_told() {
    let mut config = ready_rules();
    config
        .people
        .push(person("boss", &[("voice", "+15550199")]));
    let rule = config
        .rules
        .iter_mut()
        .find(|rule| rule.id == "hardware-failure")
        .unwrap();
    rule.escalate = vec![Escalation {
        after_s: 900,
        tell: vec![
            Tell {
                who: "person:boss".into(),
                by: vec!["voice".into()],
            },
            Tell {
                who: "owner".into(),
                by: vec!["sms".into()],
            },
        ],
    }];
    let mut fleet = Fleet::new(config, 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.messages();
    fleet.run_to(after(14));
    assert!(fleet.messages().is_empty());
    fleet.run_to(after(16));
    // The owner has no number for a text: the mail address is better than nothing.
    let expected =
        ["voice", "email"].map(|by| format!("Hardware Failure VM001 {by} alert:escalation:1"));
    assert_eq!(fleet.messages(), expected);
}

#[test]
fn a_silenced_alert_is_told_again_when_the_silence_ends() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.messages();
    fleet.act(1, Act::Silence { until: after(120) });
    fleet.run_to(after(119));
    assert!(fleet.messages().is_empty());
    fleet.run_to(after(121));
    assert_eq!(fleet.messages().len(), 2);
}

#[test]
fn in_its_cooldown_a_machine_that_flaps_is_told_once() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    let mut told = 0;
    for round in 0..4 {
        fleet.silent = vec![1];
        fleet.run_to(after(round * 45 + 36));
        fleet.silent.clear();
        fleet.run_to(after(round * 45 + 45));
        told += fleet.messages().len();
    }
    assert_eq!(told, 8, "the cooldown is shorter than the time to be lost");
    let mut config = ready_rules();
    let rule = config
        .rules
        .iter_mut()
        .find(|rule| rule.id == "machine-offline")
        .unwrap();
    rule.cooldown_s = 3_600;
    let mut fleet = Fleet::new(config, 2);
    fleet.silent = vec![1];
    fleet.run_to(after(36));
    fleet.silent.clear();
    fleet.run_to(after(42));
    assert_eq!(fleet.messages().len(), 2);
    fleet.silent = vec![1];
    fleet.run_to(after(95));
    assert!(fleet.messages().is_empty(), "still cooling");
    fleet.run_to(after(110));
    assert_eq!(
        fleet.messages().len(),
        1,
        "but what still holds then is told"
    );
}
