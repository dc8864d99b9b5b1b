//! Whom a message goes to when something changed meanwhile: addresses, people, who took it, who joined.

use crate::fleet::{Fleet, Line, NOON, after, at, person, ready_rules};
use alerts::config::rule::{Deliver, Escalation, Rule, Tell};
use alerts::{Act, AlertConfig};
use wire::Level;

fn rule<'a>(config: &'a mut AlertConfig, id: &str) -> &'a mut Rule {
    let found = config.rules.iter_mut().find(|rule| rule.id == id);
    found.expect("a ready rule")
}

fn step(after_s: i64, who: &str, by: &str) -> Escalation {
    let tell = Tell {
        who: who.into(),
        by: vec![by.into()],
    };
    Escalation {
        after_s,
        tell: vec![tell],
    }
}

/// Ops, their owner and a boss to whom a hardware failure goes after a quarter of an hour.
fn with_a_boss() -> AlertConfig {
    let mut config = ready_rules();
    config
        .people
        .push(person("boss", &[("voice", "+15550199")]));
    rule(&mut config, "hardware-failure").escalate = vec![step(900, "person:boss", "voice")];
    config
}

#[test]
fn repeats_and_steps_follow_to_a_new_address_and_a_new_person() {
    let mut fleet = Fleet::new(with_a_boss(), 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.messages();
    let mut config = with_a_boss();
    for address in &mut config.people[0].addresses {
        address.to = address.to.replace("+15550100", "+15550177");
    }
    config.people[2] = person("chief", &[("voice", "+15550188")]);
    rule(&mut config, "hardware-failure").escalate = vec![step(900, "person:chief", "voice")];
    fleet.configure(config);
    fleet.run_to(after(16));
    let told = fleet.told.clone();
    assert_eq!(
        fleet.messages(),
        ["Hardware Failure VM001 voice alert:escalation:1"]
    );
    assert_eq!(
        (told[0].person.as_str(), told[0].to.as_str()),
        ("chief", "+15550188")
    );
    fleet.run_to(after(31));
    let told = fleet.told.clone();
    let sms = told.iter().find(|message| message.channel == "sms");
    let sms = sms.expect("the repeat by SMS");
    assert_eq!(sms.to, "+15550177");
    let repeats = fleet.messages();
    let repeated = |by: &str| {
        let words = format!("Hardware Failure VM001 {by} alert:repeat:1");
        repeats.iter().filter(|told| **told == words).count()
    };
    assert_eq!((repeated("sms"), repeated("email")), (1, 1), "{repeats:?}");
}

#[test]
fn somebody_who_is_no_longer_meant_is_not_told_again() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.messages();
    let mut config = ready_rules();
    rule(&mut config, "hardware-failure").tell = vec![Tell {
        who: "person:owner".into(),
        by: vec!["email".into()],
    }];
    fleet.configure(config);
    fleet.run_to(after(31));
    let told = fleet.told.clone();
    assert_eq!(
        fleet.messages(),
        ["Hardware Failure VM001 email alert:repeat:1"]
    );
    assert_eq!(told[0].person, "owner");
}

#[test]
fn a_step_never_comes_before_the_first_message() {
    let mut config = ready_rules();
    config.people[0].quiet = Some("22:00-06:00".parse().unwrap());
    config
        .people
        .push(person("boss", &[("voice", "+15550199")]));
    rule(&mut config, "machine-offline").escalate = vec![step(900, "person:boss", "voice")];
    let mut fleet = Fleet::new(config, 2);
    fleet.run_to(at("2026-11-20T23:00:00Z"));
    fleet.silent = vec![1];
    fleet.run_to(at("2026-11-21T05:59:00Z"));
    assert_eq!(fleet.messages(), Vec::<String>::new(), "ops sleep");
    fleet.run_to(at("2026-11-21T06:01:00Z"));
    assert_eq!(fleet.messages(), ["Machine Offline VM001 sms alert:first"]);
    fleet.run_to(at("2026-11-21T06:10:00Z"));
    assert_eq!(
        fleet.messages(),
        Vec::<String>::new(),
        "their time to answer"
    );
    fleet.run_to(at("2026-11-21T06:20:00Z"));
    assert_eq!(
        fleet.messages(),
        ["Machine Offline VM001 voice alert:escalation:1"]
    );
}

