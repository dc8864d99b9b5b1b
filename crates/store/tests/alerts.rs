//! Alerts in the store: an entry is kept with what it set off, once, whatever crashes.

mod support;

use alerts::config::people::{Address, Person};
use alerts::{Act, ActError, AlertConfig, MachineNow, Phase};
use store::{AlertQuery, MessageState, NewEntries, PathKind, Store, StoreError, Tried};
use support::{NOON, Place, entry, id};
use wire::{Level, Micros};

const MINUTE: i64 = 60_000_000;

/// The ready rules, with somebody who is told by SMS and mail.
fn config() -> AlertConfig {
    let mut config = alerts::config::defaults::config();
    let address = |channel: &str, to: &str| Address {
        channel: channel.into(),
        to: to.into(),
    };
    config.people = vec![Person {
        id: "ann".into(),
        name: "Ann".into(),
        addresses: vec![
            address("sms", "+15550100"),
            address("email", "ann@example.com"),
        ],
        ..Person::default()
    }];
    config.groups[0].people = vec!["ann".into()];
    config
}

fn store(place: &Place) -> Store {
    let store = place.with_machines(&["VM001", "VM002"]);
    store.alerts().configure(config(), NOON).unwrap();
    tick(&store, NOON).unwrap();
    store
}

fn critical(machine: &str, seqs: impl IntoIterator<Item = u64>) -> NewEntries {
    let jam = |seq| {
        entry(
            seq,
            NOON,
            Level::Critical,
            "motor",
            "Motor jam on product 2",
        )
    };
    NewEntries {
        machine: id(machine),
        epoch: Some(1),
        entries: seqs.into_iter().map(jam).collect(),
        refused_seqs: Vec::new(),
        path: PathKind::Wifi,
        received_at: NOON.plus_us(1_000_000),
    }
}

fn firing(store: &Store) -> Vec<alerts::Alert> {
    let query = AlertQuery {
        phases: vec![Phase::Firing],
        limit: 100,
        ..AlertQuery::default()
    };
    store.alerts().list(&query).unwrap()
}

fn due(store: &Store) -> Vec<store::Message> {
    store.alerts().due(NOON.plus_us(MINUTE), 100, &[]).unwrap()
}

fn tick(store: &Store, at: Micros) -> Result<(), StoreError> {
    let machines = ["VM001", "VM002"].map(|name| MachineNow::new(id(name)));
    store.alerts().tick(machines.to_vec(), at)
}

#[test]
fn a_critical_is_acknowledged_with_its_alert_and_its_messages() {
    let place = Place::new();
    let store = store(&place);
    store.append_wait(critical("VM001", [1, 2])).unwrap();
    let alert = firing(&store).pop().unwrap();
    assert_eq!((alert.issue.as_str(), alert.count), ("Hardware Failure", 2));
    let messages = due(&store);
    let channels: Vec<_> = messages
        .iter()
        .map(|m| m.outgoing.channel.as_str())
        .collect();
    assert_eq!(channels, ["sms", "email"]);
    // The link of the alert leads to the entry that began it.
    let around = store
        .around(alert.log_id.as_deref().unwrap(), 0, 0)
        .unwrap();
    assert_eq!(around.entries[0].seq, Some(1));
    // The same entries again, by either path, set nothing off.
    store.append_wait(critical("VM001", [1, 2])).unwrap();
    assert_eq!((firing(&store)[0].count, due(&store).len()), (2, 2));
}

#[test]
fn what_was_done_to_an_alert_outlives_the_process() {
    let place = Place::new();
    let store = store(&place);
    store.append_wait(critical("VM001", [1])).unwrap();
    let (alerts, now) = (store.alerts(), NOON.plus_us(MINUTE));
    let alert = alerts
        .act(1, Act::Acknowledge, "Ann", "on my way", now)
        .unwrap()
        .unwrap();
    assert_eq!(alert.acknowledged.unwrap().note, "on my way");
    assert_eq!(
        alerts.act(9, Act::Acknowledge, "Ann", "", now).unwrap(),
        Err(ActError::NoSuchAlert(9))
    );
    store.close();
    drop((store, alerts));
    let store = place.open();
    let whole = store.alerts().get(1).unwrap().unwrap();
    assert_eq!(whole.alert.phase, Phase::Acknowledged);
    assert_eq!((whole.history.len(), whole.deliveries.len()), (5, 2));
    assert_eq!(store.alerts().counts().unwrap(), [0, 0, 1]);
    // It is armed still: another part of the machine is another alert, with the next number.
    tick(&store, NOON.plus_us(2 * MINUTE)).unwrap();
    store.append_wait(critical("VM002", [1])).unwrap();
    assert_eq!(firing(&store)[0].id, 2);
    let over = store
        .alerts()
        .act(1, Act::Resolve { visit: true }, "Bob", "new motor", now);
    assert_eq!(over.unwrap().unwrap().phase, Phase::Resolved);
    let again = store
        .alerts()
        .act(1, Act::Acknowledge, "Ann", "", now)
        .unwrap();
    assert_eq!(again, Err(ActError::Over(1)));
}

