//! The outbox over a real store and real HTTP endpoints on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::alerts::config::people::{Address, Person};
use ::alerts::{Act, MachineNow};
use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::{
    Credential, Holder, KeyState, Machine, MessageState, NewEntries, PathKind, Store, WrappingKey,
};
use wire::{ClockState, Level, LogEntry, MachineId, Micros};

use super::duty::Duty;
use super::{Channel, Delivery};
use crate::access::signin::SigninLinks;
use crate::app::{App, ServerInfo, Shared};
use crate::clock;
use crate::events::Events;
use crate::ingest::body::Room;
use crate::status::{Judge, StatusLimits};

/// For what takes milliseconds, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// An endpoint that keeps what it was told and says one thing for ever.
struct Endpoint {
    url: String,
    told: Arc<Mutex<Vec<Value>>>,
}

/// A status, or nothing at all.
type Says = Option<u16>;

async fn endpoint(says: Says) -> Endpoint {
    let told = Arc::<Mutex<Vec<Value>>>::default();
    let keep = told.clone();
    let router = Router::new().fallback(move |body: String| {
        let keep = keep.clone();
        async move {
            let body = serde_json::from_str(&body).unwrap_or_default();
            keep.lock().unwrap().push(body);
            match says {
                Some(status) => StatusCode::from_u16(status).unwrap(),
                None => std::future::pending().await,
            }
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Endpoint { url, told }
}

impl Endpoint {
    fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().clone()
    }
}

fn vm001() -> MachineId {
    "VM001".parse().unwrap()
}

/// An app in which Ann is told of everything critical, by these webhooks in turn: the first, and the
/// next where that cannot be.
fn app(dir: &tempfile::TempDir, hooks: &[(&str, &Endpoint)]) -> Shared {
    let now = clock::now();
    let data = dir.path().join("data");
    let key = WrappingKey::load_or_create(&dir.path().join("key"), &data).unwrap();
    let store = Store::open(&data, &key, now).unwrap();
    let machine = Machine {
        id: vm001(),
        name: "Lobby".into(),
        location: String::new(),
        timezone: String::new(),
        site: "Main Street".into(),
        route: String::new(),
        tags: Vec::new(),
        owner: String::new(),
        opening_hours: String::new(),
        reader_serials: Vec::new(),
        created_at: now,
    };
    let credential = Credential {
        key_id: "k".into(),
        sha256: [0; 32],
        holder: Holder::Machine(vm001()),
        created_at: now,
        expires_at: None,
        state: KeyState::InUse,
    };
    store.add_machine(&machine, &credential).unwrap();
    let mut config = ::alerts::config::defaults::config();
    let addresses = hooks.iter().map(|(id, _)| Address {
        channel: (*id).to_owned(),
        to: String::new(),
    });
    config.people = vec![Person {
        id: "ann".into(),
        name: "Ann".into(),
        addresses: addresses.collect(),
        ..Person::default()
    }];
    config.groups[0].people = vec!["ann".into()];
    store.alerts().configure(config, now).unwrap();
    let machines = vec![MachineNow::new(vm001())];
    store.alerts().tick(machines, now).unwrap();
    let delivery = Delivery::default();
    delivery.channels.set(
        hooks
            .iter()
            .map(|(id, hook)| Arc::new(channel(id, hook)))
            .collect(),
    );
    Arc::new(App {
        room: Arc::new(Room::default()),
        store,
        events: Events::new("b".into()),
        signin: SigninLinks::default(),
        pairing_tries: Default::default(),
        basic_tries: Default::default(),
        sources: Default::default(),
        dictionaries: Default::default(),
        training: Default::default(),
        delivery,
        alerting: Default::default(),
        judge: Judge::new(StatusLimits::default(), now),
        server: ServerInfo::default(),
    })
}

fn channel(id: &str, hook: &Endpoint) -> Channel {
    let config = json!({"kind": "webhook", "url": hook.url, "timeout_s": 100});
    Channel {
        id: id.to_owned(),
        enabled: true,
        limit_per_day: None,
        template: None,
        config: serde_json::from_value(config).unwrap(),
    }
}

/// A CRITICAL of each of these components, which is an alert each.
fn critical(app: &Shared, components: &[&str]) {
    let now = clock::now();
    let entries = components
        .iter()
        .enumerate()
        .map(|(n, component)| LogEntry {
            seq: Some(n as u64 + 1),
            timestamp: now,
            level: Level::Critical,
            component: (*component).to_owned(),
            message: "Motor jam".into(),
            context: Default::default(),
            clock: ClockState::Synced,
        });
    let new = NewEntries {
        machine: vm001(),
        // A spool of its own each time.
        epoch: Some(now.0.unsigned_abs()),
        entries: entries.collect(),
        refused_seqs: Vec::new(),
        path: PathKind::Wifi,
        received_at: now,
    };
    app.store.append_wait(new).unwrap();
}

/// The messages as channel, state and why.
fn outbox(app: &Shared) -> Vec<(String, MessageState, String)> {
    let mut messages = app.store.alerts().deliveries(None, 100).unwrap();
    messages.reverse();
    let row = |m: store::Message| (m.outgoing.channel, m.state, m.error.unwrap_or_default());
    messages.into_iter().map(row).collect()
}

fn states(app: &Shared) -> Vec<(String, MessageState)> {
    let rows = outbox(app).into_iter();
    rows.map(|(channel, state, _)| (channel, state)).collect()
}

/// Steps until the outbox is as it should be.
async fn step_until(
    app: &Shared,
    duty: &mut Duty,
    wanted: impl Fn(&[(String, MessageState)]) -> bool,
) {
    let stepping = async {
        while !wanted(&states(app)) {
            duty.one_step(app, clock::now()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let is_so = tokio::time::timeout(PATIENCE, stepping).await.is_ok();
    assert!(is_so, "{:?}", outbox(app));
}

fn is(rows: &[(String, MessageState)], wanted: &[(&str, MessageState)]) -> bool {
    let rows: Vec<(&str, MessageState)> = rows.iter().map(|(c, s)| (c.as_str(), *s)).collect();
    rows == wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_channel_is_shown_and_the_next_address_gets_its_messages_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (refuses, takes) = (endpoint(Some(403)).await, endpoint(Some(200)).await);
    let app = app(&dir, &[("first", &refuses), ("second", &takes)]);
    critical(&app, &["motor"]);
    let mut duty = Duty::default();
    let wanted = [
        ("first", MessageState::Failed),
        ("second", MessageState::Sent),
    ];
    step_until(&app, &mut duty, |rows| is(rows, &wanted)).await;
    let told = takes.told().pop().unwrap().to_string();
    for part in ["VM001", "Lobby", "Main Street", "Hardware Failure"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let status = app.delivery.channels.get("first").unwrap().status;
    assert_eq!(status.error.unwrap().0, "refused");
    assert!(
        app.delivery
            .channels
            .get("second")
            .unwrap()
            .status
            .last_sent_at
            .is_some()
    );
    // It is not asked again with what it refused.
    critical(&app, &["bill"]);
    step_until(&app, &mut duty, |rows| {
        rows.iter()
            .filter(|(_, s)| *s == MessageState::Sent)
            .count()
            == 2
    })
    .await;
    assert_eq!((refuses.told().len(), takes.told().len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_busy_is_tried_again_and_nobody_else_is_told_yet() {
    let dir = tempfile::tempdir().unwrap();
    let (busy, other) = (endpoint(Some(503)).await, endpoint(Some(200)).await);
    let app = app(&dir, &[("first", &busy), ("second", &other)]);
    critical(&app, &["motor"]);
    let mut duty = Duty::default();
    while busy.told().is_empty() || app.delivery.channels.in_flight() > 0 {
        duty.one_step(&app, clock::now()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let message = app.store.alerts().deliveries(None, 1).unwrap().remove(0);
    assert_eq!((message.state, message.tries), (MessageState::Waiting, 1));
    assert!(message.next_at > message.created_at);
    assert!(message.error.unwrap().contains("503"));
    duty.one_step(&app, clock::now()).await.unwrap();
    assert_eq!((busy.told().len(), other.told().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_hangs_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (hangs, takes) = (endpoint(None).await, endpoint(Some(200)).await);
    let app = app(&dir, &[("hangs", &hangs), ("takes", &takes)]);
    let mut config = app.store.alerts().config().unwrap();
    for rule in &mut config.rules {
        rule.tell[0].by = vec!["hangs".into(), "takes".into()];
    }
    app.store.alerts().configure(config, clock::now()).unwrap();
    let components: Vec<String> = (0..30).map(|n| format!("part{n}")).collect();
    let components: Vec<&str> = components.iter().map(String::as_str).collect();
    critical(&app, &components);
    let mut duty = Duty::default();
    step_until(&app, &mut duty, |rows| {
        rows.iter()
            .filter(|(_, s)| *s == MessageState::Sent)
            .count()
            == 30
    })
    .await;
    assert_eq!(takes.told().len(), 30);
    assert_eq!(hangs.told().len(), 4, "and it has no more than four");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_before_it_could_be_told_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let takes = endpoint(Some(200)).await;
    let app = app(&dir, &[("hook", &takes)]);
    critical(&app, &["motor"]);
    let resolve = Act::Resolve { visit: false };
    let over = app.store.alerts().act(1, resolve, "Bob", "", clock::now());
    over.unwrap().unwrap();
    let mut duty = Duty::default();
    step_until(&app, &mut duty, |rows| {
        is(rows, &[("hook", MessageState::Failed)])
    })
    .await;
    assert_eq!(takes.told().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_the_day_holds_a_storm_but_lets_critical_first_messages_through() {
    let dir = tempfile::tempdir().unwrap();
    let takes = endpoint(Some(200)).await;
    let app = app(&dir, &[("hook", &takes)]);
    let limited = Channel {
        limit_per_day: Some(1),
        ..channel("hook", &takes)
    };
    app.delivery.channels.set(vec![Arc::new(limited)]);
    let components: Vec<String> = (0..30).map(|n| format!("part{n}")).collect();
    let components: Vec<&str> = components.iter().map(String::as_str).collect();
    critical(&app, &components);
    let mut duty = Duty::default();
    step_until(&app, &mut duty, |rows| {
        rows.iter()
            .all(|(_, s)| matches!(s, MessageState::Sent | MessageState::Held))
    })
    .await;
    let sent = takes.told().len();
    // One, and 20 because they are urgent; of those sent at the same time a few more.
    assert!((21..=24).contains(&sent), "{sent}");
    assert_eq!(outbox(&app).len(), 30);
}

#[test]
fn a_stop_leaves_nothing_begun() {
    let messages = Delivery::default();
    assert!(messages.channels.enter(1, "sms"));
    assert!(
        !messages.channels.enter(1, "sms"),
        "it is being sent already"
    );
    for message in 2..=4 {
        assert!(messages.channels.enter(message, "sms"));
    }
    assert!(!messages.channels.enter(5, "sms"), "four at a time");
    assert_eq!(messages.channels.full(), ["sms"]);
    assert!(
        messages.channels.enter(5, "email"),
        "others have their own places"
    );
    messages.channels.leave(1);
    assert!(messages.channels.full().is_empty());
    assert_eq!(messages.channels.in_flight_of("sms"), 3);
    let now = Micros(0);
    messages.worked(now);
    assert_eq!(messages.worked_at(), now);
}
