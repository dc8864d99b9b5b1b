//! A rule edited or a machine removed while it fires, a process killed anywhere, entries in any order.

use crate::fleet::{Fleet, Line, NOON, after, id, ready_rules};
use alerts::config::condition::Condition;
use alerts::trial::Trial;
use alerts::{Act, ActError, EntryFacts, Phase};
use proptest::prelude::*;
use serde_json::Map;
use wire::Level;
use wire::time::{HOUR_US, SECOND_US};

#[test]
fn a_rule_that_is_removed_or_turned_off_while_firing_ends_its_alerts() {
    for turn_off in [true, false] {
        let mut fleet = Fleet::new(ready_rules(), 1);
        fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
        let mut config = ready_rules();
        if turn_off {
            config
                .rules
                .iter_mut()
                .for_each(|rule| rule.enabled = false);
        } else {
            config.rules.clear();
        }
        fleet.configure(config);
        assert_eq!(fleet.alerts[&1].phase, Phase::Resolved);
        fleet.run_to(after(120));
        assert_eq!(fleet.messages().len(), 2, "only the first ones");
    }
}

#[test]
fn a_rule_edited_while_firing_is_told_once_and_ends_by_the_new_words() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    fleet.silent = vec![1];
    fleet.run_to(after(40));
    assert_eq!(fleet.messages().len(), 1);
    let mut config = ready_rules();
    for rule in &mut config.rules {
        if let Condition::Silence { wifi_s, .. } = &mut rule.when {
            *wifi_s = 7_200;
        }
        rule.name.push('!');
    }
    fleet.configure(config);
    fleet.run_to(after(41));
    assert!(
        fleet.open("machine-offline").is_none(),
        "forty minutes are well now"
    );
    fleet.run_to(after(130));
    assert!(
        fleet
            .messages()
            .contains(&"Machine Offline! VM001 sms alert:first".into())
    );
}

#[test]
fn a_machine_that_is_removed_or_renamed_while_firing() {
    let mut fleet = Fleet::new(ready_rules(), 2);
    for n in [1, 2] {
        fleet.entry(&Line::new(n, Level::Critical, "motor", NOON));
    }
    fleet.machines[1].name = "Mall, north entrance".into();
    fleet.machines.remove(0);
    fleet.run_to(after(1));
    assert_eq!(fleet.alerts[&1].phase, Phase::Resolved);
    assert_eq!(fleet.alerts[&2].phase, Phase::Firing);
    // An entry of a machine that is not known yet is judged all the same.
    fleet.entry(&Line::new(9, Level::Critical, "motor", fleet.now));
    assert!(fleet.told.iter().any(|message| message.machines == [id(9)]));
}

#[test]
fn what_cannot_be_done_is_said() {
    let mut fleet = Fleet::new(ready_rules(), 1);
    fleet.entry(&Line::new(1, Level::Critical, "motor", NOON));
    let mut act = |id, what: Act| fleet.engine.act(id, &what, "Ann", "", NOON);
    assert_eq!(act(7, Act::Acknowledge), Err(ActError::NoSuchAlert(7)));
    let until = NOON.plus_us(31 * 24 * HOUR_US);
    assert_eq!(
        act(1, Act::Silence { until }),
        Err(ActError::SilenceTooLong)
    );
    assert_eq!(act(1, Act::Resolve { visit: true }), Ok(()));
    assert_eq!(
        act(1, Act::Resolve { visit: false }),
        Ok(()),
        "twice is no error"
    );
    assert_eq!(act(1, Act::Acknowledge), Err(ActError::Over(1)));
}