#[test]
fn a_message_is_handed_out_once_and_tried_again_until_it_went() {
    let place = Place::new();
    let store = store(&place);
    store.append_wait(critical("VM001", [1])).unwrap();
    let (alerts, now) = (store.alerts(), NOON.plus_us(MINUTE));
    let messages = due(&store);
    let (sms, mail) = (messages[0].id, messages[1].id);
    assert!(alerts.begin_delivery(sms).unwrap());
    let sent = Tried::Sent {
        provider_id: Some("SM1".into()),
        price_micros: Some(7_900),
    };
    alerts.finish_delivery(sms, sent, now).unwrap();
    assert!(!alerts.begin_delivery(sms).unwrap(), "it went");
    assert!(alerts.begin_delivery(mail).unwrap());
    // A crash in the middle of the call: it is there again after the start.
    store.close();
    drop((store, alerts));
    let store = place.open();
    let alerts = store.alerts();
    let left = due(&store);
    assert_eq!(
        (left.len(), left[0].id, left[0].state),
        (1, mail, MessageState::Waiting)
    );
    assert!(alerts.begin_delivery(mail).unwrap());
    // What became of the call could not be kept: it is due still, and can be handed out.
    assert_eq!(due(&store)[0].state, MessageState::Calling);
    assert!(alerts.begin_delivery(mail).unwrap());
    let later = NOON.plus_us(10 * MINUTE);
    let again = Tried::Again {
        at: later,
        error: "greylisted".into(),
    };
    alerts.finish_delivery(mail, again, now).unwrap();
    assert!(due(&store).is_empty());
    assert_eq!(alerts.due(later, 10, &[]).unwrap()[0].tries, 3);
    assert_eq!(alerts.sent_since("sms", NOON).unwrap(), (1, 7_900));
}

#[test]
fn who_delivers_is_told_when_there_is_something_and_may_leave_a_channel_alone() {
    let place = Place::new();
    let store = store(&place);
    let (sender, told) = std::sync::mpsc::channel();
    store.alerts().on_change(move |changed| {
        let ids = changed.alerts.iter().map(|alert| alert.id).collect();
        let _ = sender.send((ids, changed.messages));
    });
    store.append_wait(critical("VM001", [1])).unwrap();
    let patience = std::time::Duration::from_secs(30);
    let once: (Vec<u64>, usize) = told.recv_timeout(patience).unwrap();
    assert_eq!(once, (vec![1], 2));
    let but = ["sms".to_owned()];
    let left = store.alerts().due(NOON.plus_us(MINUTE), 10, &but).unwrap();
    assert_eq!(
        (left.len(), left[0].outgoing.channel.as_str()),
        (1, "email")
    );
}

#[test]
fn entries_that_a_crash_kept_from_being_judged_are_judged_with_the_next_opening() {
    let place = Place::new();
    let first = store(&place);
    first.append_wait(critical("VM002", [1])).unwrap();
    first.close();
    drop(first);
    let catalog = place.data().join("catalog.db");
    let before = std::fs::read(&catalog).unwrap();
    let second = place.open();
    second.append_wait(critical("VM001", [1, 2, 3])).unwrap();
    second.close();
    drop(second);
    // As if the process had died between the day file and the catalog.
    std::fs::write(&catalog, before).unwrap();
    for _ in 0..2 {
        let third = place.open();
        tick(&third, NOON.plus_us(2_000_000)).unwrap();
        let machines: Vec<_> = firing(&third)
            .iter()
            .map(|a| a.machines[0].clone())
            .collect();
        assert_eq!(machines, [id("VM001"), id("VM002")]);
        assert_eq!((firing(&third)[0].count, due(&third).len()), (3, 4));
        third.close();
    }
}

#[test]
fn a_configuration_is_kept_and_used_at_once() {
    let place = Place::new();
    let store = store(&place);
    let mut quiet = config();
    quiet.rules.iter_mut().for_each(|rule| rule.enabled = false);
    store.alerts().configure(quiet.clone(), NOON).unwrap();
    store.append_wait(critical("VM001", [1])).unwrap();
    assert!(firing(&store).is_empty());
    store.close();
    assert_eq!(place.open().alerts().config().unwrap(), quiet);
}

#[test]
fn a_span_in_which_nobody_watched_is_kept() {
    let place = Place::new();
    let store = store(&place);
    for at in [NOON, NOON.plus_us(MINUTE), NOON.plus_us(200 * MINUTE)] {
        tick(&store, at).unwrap();
    }
    let away = store.alerts().away(10).unwrap();
    assert_eq!(away.len(), 1);
    assert_eq!(away[0].from, NOON.plus_us(MINUTE));
    assert_eq!(away[0].to, NOON.plus_us(200 * MINUTE));
}