#[test]
fn one_who_sleeps_keeps_no_step_from_the_next() {
    let mut config = ready_rules();
    config.people[1].quiet = Some("22:00-06:00".parse().unwrap());
    config
        .people
        .push(person("boss", &[("voice", "+15550199")]));
    let offline = rule(&mut config, "machine-offline");
    offline.tell.push(Tell {
        who: "owner".into(),
        by: vec!["email".into()],
    });
    offline.escalate = vec![step(900, "person:boss", "voice")];
    let mut fleet = Fleet::new(config, 2);
    fleet.run_to(at("2026-11-20T23:00:00Z"));
    fleet.silent = vec![1];
    fleet.run_to(at("2026-11-21T00:00:00Z"));
    let expected = [
        "Machine Offline VM001 sms alert:first",
        "Machine Offline VM001 voice alert:escalation:1",
    ];
    assert_eq!(fleet.messages(), expected);
    fleet.run_to(at("2026-11-21T06:10:00Z"));
    assert_eq!(
        fleet.messages(),
        ["Machine Offline VM001 email alert:first"]
    );
}

#[test]
fn steps_wait_once_for_a_maintenance_that_held_two_first_messages() {
    let mut config = with_a_boss();
    config.maintenance = vec![alerts::Maintenance {
        id: "m".into(),
        machines: vec![crate::fleet::id(1)],
        from: NOON,
        until: after(120),
        by: "Bob".into(),
        note: String::new(),
    }];
    let mut fleet = Fleet::new(config, 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    fleet.run_to(after(121));
    assert_eq!(fleet.messages().len(), 2, "by SMS and by e-mail");
    fleet.run_to(after(137));
    assert_eq!(
        fleet.messages(),
        ["Hardware Failure VM001 voice alert:escalation:1"],
        "a quarter of an hour after them"
    );
}

#[test]
fn what_is_given_back_is_told_again_and_goes_up_again() {
    for repeat_s in [0, 1_800] {
        let mut config = with_a_boss();
        rule(&mut config, "hardware-failure").repeat_s = repeat_s;
        let mut fleet = Fleet::new(config, 1);
        fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
        fleet.act(1, Act::Acknowledge);
        fleet.run_to(after(60));
        fleet.messages();
        fleet.act(1, Act::Unacknowledge);
        fleet.run_to(after(62));
        assert_eq!(fleet.messages(), Vec::<String>::new(), "it may be a slip");
        fleet.run_to(after(91));
        let mut told = fleet.messages();
        told.sort();
        let expected = [
            "Hardware Failure VM001 email alert:repeat:1",
            "Hardware Failure VM001 sms alert:repeat:1",
            "Hardware Failure VM001 voice alert:escalation:1",
        ];
        assert_eq!(told, expected, "with repeat_s {repeat_s}");
    }
}

#[test]
fn the_owner_of_a_machine_that_joins_early_is_told() {
    let mut config = ready_rules();
    config
        .people
        .push(person("other", &[("email", "other@example.com")]));
    let offline = rule(&mut config, "machine-offline");
    offline.tell = vec![Tell {
        who: "owner".into(),
        by: vec!["email".into()],
    }];
    let mut fleet = Fleet::new(config, 20);
    fleet.machines[5].owner = "other".into();
    // Five fail together, and the sixth, which is another's, half a minute later.
    fleet.silent = (1..=6).collect();
    fleet.machines[5].ways[0].last = NOON.plus_us(30_000_000);
    fleet.run_to(after(40));
    let whom: Vec<String> = fleet.told.iter().map(|m| m.person.clone()).collect();
    assert_eq!(fleet.messages().len(), 2, "{whom:?}");
    assert!(whom.contains(&"owner".to_owned()) && whom.contains(&"other".to_owned()));
}

#[test]
fn many_machines_of_a_digest_rule_stand_in_the_digest_once() {
    let mut config = ready_rules();
    rule(&mut config, "machine-offline").deliver = Deliver::Daily;
    let mut fleet = Fleet::new(config, 30);
    fleet.silent = (1..=5).collect();
    fleet.run_to(after(33));
    // Three more while the group is there.
    fleet.silent = (1..=8).collect();
    fleet.run_to(after(60));
    assert_eq!(fleet.messages(), Vec::<String>::new(), "nothing at once");
    fleet.run_to(at("2026-11-21T08:01:00Z"));
    let told = fleet.told.clone();
    assert_eq!(fleet.messages().len(), 1);
    let mut machines: Vec<_> = told[0].items.iter().map(|item| &item.machine).collect();
    machines.sort();
    let lines = machines.len();
    machines.dedup();
    assert_eq!((lines, machines.len()), (8, 8), "{:?}", told[0].items);
}

#[test]
fn a_critical_of_a_group_that_nobody_could_be_told_of_is_told_when_somebody_is_there() {
    let mut empty = ready_rules();
    empty.groups[0].people.clear();
    let mut fleet = Fleet::new(empty, 6);
    for n in 1..=6 {
        fleet.entry(&Line::new(n, Level::Critical, "motor", NOON));
    }
    assert!(fleet.messages().is_empty());
    fleet.configure(ready_rules());
    let told = fleet.messages();
    for n in 1..=6 {
        let words = format!("Hardware Failure VM00{n} sms alert:first");
        assert!(told.contains(&words), "{told:?}");
    }
}