#[test]
fn a_rule_is_tried_on_what_was() {
    let rules = ready_rules().rules;
    let rule = |id: &str| rules.iter().find(|rule| rule.id == id).unwrap().clone();
    assert!(Trial::new(rule("data-budget"), Vec::new(), NOON).is_none());
    let mut trial = Trial::new(rule("payment-failures"), Vec::new(), NOON).unwrap();
    let (machine, context) = (id(1), Map::new());
    // Four bursts of six errors, a day apart, and one that is too thin.
    for (day, count) in [(0, 6), (1, 6), (2, 6), (3, 6), (4, 4)] {
        for n in 0..count {
            let event = NOON.plus_us(day * 24 * HOUR_US + n * 60 * SECOND_US);
            trial.entry(&EntryFacts {
                machine: &machine,
                id: &String::new,
                level: Level::Error,
                component: "payment",
                message: "declined",
                template: "declined",
                context: &context,
                event,
                arrival: event.plus_us(SECOND_US),
                by_cell: false,
            });
        }
    }
    let outcome = trial.finish(NOON.plus_us(10 * 24 * HOUR_US));
    assert_eq!((outcome.fired, outcome.entries), (4, 28));
    assert_eq!(outcome.machines[&machine], 4);
}

/// Entries of the last minutes, of two machines.
fn lines() -> impl Strategy<Value = Vec<Line>> {
    let levels = prop_oneof![
        4 => Just(Level::Error),
        1 => Just(Level::Critical),
        1 => Just(Level::Warn),
    ];
    let components = prop_oneof![
        Just("payment"),
        Just("reader"),
        Just("eport-link"),
        Just("app")
    ];
    let line = (1..=2_usize, levels, components, 0..1_200_i64).prop_map(
        |(machine, level, component, ago_s)| {
            Line::new(machine, level, component, NOON.plus_us(-ago_s * SECOND_US))
        },
    );
    proptest::collection::vec(line, 1..60)
}

/// Alerts as far as they may not depend on the order of arrival.
fn outcome(fleet: &Fleet) -> Vec<(String, String, String, Micros, u64)> {
    let mut alerts: Vec<_> = fleet
        .engine
        .open()
        .filter(|alert| alert.kind == alerts::AlertKind::Machine)
        .map(|alert| {
            let machine = alert.machines[0].to_string();
            (
                alert.rule.clone(),
                machine,
                alert.part.clone(),
                alert.since,
                alert.count,
            )
        })
        .collect();
    alerts.sort();
    alerts
}

use wire::Micros;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_order_of_arrival_gives_the_same_alerts(
        lines in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()))
    ) {
        let (mut one, mut two) = (Fleet::new(ready_rules(), 2), Fleet::new(ready_rules(), 2));
        one.entries(&lines.0);
        two.entries(&lines.1);
        for fleet in [&mut one, &mut two] {
            fleet.run_to(after(1));
        }
        prop_assert_eq!(outcome(&one), outcome(&two));
    }

    #[test]
    fn no_alarm_is_stuck_once_its_condition_cleared(lines in lines()) {
        let mut fleet = Fleet::new(ready_rules(), 2);
        fleet.entries(&lines);
        let ids: Vec<u64> = fleet.engine.open().map(|alert| alert.id).collect();
        for id in ids {
            // A group may have ended with its members.
            let _ = fleet.engine.act(id, &Act::Acknowledge, "Ann", "", NOON);
        }
        let end = Line::new(1, Level::Info, "eport", NOON.plus_us(SECOND_US)).saying("[STATUS-7] up");
        fleet.entries(&[end.clone(), Line { machine: 2, ..end }]);
        fleet.run_to(after(3 * 60));
        let open: Vec<_> = fleet.engine.open().map(|alert| alert.rule.clone()).collect();
        prop_assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn killed_anywhere_nothing_is_missed_and_nothing_told_twice(
        lines in lines(),
        kills in proptest::collection::btree_set(0..60_usize, 0..6),
    ) {
        let (mut whole, mut killed) = (Fleet::new(ready_rules(), 2), Fleet::new(ready_rules(), 2));
        for (n, line) in lines.iter().enumerate() {
            whole.entry(line);
            killed.entry(line);
            if kills.contains(&n) {
                killed.restart();
                // The caller ticks at once, so that machines are known.
                killed.run_to(NOON.plus_us(0));
            }
        }
        whole.run_to(after(70));
        killed.run_to(after(70));
        let (mut all, mut same) = (whole.messages(), killed.messages());
        all.sort();
        same.sort();
        prop_assert_eq!(all, same);
    }
}
